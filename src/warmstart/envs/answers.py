"""What an environment answers to an action, read by the rules of its task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from warmstart.envs.quirks import succeeded
from warmstart.envs.spaces import one_number, truth
from warmstart.errors import TaskError
from warmstart.tasks import Task
from warmstart.tasks.success import FORMS, read_success_rule
from warmstart.types import EnvStep


class Answers:
    """Reads answers of one environment.

    Args:
        task: says what counts as success and what is paid.
        observe: an observation as [O] float32.

    Attributes:
        knows_success: whether it is known by now how success is told.
    """

    def __init__(self, task: Task, observe: Callable[[Any], np.ndarray]) -> None:
        self.task: Task = task
        self.observe: Callable[[Any], np.ndarray] = observe
        self._rule = read_success_rule(task.success_when) if task.success_when else None
        self.knows_success: bool = False

    def step(self, obs: Any, reward: Any, terminated: Any, truncated: Any, info: Any) -> EnvStep:
        """What `env.step` returned. Raises TaskError for what cannot be read."""
        reward = self.told("reward", "one number", one_number, reward)
        terminated = self.told("terminated", "True or False", truth, terminated)
        truncated = self.told("truncated", "True or False", truth, truncated)
        success = self._success(reward, terminated, truncated, info)
        if self.task.success_reward:
            reward, terminated = float(success) - 1.0, terminated or success
        return EnvStep(self.observe(obs), reward, terminated, truncated, success)

    def _success(self, reward: float, terminated: bool, truncated: bool, info: Any) -> bool:
        """Whether the step is a success: as the user's rule, or else as `info` says.

        Raises TaskError at the end of an episode in which nobody said anything of it.
        """
        task, rule = self.task, self._rule
        said = self.told("info", "a dict, with success True or False", succeeded, info)
        if rule is not None:
            keys = [key for key in rule.keys if key in info]
            self.knows_success |= len(keys) == len(rule.keys)
            said = (
                reward >= rule.reward
                and (terminated or not rule.terminated)
                and (truncated or not rule.truncated)
                and len(keys) == len(rule.keys)
                and all(self.told(f"info {key}", "True or False", truth, info[key]) for key in keys)
            )
        self.knows_success |= rule is None and said is not None
        if task.success and (terminated or truncated) and not self.knows_success:
            there = ", ".join(sorted(map(str, info or ()))) or "nothing"
            lacks = f"'{rule.keys[0]}'" if rule is not None else "success or is_success"
            raise TaskError(
                f"Environment {task.env_id} is scored by success and never says what that is: its "
                f"info holds {there}, and not {lacks}. Let it say so, or say what counts: "
                f"--success-when {FORMS} (in Python success_when=)."
            )
        return bool(said)

    def told(self, what: str, wanted: str, read: Callable[[Any], Any], value: Any) -> Any:
        """A part of an answer as `read` understands it; TaskError where it does not."""
        try:
            return read(value)
        except (TypeError, ValueError) as error:
            shown = " ".join(repr(value).split())[:60]
            raise TaskError(
                f"Environment {self.task.env_id} answered with {what} {shown}: return {wanted}."
            ) from error
