"""Learning in one thread while another acts."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from driven import Loop, Reach, agent, recipe, weights
from tiny import same_bits

import warmstart as ws

BUSY: dict[str, Any] = {"random": 2, "steps": 400, "hidden": (64, 64), "batch": 64}


def test_acting_waits_for_no_update_and_no_row_is_lost(tmp_path: Path) -> None:
    made = recipe("sac", **BUSY).with_("finetune.rhythm.updates", 60)
    learner = agent(made, Reach)
    loop = Loop(learner, Reach()).go(6)  # everything is compiled
    stop, failed = threading.Event(), []

    def learn() -> None:
        try:
            while not stop.is_set():
                learner.learn()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=learn, daemon=True)
    thread.start()
    ahead, seen, live = 0, [], learner._live
    for step in range(120):
        loop.go(1, learn=False)
        ahead = max(ahead, len(live.stepper.due))
        seen.append(live.stepper.episodes.rows[0].copy())
        if step == 60:  # with rows that learning has not seen
            learner.save(tmp_path / "kept")
    stop.set()
    thread.join(300)
    assert not failed and not thread.is_alive()
    # 60 updates are owed for each step: had acting waited, it could not be many steps ahead.
    assert ahead > 10, ahead
    learner.learn()
    rows, width = live.trainer.rows(6, 126)[0], live.stepper.online.layout.return_to_go
    np.testing.assert_array_equal(rows[:, :width], np.stack(seen)[:, :width])
    again = ws.Agent.load(tmp_path / "kept")
    assert again.steps == 67
    again.learn()
    rows = again._live.trainer.rows(6, 67)[0]
    np.testing.assert_array_equal(rows[:, :width], np.stack(seen)[:61, :width])


def test_a_lesson_as_late_as_one_likes_learns_what_was_observed_in_its_order(
    tmp_path: Path,
) -> None:
    made = recipe("sac", random=3, steps=20)
    learner = agent(made, Reach)
    loop = Loop(learner, Reach()).go(8, learn=False)
    assert learner._live.trainer.position.done == [0]
    learner.save(tmp_path / "kept")  # with all that is to be learnt
    again = ws.Agent.load(tmp_path / "kept")
    assert loop.agent.learn() is not None
    assert learner._live.trainer.position.done[0] > 0
    assert loop.agent.learn() is None
    same_bits(weights(again), weights(learner))
    assert int(learner._live.trainer.carry.get(lambda c: c.ring.added).host()[0]) == 8
