"""The one loop that logs episodes from a simulator on the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from warmstart.data.images import joined_images, kept_once
from warmstart.data.manifest import ARRAYS
from warmstart.errors import TaskError
from warmstart.types import Dataset, HostEnv

Policy = Callable[[np.ndarray], np.ndarray]
"""Observation [O] to action [A] in [-1, 1]; may remember things within its episode."""
Progress = Callable[[int, int], None]
"""Called with (done, in all)."""
Episodes = int | range
"""How many episodes, counted from 0, or which ones."""


def numbers(episodes: Episodes) -> range:
    """The numbers of the episodes; TaskError for none."""
    chosen = range(episodes) if isinstance(episodes, int) else episodes
    if not len(chosen):
        raise TaskError(f"{len(chosen)} episodes make no dataset: ask for 1 or more.")
    return chosen


def joined(parts: Sequence[Dataset]) -> Dataset:
    """The rows of all parts in order, with their `info["successes"]`."""
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS}
    successes = [won for part in parts for won in part.info["successes"]]
    info = {"successes": successes, "success_rate": float(np.mean(successes))}
    return Dataset(**arrays, **joined_images(parts, "the log"), info=info)


def roll(
    env: HostEnv,
    policy: Callable[[np.random.Generator], Policy],
    seed: int,
    episodes: Episodes,
    progress: Progress | None = None,
    *,
    stream: int = 0,
) -> Dataset:
    """Log whole episodes.

    Args:
        env: where to act.
        policy: called once an episode with that episode's own generator.
        seed: episode i is a function of (seed, i) alone, so a longer log begins like a shorter,
            and a log can be made in parts.
        episodes: how many, or which.
        progress: called with (episodes done, episodes in all).
        stream: not 0: every episode is a stream of so many steps, whatever the environment says
            about its end, and is marked as truncated.

    Returns:
        The rows in order, with `info["successes"]`: for each episode whether it had any success,
        and `info["success_rate"]`: the share of those that had.

    Raises:
        TaskError: fewer than 1 episode, or an environment without a time limit.
    """
    chosen = numbers(episodes)
    limit = stream or env.spec.horizon
    if limit < 1:
        raise TaskError(
            "This environment declares no time limit, so an episode may never end: set the task's "
            "horizon."
        )
    rows: list[tuple[Any, np.ndarray, float, bool, bool, Any]] = []
    n = env.spec.numbers
    successes: list[bool] = []

    def held(obs: np.ndarray) -> Any:
        """What is kept of an observation: images as bytes."""
        return (obs[:n], obs[n:].astype(np.uint8)) if env.spec.cameras else obs

    for done_already, episode in enumerate(chosen):
        rng = np.random.default_rng([seed, episode])
        obs = env.reset(int(rng.integers(2**31)))
        act, done, succeeded, steps, before = policy(rng), False, False, 0, held(obs)
        while not done:
            action = np.asarray(act(obs), np.float32)
            new, steps = env.step(action), steps + 1
            if stream:
                new = new._replace(terminated=False, truncated=steps == stream)
            after = held(new.obs)
            rows.append((before, action, new.reward, new.terminated, new.truncated, after))
            obs, before, done = new.obs, after, new.terminated or new.truncated
            succeeded |= new.success
        successes.append(bool(succeeded))
        if progress is not None:
            progress(done_already + 1, len(chosen))
    obs_, actions, rewards, terminated, truncated, next_obs = zip(*rows, strict=True)
    images: dict[str, Any] = {}
    if env.spec.cameras:
        seen = [np.array([o[1] for o in side], np.uint8) for side in (obs_, next_obs)]
        images = {**kept_once(*seen), "cameras": env.spec.cameras}
        obs_, next_obs = ([o[0] for o in side] for side in (obs_, next_obs))
    ended = np.array(terminated, bool)
    return Dataset(
        obs=np.array(obs_, np.float32),
        actions=np.array(actions, np.float32),
        rewards=np.array(rewards, np.float32),
        terminated=ended,
        truncated=np.array(truncated, bool) & ~ended,
        next_obs=np.array(next_obs, np.float32),
        info={"successes": successes, "success_rate": float(np.mean(successes))},
        **images,
    )
