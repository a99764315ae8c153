"""One robot: it learns and is evaluated in turn, and cannot be played again."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import jax
import numpy as np
import pytest
from tiny import QUIET, SPEC, Diary, Fixed, finish, problem, tiny

from warmstart.engine import RunEvent, Schedule, Trainer
from warmstart.errors import TaskError
from warmstart.recipe import Recipe
from warmstart.replay import Layout
from warmstart.types import EnvStep

LOOKS = Schedule(
    episodes=50, fixed_episodes=2, offline_every=0, online_every=6, early=(), log_every=10_000
)


class Alone(Fixed):
    """A robot that moves on by itself, and refuses a step of whoever did not reset it."""

    resets = 0

    def reset(self, seed: int) -> np.ndarray:
        Alone.resets += 1
        self.over = False
        return super().reset(seed + Alone.resets)

    def step(self, action: np.ndarray) -> EnvStep:
        assert not self.over, "the episode was over, or somebody else's"
        out = super().step(action)
        self.over = out.terminated or out.truncated
        return out


def _trainer(recipe: Recipe, schedule: Schedule = LOOKS, world: type[Diary] = Alone) -> Trainer:
    robot = world()
    there = dataclasses.replace(
        problem(recipe, world), make_env=lambda: robot, physical=True, at_once=1
    )
    return Trainer(recipe, there, (3,), schedule, lambda: True)


def _scores(events: list[RunEvent]) -> list[tuple[str | None, int, int]]:
    return [(e.tag, e.env_steps, e.values["episodes"]) for e in events if e.kind == "eval"]


def test_it_is_evaluated_at_the_borders_and_its_training_speaks_between() -> None:
    run = _trainer(tiny("iql", pretrain_steps=4, steps=17))
    Alone.resets = 0
    events = finish(run)
    assert _scores(events) == [
        ("pretrained", 0, 2),
        ("switch", 0, 2),
        ("curve", 6, 1),
        ("curve", 12, 1),
        ("final", 17, 2),
    ]
    episodes = [e.values["return"] for e in events if e.kind == "episode"]
    told = [e.values["returns"] for e in events if e.kind == "eval" and e.tag == "curve"]
    assert told == [[episodes[0]], [episodes[1]]]
    # Two evaluations, four episodes begun, one evaluation: nothing is reset for nothing.
    assert Alone.resets == 2 + 2 + 4 + 2


def test_without_evaluations_the_last_training_episodes_are_the_end() -> None:
    looks = dataclasses.replace(LOOKS, fixed_episodes=0)
    events = finish(_trainer(tiny("iql", pretrain_steps=4, steps=17), looks))
    assert _scores(events) == [("curve", 6, 1), ("curve", 12, 1), ("final", 17, 1)]


def test_where_no_episode_ended_since_the_last_point_that_one_is_the_end() -> None:
    looks = dataclasses.replace(LOOKS, fixed_episodes=0)
    events = finish(_trainer(tiny("iql", pretrain_steps=4, steps=8), looks))
    assert _scores(events) == [("curve", 6, 1), ("final", 8, 1)]
    first, last = (e.values["returns"] for e in events if e.kind == "eval")
    assert first == last


def test_a_curriculum_hears_of_the_training_episodes() -> None:
    """JSRL goes on by its score; before the first episode is over there is none."""
    looks = dataclasses.replace(LOOKS, fixed_episodes=0, online_every=2)
    run = _trainer(tiny("jsrl", pretrain_steps=4, steps=8), looks)
    assert _scores(finish(run)) == [("curve", 6, 1), ("final", 8, 1)]


def _left(run: Trainer, at: int) -> tuple[Any, dict[str, Any], np.ndarray]:
    for event in run.run():
        if event.kind == "safe" and run.position.counter == at and run.position.phase == "online":
            tree, meta = run.snapshot()
            return tree, copy.deepcopy(meta), run.rows(0, at)
    raise AssertionError


@pytest.mark.parametrize("world", [Fixed, Alone])
def test_a_stop_ends_the_open_episode_where_it_stood(world: type[Diary]) -> None:
    """Its returns are known, as behind a time limit, and no window of rows crosses the cut."""
    recipe = tiny("odt", pretrain_steps=3, steps=20)
    left = _left(_trainer(recipe, QUIET, world), 7)  # five steps, and two of the next episode
    again = _trainer(recipe, QUIET, world)
    assert again.restore(*left) == [3]
    ring = again.carry.get(lambda c: c.ring).host()
    first = again.open().preloaded
    rows = Layout.of(SPEC).unpack(ring.rows[0, first : first + 7])
    np.testing.assert_array_equal(rows.last, [0, 0, 0, 0, 1, 0, 1])
    reward = np.asarray(rows.reward)
    discount = recipe.finetune.learner.discount
    np.testing.assert_allclose(
        rows.return_to_go[5:], [reward[5] + discount * reward[6], reward[6]], rtol=1e-6
    )
    assert ring.closed[0] == ring.added[0]
    # Left and begun once more: what the disk holds of the first cut is found again.
    left = _left(again, 9)
    left[2][:, 6, Layout.of(SPEC).last] = 0.0
    third = _trainer(recipe, QUIET, world)
    assert third.restore(*left) == [3]
    ring = third.carry.get(lambda c: c.ring).host()
    rows = Layout.of(SPEC).unpack(ring.rows[0, first : first + 9])
    np.testing.assert_array_equal(rows.last, [0, 0, 0, 0, 1, 0, 1, 0, 1])
    finish(third)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(third.state.host().nets))


def test_a_stop_before_the_next_episode_keeps_the_cut() -> None:
    recipe = tiny("odt", pretrain_steps=3, steps=20)
    left = _left(_trainer(recipe, QUIET), 7)
    again = _trainer(recipe, QUIET)
    on_disk = left[2].copy()
    again.restore(*left)
    tree, meta = again.snapshot()  # left again at once
    third = _trainer(recipe, QUIET)
    assert third.restore(tree, meta, on_disk) == []
    ring, first = third.carry.get(lambda c: c.ring).host(), third.open().preloaded
    rows = Layout.of(SPEC).unpack(ring.rows[0, first : first + 7])
    np.testing.assert_array_equal(rows.last, [0, 0, 0, 0, 1, 0, 1])


class Failing(Alone):
    """A step fails, once."""

    steps, fails_at = 0, 0

    def step(self, action: np.ndarray) -> EnvStep:
        Failing.steps += 1
        if Failing.steps == Failing.fails_at:
            raise TaskError("the encoder is silent: fix it.")
        return super().step(action)


def test_what_a_robot_did_before_it_failed_is_kept() -> None:
    recipe = tiny("iql", pretrain_steps=4, steps=9)
    looks = dataclasses.replace(LOOKS, fixed_episodes=0)
    run, left = _trainer(recipe, looks, Failing), None
    Failing.fails_at = Failing.steps + 3
    with pytest.raises(TaskError, match="encoder"):
        for event in run.run():
            if event.kind == "safe" and event.values.get("boundary") and event.env_steps:
                left = (*copy.deepcopy(run.snapshot()), run.rows(0, event.env_steps))
    assert left is not None
    assert left[2].shape[1] == 2
    again = _trainer(recipe, looks, Failing)
    assert again.restore(*left) == [3]
    finish(again)
    assert again.position.env_steps == 9


def test_between_two_episodes_nothing_is_cut() -> None:
    recipe = tiny("sac", steps=10)
    left = _left(_trainer(recipe, QUIET), 5)
    assert _trainer(recipe, QUIET).restore(*left) == []
