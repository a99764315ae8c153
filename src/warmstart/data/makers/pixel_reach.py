"""Logged data for the task with a camera, from a weak and noisy pull to the goal."""

from __future__ import annotations

from typing import Any

import numpy as np

from warmstart.data.makers.roll import Episodes, Progress, roll
from warmstart.envs.pixel_reach import SIZE, goal_in
from warmstart.types import Dataset, HostEnv


def make_pixel_reach(
    env: HostEnv,
    seed: int,
    episodes: Episodes = 100,
    progress: Progress | None = None,
    *,
    gain: float = 0.5,
    noise: float = 0.6,
) -> Dataset:
    """`episodes` episodes of moves of `gain` per unit of distance, and Gaussian noise."""

    def policy(rng: np.random.Generator) -> Any:
        def act(obs: np.ndarray) -> np.ndarray:
            goal = goal_in(obs[2:].reshape(SIZE, SIZE, 3))
            pull = gain * (goal - obs[:2]) + noise * rng.standard_normal(2)
            return np.clip(pull, -1.0, 1.0).astype(np.float32)

        return act

    return roll(env, policy, seed, episodes, progress)
