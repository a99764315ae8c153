"""What the checks look at: a dataset, where possible with its environment and task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from warmstart.recipe import Recipe
from warmstart.tasks import Task
from warmstart.types import Dataset, HostEnv, Spec

SAMPLE = 20_000
"""Rows from which usual sizes are taken."""


@dataclass(frozen=True)
class Case:
    """One dataset under examination.

    Attributes:
        data: as `load` gives it.
        env: an open environment that the data are meant for; None: nothing is compared with it.
        task: discount, return rule, reward transform and success; None: defaults.
        recipe: the method that shall learn from them; None: whatever may.
        short: look at less, where looking at all takes long.
    """

    data: Dataset
    env: HostEnv | None = None
    task: Task | None = None
    recipe: Recipe | None = None
    short: bool = False

    @property
    def spec(self) -> Spec | None:
        """Sizes and time limit of the environment."""
        return None if self.env is None else self.env.spec

    @property
    def info(self) -> Mapping[str, Any]:
        """What the file says of itself."""
        return self.data.info

    @property
    def offset(self) -> bool:
        """Whether observations had something taken away: they do not show the state as it is."""
        return bool(self.info.get("obs_offset"))

    @property
    def playable(self) -> HostEnv | None:
        """The environment where it may be reset and stepped: a robot does not move for this."""
        return None if self.task is not None and self.task.physical else self.env

    @cached_property
    def ends(self) -> np.ndarray:
        """[N] bool: the last row of each episode."""
        return self.data.ends

    @cached_property
    def stops(self) -> np.ndarray:
        """[E] one past the last row of each episode."""
        return np.flatnonzero(self.ends) + 1

    @cached_property
    def starts(self) -> np.ndarray:
        """[E] first row of each episode."""
        return np.concatenate([[0], self.stops[:-1]])

    @cached_property
    def lengths(self) -> np.ndarray:
        """[E] steps of each episode."""
        return self.stops - self.starts

    @cached_property
    def dead(self) -> np.ndarray:
        """[E] bool: whether each episode terminated."""
        return np.asarray(self.data.terminated)[self.stops - 1].astype(bool)

    @cached_property
    def returns(self) -> np.ndarray:
        """[E] float64 raw returns, not discounted."""
        return np.add.reduceat(self.data.rewards.astype(np.float64), self.starts)

    @cached_property
    def sampled(self) -> slice:
        """Rows from which usual sizes are taken: evenly spread."""
        return slice(None, None, max(1, len(self.data) // SAMPLE))

    @cached_property
    def usual(self) -> np.ndarray:
        """[O] how far each number moves at most in nine of ten rows."""
        now, then = self.data.obs[self.sampled], self.data.next_obs[self.sampled]
        return np.quantile(np.abs(then - now), 0.9, axis=0)
