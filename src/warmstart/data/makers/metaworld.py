"""Logged data for Meta-World, from the scripted policies in its package plus noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from warmstart.data.makers.roll import Episodes, Progress, roll
from warmstart.envs.make import GymEnv
from warmstart.errors import TaskError
from warmstart.types import Dataset, HostEnv


def make_metaworld(
    env: HostEnv,
    seed: int,
    episodes: Episodes = 100,
    progress: Progress | None = None,
    *,
    noise: float = 1.0,
) -> Dataset:
    """Episodes of the task's scripted policy (Yu et al. 2019), each with a noise of its own.

    Args:
        env: a Meta-World task; its keyword `env_name` says which policy.
        seed: of goals and noise.
        episodes: how many, or which.
        progress: called with (episodes done, episodes in all).
        noise: each episode draws from [0, noise] the standard deviation of the Gaussian that is
            added to every action before clipping.

    Raises:
        TaskError: `env` is not of Meta-World.
    """
    name = str(env.task.env_kwargs.get("env_name")) if isinstance(env, GymEnv) else ""
    if not isinstance(env, GymEnv) or not (env.task.env_id or "").startswith("Meta-World/"):
        raise TaskError(
            "The maker 'metaworld' has policies for Meta-World alone: use it with a metaworld task."
        )
    from metaworld.policies import ENV_POLICY_MAP

    policy = ENV_POLICY_MAP[name]()

    def actor(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
        level = float(rng.uniform(0.0, noise))

        def act(obs: np.ndarray) -> np.ndarray:
            action = policy.get_action(obs.astype(np.float64))
            return np.clip(action + level * rng.standard_normal(len(action)), -1.0, 1.0)

        return act

    return roll(env, actor, seed, episodes, progress)
