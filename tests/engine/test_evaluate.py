"""Evaluation episodes in more or fewer simulators at once."""

from __future__ import annotations

import dataclasses
from itertools import chain
from typing import Any

import numpy as np
from tiny import QUIET, Diary, problem, tiny

from warmstart.engine import Trainer
from warmstart.engine.evaluate import Evaluator, Played
from warmstart.tasks.reward import RewardTransform


def _played(at_once: int) -> tuple[list[list[Played]], int]:
    opened = []

    def make_env() -> Diary:
        opened.append(Diary())
        return opened[-1]

    def act(told: np.ndarray, memory: Any, tick: int) -> tuple[np.ndarray, Any]:
        del tick
        return 0.1 * told[..., 1:2], memory

    evaluator = Evaluator(make_env, (0, 4), RewardTransform(), at_once)
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
    assert Trainer(recipe, few, (0,), QUIET).looker.evaluator.slots == 3
