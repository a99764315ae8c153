"""Evaluation episodes: how many simulators they open, and what they refuse to average."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tiny import Diary

from warmstart.engine.evaluate import Evaluator
from warmstart.errors import TaskError
from warmstart.tasks.reward import RewardTransform
from warmstart.types import EnvStep


def _still(told: np.ndarray, memory: Any, tick: int) -> tuple[np.ndarray, Any]:
    return np.zeros((*told.shape[:2], 1), np.float32), memory


def test_no_more_simulators_are_opened_than_there_are_episodes() -> None:
    opened: list[Diary] = []

    def make() -> Diary:
        opened.append(Diary())
        return opened[-1]

    evaluator = Evaluator(make, [0, 5], RewardTransform(), slots=4)
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
    evaluator = Evaluator(world, [3], RewardTransform(), slots=2)
    with pytest.raises(TaskError, match=f"seed 3 .*not finite .*{at}"):
        evaluator(_still, None, 2, 0)
