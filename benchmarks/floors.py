"""`python -m benchmarks.floors [TASK ...]`: what policies that have learnt nothing score.

For every environment of the catalogue (tasks that differ by their data alone share one), or those
of the named tasks, it measures

- uniform: uniform random actions,
- none: the action 0 all the time,
- constant: the best of a grid of constant actions: 20 values for one dimension, 9 x 9 for two,
  {-1, 0, 1} in each of three; for more, each axis alone, all at once, and 24 random corners,
- linear: the best of 20 random policies clip(W obs + b), W of N(0, 1 / O), b of N(0, 1).

The first two take `--episodes` (100). Of the constant and linear ones each takes `--first` (10)
episodes; the best three of a kind, as far as they scored above the worst of it, then take
`--episodes` new ones, and the best of these counts. Where none of a kind was better than another,
the floor of that kind is what they all scored in the first ones. Episodes are others than those of
any evaluation. Results go to `src/warmstart/tasks/floors.json`, environment by environment; what
stands there is not measured again without `--again`, so that the command can be stopped and typed
again, and several of them may run side by side, each with its own tasks. One core each.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import tasks_table
from warmstart.data.manifest import package_versions
from warmstart.envs.make import make_env
from warmstart.errors import WarmstartError
from warmstart.files.durable import read_json, write_json_atomic
from warmstart.files.workspaces import locked, sweep
from warmstart.tasks import TASKS, Task, get_task
from warmstart.tasks.floors import RECORD, environment
from warmstart.types import HostEnv

Policy = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Observation [O] and the episode's generator to an action [A] in [-1, 1]."""
SEED = 20_261_129
LINEAR, FINALISTS, CORNERS = 20, 3, 24
DESK = RECORD.with_name(".floors.workspace")


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="default: the whole catalogue")
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--first", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin none later")
    parser.add_argument("--again", action="store_true")
    given = parser.parse_args()
    chosen = [get_task(name) for name in given.tasks] or [*TASKS.values()]
    wanted = {environment(task) for task in chosen}
    first_of = {environment(task): task for task in reversed([*TASKS.values()])}
    left = [task for task in TASKS.values() if first_of[environment(task)] is task]
    left = [task for task in left if environment(task) in wanted]
    if not given.again:
        left = [task for task in left if task.name not in known()]
    began = time.monotonic()
    for done, task in enumerate(left):
        spent = time.monotonic() - began
        if spent > 60 * given.minutes:
            break
        rest = f", about {spent / done * (len(left) - done) / 60:.0f} min left" if done else ""
        print(f"{task.name} ({done + 1} of {len(left)}{rest})", flush=True)
        try:
            found = measure(task, given.episodes, given.first)
        except WarmstartError as error:
            print(f"    not measured: {error}", flush=True)
            continue
        write(task, found)
        print(f"    {summary(found)}", flush=True)
    tasks_table.write()


def known() -> dict[str, Any]:
    """What was measured so far of environments as they are now, by the name of a task."""
    every = read_json(RECORD) if RECORD.exists() else {}
    now = {name: json.loads(environment(task)) for name, task in TASKS.items()}
    return {name: one for name, one in every.items() if one["environment"] == now.get(name)}


def write(task: Task, found: dict[str, Any]) -> None:
    """Add one environment to the record; several processes may do so."""
    with locked(DESK):
        write_json_atomic(RECORD, {**known(), task.name: found})
    sweep(DESK)


def measure(task: Task, episodes: int = 100, first: int = 10) -> dict[str, Any]:
    """The four policies in one environment.

    Returns:
        environment, packages, and for each of uniform, none, constant and linear: success (share
        of episodes with any), return and return_std (raw), episodes; for the last two also how
        many were tried, and the constant's action.

    Raises:
        TaskError: the environment's package is not installed.
    """
    env = make_env(task)()
    try:
        width, depth = env.spec.action_dim, env.spec.obs_dim
        rng = np.random.default_rng(SEED)
        found = {
            "uniform": play(env, lambda _, draw: draw.uniform(-1.0, 1.0, width), episodes),
            "none": play(env, constant(np.zeros(width)), episodes),
        }
        pushes = grid(width, rng)
        best, which = _best(env, task, [constant(push) for push in pushes], episodes, first)
        found["constant"] = {**best, "action": np.round(pushes[which], 3).tolist()}
        found["linear"], _ = _best(
            env, task, [linear(rng, depth, width) for _ in range(LINEAR)], episodes, first
        )
    finally:
        env.close()
    packages = ["warmstart", "numpy", *(["jax"] if task.jax_env else ["gymnasium", "mujoco"])]
    head = {
        "environment": json.loads(environment(task)),
        "packages": package_versions(packages),
    }
    return {**head, **found}


def _best(
    env: HostEnv, task: Task, policies: list[Policy], episodes: int, first: int
) -> tuple[dict[str, Any], int]:
    """The best of some policies and its number, in two stages; see above."""
    tried = [play(env, policy, first) for policy in policies]
    key = "success" if task.success else "return"
    scores = [one[key] for one in tried]
    ranked = sorted(range(len(tried)), key=lambda i: -scores[i])[:FINALISTS]
    last = [i for i in ranked if scores[i] > min(scores)]
    final = {i: play(env, policies[i], episodes, skip=first) for i in last} or {
        ranked[0]: tried[ranked[0]]
    }
    best = max(final, key=lambda i: final[i][key])
    return {**final[best], "tried": len(policies), "first": first}, best


def play(env: HostEnv, policy: Policy, episodes: int, skip: int = 0) -> dict[str, Any]:
    """Success and raw return of so many episodes, behind the first `skip` ones."""
    returns, successes = [], []
    for episode in range(skip, skip + episodes):
        draw = np.random.default_rng([SEED, episode])
        obs, total, success = env.reset(int(draw.integers(2**31))), 0.0, False
        while True:
            step = env.step(np.asarray(policy(obs, draw), np.float32))
            obs, total, success = step.obs, total + step.reward, success or step.success
            if step.terminated or step.truncated:
                break
        returns.append(total)
        successes.append(success)
    return {
        "success": float(np.mean(successes)),
        "return": float(f"{np.mean(returns):.6g}"),
        "return_std": float(f"{np.std(returns):.6g}"),
        "episodes": episodes,
    }


def constant(action: np.ndarray) -> Policy:
    """The same action [A] all the time."""
    return lambda obs, draw: action


def linear(rng: np.random.Generator, depth: int, width: int) -> Policy:
    """A random affine function of the observation, clipped to the action box."""
    weights = rng.standard_normal((width, depth)) / np.sqrt(depth)
    offset = rng.standard_normal(width)
    return lambda obs, draw: np.clip(weights @ obs + offset, -1.0, 1.0)


def grid(width: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Constant actions [A] but 0, spread over the action box."""
    if width <= 3:
        values = np.linspace(-1.0, 1.0, {1: 21, 2: 9, 3: 3}[width])
        every = [np.array(action) for action in itertools.product(values, repeat=width)]
    else:
        axes = np.concatenate([np.eye(width), -np.eye(width), np.ones((1, width))])
        every = [*axes, -np.ones(width), *rng.choice([-1.0, 0.0, 1.0], (CORNERS, width))]
    return [action for action in every if np.any(action)]


def summary(found: dict[str, Any]) -> str:
    """One line on what was measured."""
    words = [
        f"{kind} {found[kind]['success']:.0%} / {found[kind]['return']:.4g}"
        for kind in ("uniform", "none", "constant", "linear")
    ]
    return "successes / return: " + ", ".join(words)


if __name__ == "__main__":
    main()
