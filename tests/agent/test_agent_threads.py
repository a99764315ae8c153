"""Learning in one thread while another acts."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import jax
import numpy as np
from driven import Loop, Reach, agent, recipe, weights
from tiny import same_bits

import warmstart as ws
from warmstart.engine import Position

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


def test_behind_the_first_begin_no_call_of_the_loop_compiles() -> None:
    """A robot's period has no room for it."""
    learner, env = agent(recipe("sac", random=2, steps=20, hidden=(5, 7)), Reach), Reach()
    compiled: list[str] = []

    def heard(event: str, duration_secs: float, **more: Any) -> None:
        if "backend_compile" in event:
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(heard)
    try:
        loop = Loop(learner, env)
        learner.begin(env.reset(seed=learner.reset_seed())[0])
        loop.over = False
        assert compiled
        compiled.clear()
        loop.go(6)
        assert compiled == []
    finally:
        jax.monitoring.unregister_event_duration_listener(heard)
    assert learner.steps == 6 and learner._live.trainer.position.updates > 0


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


def test_what_is_due_is_read_in_the_words_of_an_earlier_version() -> None:
    learner = agent(recipe("sac", random=3, steps=20), Reach)
    Loop(learner, Reach()).go(3, learn=False)
    stepper = learner._live.stepper
    now = stepper.pending()
    before = [{"told" if k == "inputs" else k: v for k, v in item.items()} for item in now]
    assert before != now
    stepper.put_back(before)
    assert stepper.pending() == now
    at = Position.stored({"phase": "online", "lived": [[1.0, 2.0, 0.0]], "told": []})
    assert at.recent == [[1.0, 2.0, 0.0]] and at.earlier == []
