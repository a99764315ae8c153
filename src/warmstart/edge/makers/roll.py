"""Floor 7: the one loop that logs episodes from a simulator on the host."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from warmstart.errors import TaskError
from warmstart.types import Dataset, HostEnv

Policy = Callable[[np.ndarray], np.ndarray]
"""Observation [O] to action [A] in [-1, 1]; may remember things within its episode."""


def roll(
    env: HostEnv,
    policy: Callable[[np.random.Generator], Policy],
    seed: int,
    episodes: int,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """Log whole episodes.

    Args:
        env: where to act.
        policy: called once an episode with that episode's own generator.
        seed: episode i is a function of (seed, i) alone, so a longer log begins like a shorter.
        episodes: how many, at least 1.
        progress: called with (episodes done, episodes in all).

    Returns:
        The rows in order, with `info["success_rate"]`: the share of episodes with any success.

    Raises:
        TaskError: fewer than 1 episode, or an environment without a time limit.
    """
    if episodes < 1:
        raise TaskError(f"{episodes} episodes make no dataset: ask for 1 or more.")
    if env.spec.horizon < 1:
        raise TaskError(
            "This environment declares no time limit, so an episode may never end: set the task's "
            "horizon."
        )
    rows: list[tuple[np.ndarray, np.ndarray, float, bool, bool, np.ndarray]] = []
    successes = 0
    for episode in range(episodes):
        rng = np.random.default_rng([seed, episode])
        obs = env.reset(int(rng.integers(2**31)))
        act, done, succeeded = policy(rng), False, False
        while not done:
            action = np.asarray(act(obs), np.float32)
            new = env.step(action)
            rows.append((obs, action, new.reward, new.terminated, new.truncated, new.obs))
            obs, done = new.obs, new.terminated or new.truncated
            succeeded |= new.success
        successes += succeeded
        if progress is not None:
            progress(episode + 1, episodes)
    obs_, actions, rewards, terminated, truncated, next_obs = zip(*rows, strict=True)
    ended = np.array(terminated, bool)
    return Dataset(
        obs=np.array(obs_, np.float32),
        actions=np.array(actions, np.float32),
        rewards=np.array(rewards, np.float32),
        terminated=ended,
        truncated=np.array(truncated, bool) & ~ended,
        next_obs=np.array(next_obs, np.float32),
        info={"success_rate": successes / episodes},
    )
