"""Between an environment's own observations and actions, and flat ones in [-1, 1]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from warmstart.data.build import unit_actions
from warmstart.engine import Problem
from warmstart.envs.answers import Answers
from warmstart.envs.interface import box_of, observations_of
from warmstart.errors import TaskError
from warmstart.tasks import Task
from warmstart.types import EnvStep


class EnvUnits:
    """Reads what an environment shows and answers, and writes actions as it takes them."""

    def __init__(self, task: Task, problem: Problem) -> None:
        assert problem.interface is not None
        self._observations = observations_of(problem.interface["observation"])
        self._box, self._shape = (
            box_of(problem.interface["action"]),
            tuple(problem.interface["action"]["shape"]),
        )
        self._answers = Answers(task, self.observation)
        self._said: np.ndarray | None = None

    def observation(self, obs: Any) -> np.ndarray:
        """One observation as [O] float32. Raises TaskError."""
        flat, batch = self._observations(obs)
        if batch:
            raise TaskError(
                f"an agent sees one observation at a time, not a batch of {len(flat)}; give one, "
                "or ask predict() for many"
            )
        return flat[0]

    def answer(self, obs: Any, reward: Any, terminated: Any, truncated: Any, info: Any) -> EnvStep:
        """What `env.step` returned. Raises TaskError."""
        if not isinstance(info, Mapping | None):
            raise TaskError(f"info is a dict, not {type(info).__name__}; give what step returned")
        out = self._answers.step(obs, reward, terminated, truncated, info or {})
        if not np.isfinite(out.reward):
            raise TaskError(f"the reward is {out.reward}; give a finite number")
        return out

    def to_env(self, action: np.ndarray) -> np.ndarray:
        """An action [A] in [-1, 1] as the environment takes it."""
        self._said = self._box(action)
        return self._said.copy()

    def to_unit(self, action: Any, chosen: np.ndarray | None) -> np.ndarray:
        """An executed action of the environment's as [A] in [-1, 1]; `chosen` where it is that.

        Raises TaskError for one of another shape, not finite, or outside of the box.
        """
        try:
            held = np.asarray(action, np.float32)
        except (TypeError, ValueError) as error:
            raise TaskError(f"the executed action is no array ({error}); give numbers") from error
        if held.shape != self._shape:
            raise TaskError(
                f"the executed action has shape {list(held.shape)}, the environment takes "
                f"{list(self._shape)}; give what was really sent to it"
            )
        said = None if chosen is None else self._said
        if chosen is not None and said is not None and np.array_equal(held, np.float32(said)):
            return chosen
        if not np.isfinite(held).all():
            raise TaskError("the executed action is not finite; give what was really sent")
        unit, outside = unit_actions(held.reshape(1, -1), (self._box.low, self._box.high))
        if outside:
            raise TaskError(
                f"the executed action {held.reshape(-1).tolist()} lies outside of the action box, "
                f"{self._box.low.tolist()} to {self._box.high.tolist()}; give it in the "
                "environment's own units"
            )
        return unit[0]
