"""Rows of the behaviour policies that come with the package, one process a core."""

from __future__ import annotations

import atexit
import hashlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import Any

import jax
import numpy as np

from warmstart.data.makers.roll import Episodes, Policy, Progress, joined, numbers, roll
from warmstart.envs.make import make_env
from warmstart.errors import TaskError
from warmstart.policy.of_state import NumpyActor
from warmstart.state import State, empty_stats
from warmstart.tasks import Task
from warmstart.tasks.behaviour import behaviour
from warmstart.types import Dataset, HostEnv, Spec
from warmstart.values import from_json
from warmstart.views import View

FEWEST = 4
"""Episodes below which it is not worth asking other processes."""


def make_behaviour(
    env: HostEnv,
    seed: int,
    episodes: Episodes = 1000,
    progress: Progress | None = None,
    *,
    robot: str,
    levels: Sequence[str],
    shares: Sequence[float] | None = None,
) -> Dataset:
    """Whole episodes, each by one of the robot's policies, which draws its actions.

    Args:
        env: a `GymEnv` of the robot.
        seed: of starts, choices and draws.
        episodes: how many, or which.
        progress: called with (episodes done, episodes in all).
        robot: whose policies.
        levels: names of `Behaviour.levels`.
        shares: how often each level is chosen for an episode; None: alike.

    Raises:
        TaskError: an unknown robot or level, an environment of other sizes, or a process that
            helps is killed.
    """
    actor = _chooser(env, robot, tuple(levels), None if shares is None else tuple(shares))
    chosen, count = numbers(episodes), _cores()
    task = getattr(env, "task", None)
    if count < 2 or len(chosen) < FEWEST or task is None:
        return roll(env, actor, seed, chosen, progress)
    size = -(-len(chosen) // count)
    blocks = [chosen[i : i + size] for i in range(0, len(chosen), size)]
    given = (task.to_json(), seed, robot, tuple(levels), None if shares is None else tuple(shares))
    parts, done = [], 0
    try:
        for part in _helpers(count).map(_part, [given] * len(blocks), blocks):
            parts.append(part)
            done += len(part.info["successes"])
            if progress is not None:
                progress(done, len(chosen))
    except BrokenProcessPool as error:
        _helpers.cache_clear()
        raise TaskError(
            f"A process that rolled out the policies of '{robot}' was killed, which happens where "
            "memory is short: free some, and give the same command again; it goes on behind what "
            "is made."
        ) from error
    return joined(parts)


def _cores() -> int:
    """Cores that this process may use; where the system does not tell, all."""
    allowed = getattr(os, "sched_getaffinity", None)
    return (os.cpu_count() or 1) if allowed is None else len(allowed(0))


def _chooser(
    env: HostEnv, robot: str, levels: tuple[str, ...], shares: tuple[float, ...] | None
) -> Callable[[np.random.Generator], Policy]:
    """For each episode one of the policies."""
    actors = [load_policy(robot, level, env.spec) for level in levels]

    def policy(rng: np.random.Generator) -> Policy:
        actor = actors[rng.choice(len(actors), p=shares)]
        return lambda obs: actor.sample(obs, rng)

    return policy


def load_policy(robot: str, level: str, spec: Spec) -> NumpyActor:
    """A level of a robot, in NumPy; TaskError where there is none, or `spec` has other sizes."""
    known = behaviour(robot)
    if level not in known.levels:
        raise TaskError(
            f"'{robot}' has no policy '{level}': choose among {', '.join(known.levels)}."
        )
    with np.load(known.weights, allow_pickle=False) as file:
        names = [n for n in file.files if n.startswith(f"{level}/")]
        arrays = {n.partition("/")[2]: file[n].astype(np.float32) for n in names}
    sizes = arrays[".trunk.first.weight"].shape[0], arrays[".mean.weight"].shape[1]
    if sizes != (spec.obs_dim, spec.action_dim):
        raise TaskError(
            f"The policies of '{robot}' see {sizes[0]} numbers and move {sizes[1]}, this "
            f"environment has {spec.obs_dim} and {spec.action_dim}: use its own robot's name."
        )
    return actor_of(from_json(known.policy), arrays, spec)


def actor_of(network: Any, arrays: Mapping[str, np.ndarray], spec: Spec) -> NumpyActor:
    """The policy of a `PolicySpec` with these weights, by the names of their places in it."""
    sizes = spec.obs_dim, spec.action_dim
    shapes = jax.eval_shape(lambda: network.build(jax.random.PRNGKey(0), *sizes))
    leaves, structure = jax.tree_util.tree_flatten_with_path(shapes)
    net = structure.unflatten([arrays[jax.tree_util.keystr(path)] for path, _ in leaves])
    state = State({"actor": net}, {}, {}, {}, empty_stats(sizes[0]), {})
    return NumpyActor(View(state, "squashed", "none"))


def weights_hash(robot: str, levels: Sequence[str]) -> bytes:
    """sha256 of the shipped weights of these levels; TaskError for a robot without policies."""
    digest = hashlib.sha256()
    with np.load(behaviour(robot).weights, allow_pickle=False) as file:
        for name in sorted(n for n in file.files if n.partition("/")[0] in levels):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(file[name]).data)
    return digest.digest()


@cache
def _helpers(count: int) -> ProcessPoolExecutor:
    """Processes that stay, so that each imports the simulator once."""
    fresh = multiprocessing.get_context("spawn")  # a fork of a process with JAX's threads may hang
    pool = ProcessPoolExecutor(count, fresh, initializer=_quietly)
    atexit.register(pool.shutdown, wait=False, cancel_futures=True)
    return pool


def _quietly() -> None:
    """Ctrl-C is the first process's to hear: it lets the part be finished."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _part(given: tuple[Any, ...], block: range) -> Dataset:
    text, seed, robot, levels, shares = given
    env = _opened(text)
    return roll(env, _chooser(env, robot, levels, shares), seed, block)


@cache
def _opened(text: str) -> HostEnv:
    return make_env(Task.from_json(text))()
