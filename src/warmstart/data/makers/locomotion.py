"""Logged data for any environment from random actions, or from a policy plus noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from warmstart.data.makers.roll import Episodes, Progress, roll
from warmstart.types import Dataset, HostEnv


def make_noisy(
    env: HostEnv,
    seed: int,
    episodes: Episodes = 10,
    progress: Progress | None = None,
    *,
    policy: Callable[[np.ndarray], np.ndarray] | None = None,
    noise: float = 0.0,
) -> Dataset:
    """`episodes` whole episodes.

    Args:
        env: any environment with a time limit.
        seed: of starts and noise.
        episodes: how many, or which.
        progress: called with (episodes done, episodes in all).
        policy: observation [O] to action [A] in [-1, 1]; None: uniform random actions.
        noise: standard deviation of the Gaussian added to the policy's actions before clipping.
    """
    width = env.spec.action_dim

    def actor(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
        def act(obs: np.ndarray) -> np.ndarray:
            if policy is None:
                return rng.uniform(-1.0, 1.0, width)
            return np.clip(policy(obs) + noise * rng.standard_normal(width), -1.0, 1.0)

        return act

    return roll(env, actor, seed, episodes, progress)
