"""Evaluation episodes: how many simulators they open, and what they refuse to average."""

from __future__ import annotations

import dataclasses
from itertools import chain
from typing import Any

import numpy as np
import pytest
from tiny import QUIET, Diary, problem, tiny

from warmstart.engine import Trainer
from warmstart.engine.evaluate import HostEvaluator, Played
from warmstart.errors import TaskError
from warmstart.tasks.reward import RewardTransform
from warmstart.types import EnvStep


def _played(at_once: int) -> tuple[list[list[Played]], int]:
    opened = []

    def make_env() -> Diary:
        opened.append(Diary())
        return opened[-1]

    def act(told: np.ndarray, memory: Any, tick: int) -> tuple[np.ndarray, Any]:
        del tick
        return 0.1 * told[..., 1:2], memory

    evaluator = HostEvaluator(make_env, (0, 4), RewardTransform(), at_once)
    return evaluator(act, None, 5, 1), len(opened)


def test_episodes_do_not_depend_on_how_many_run_at_once() -> None:
    (few, opened), (many, _) = _played(2), _played(20)
    assert opened == 2 * 2
    assert [len(row) for row in few] == [5, 5]
    for a, b in zip(chain(*few), chain(*many), strict=True):
        assert np.array_equal(a.obs, b.obs) and a.raw_return == b.raw_return


def test_a_run_opens_as_many_as_its_task_says() -> None:
    recipe = tiny("sac")
    few = dataclasses.replace(problem(recipe), at_once=3)
    assert Trainer(recipe, few, (0,), QUIET).evaluator.evaluator.slots == 3


def _still(told: np.ndarray, memory: Any, tick: int) -> tuple[np.ndarray, Any]:
    return np.zeros((*told.shape[:2], 1), np.float32), memory


def test_no_more_simulators_are_opened_than_there_are_episodes() -> None:
    opened: list[Diary] = []

    def make() -> Diary:
        opened.append(Diary())
        return opened[-1]

    evaluator = HostEvaluator(make, [0, 5], RewardTransform(), slots=4)
    assert [len(row) for row in evaluator(_still, None, 1, 0)] == [1, 1]
    assert len(opened) == 2
    assert [len(row) for row in evaluator(_still, None, 7, 0)] == [7, 7]
    assert len(opened) == 8
    evaluator.close()


class Broken(Diary):
    """The third reward is no number."""

    def step(self, action: np.ndarray) -> EnvStep:
        out = super().step(action)
        return out._replace(reward=float("nan")) if self.t == 3 else out


class Unborn(Diary):
    """Observes NaN before the first step."""

    def reset(self, seed: int) -> np.ndarray:
        return super().reset(seed) * np.float32("nan")


@pytest.mark.parametrize(
    ("world", "at"), [(Broken, "step 2 of evaluation episode 0"), (Unborn, "at the reset")]
)
def test_an_average_over_nan_is_refused(world: type[Diary], at: str) -> None:
    evaluator = HostEvaluator(world, [3], RewardTransform(), slots=2)
    with pytest.raises(TaskError, match=f"seed 3 .*not finite .*{at}"):
        evaluator(_still, None, 2, 0)
