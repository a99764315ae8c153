"""Calls from Python that are refused, and the arguments that the error names instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from belongings import pendulums_policy, rows_of, write_hdf5

import warmstart
from warmstart.acting import Desired, JumpStart
from warmstart.data.makers import dataset_for
from warmstart.envs.make import make_env
from warmstart.methods import jsrl
from warmstart.recipe import Recipe
from warmstart.runs.folder import as_folder, create_run, read_run
from warmstart.studies.executors.protocol import make_executor
from warmstart.tasks import DataSource, custom_task

OBS = np.zeros((1, 3), np.float32)
NAMES = {"np": np, "gymnasium": gymnasium, "SEED": 0, "ID": "Pendulum-v1", "value": 1}
"""What the arguments in an error mean."""


def lay_out(folder: Path) -> None:
    """Runs and policies that the calls name."""
    run = create_run(folder / "runs", "NAME", {"seeds": [0], "method": "sac"})
    pendulums_policy(run / "policies" / "seed-0" / "latest")
    pendulums_policy(folder / "jump", JumpStart("random"))
    pendulums_policy(folder / "desired", Desired(1.0, None, length=3))
    write_hdf5(folder / "my.hdf5", rows_of("Pendulum-v1"))


def act(folder: str, steps: int = 1, **given: Any) -> None:
    """Steps by `predict`, the last one with the arguments."""
    policy, state = warmstart.actor(folder), None
    for _ in range(steps - 1):
        _, state = policy.predict(OBS, state)
    policy.predict(OBS, state, **given)


def played(**given: Any) -> None:
    """An episode of Pendulum, which says nothing of success."""
    env = make_env(custom_task("Pendulum-v1", success=True, horizon=3, **given))()
    env.reset(0)
    for _ in range(3):
        env.step(np.zeros(1, np.float32))


def logged(success_reward: bool) -> None:
    """Data of a task that may be paid success - 1."""
    task = replace(custom_task("Pendulum-v1"), data=DataSource(path="my.hdf5"))
    dataset_for(replace(task, success_reward=success_reward))


def rolled_in(start: Any, **paths: str) -> Recipe:
    """JSRL's roll-in with changes."""
    recipe = jsrl.recipe("roll_in", start=start)
    for path, value in paths.items():
        recipe = recipe.with_(path, value)
    return recipe


Call = tuple[Callable[..., object], dict[str, Any], str, str]
CALLS: list[Call] = [
    (lambda seeds: warmstart.run("sac", "two-rooms", seeds=seeds, progress=False),
     {"seeds": "x"}, r"such as (seeds=\[.*\])", "{0}"),
    (lambda env_kwargs: custom_task("Pendulum-v1", env_kwargs),
     {"env_kwargs": 3}, r"give (env_kwargs=\{.*\})", "{0}"),
    (lambda physical: custom_task("Pendulum-v1", physical=physical),
     {"physical": "yes"}, r"(physical)='yes': give (True)", "{0}={1}"),
    (lambda where: make_executor(where, 1), {"where": "moon"}, r"choose (\w+)", "where='{0}'"),
    (lambda folder: read_run(as_folder(folder)), {"folder": 3}, "the one that the run's `folder`",
     "folder='runs/NAME'"),
    (warmstart.actor, {"folder": "runs/NAME", "which": "newest"}, r"give ('\w+')", "which={0}"),
    (warmstart.actor, {"folder": "runs/NAME", "which": "best"}, r"take (which='\w+')", "{0}"),
    (warmstart.actor, {"folder": "runs"}, "the folder that `warmstart run`", "folder='runs/NAME'"),
    (warmstart.actor, {"folder": "runs"}, r"or (policies)/seed-N/(\w+) of it",
     "folder='runs/NAME/{0}/seed-0/{1}'"),
    (warmstart.load_policy, {"folder": 3}, "the one that `warmstart export` wrote",
     "folder='jump'"),
    (warmstart.load_policy, {"folder": "runs/NAME"}, r"or (policies)/seed-N/(\w+) of a run",
     "folder='runs/NAME/{0}/seed-0/{1}'"),
    (act, {"folder": "runs/NAME", "deterministic": False}, r"give (rng=\S+\(SEED\))", "{0}"),
    (act, {"folder": "jump"}, r"give (rng=\S+\(SEED\)) .*, and (deterministic=False)", "{0}, {1}"),
    (act, {"folder": "desired", "episode_start": False}, r"with (episode_start=True)", "{0}"),
    (act, {"folder": "desired", "steps": 2}, r"give predict (reward=)", "{0}0.5"),
    (warmstart.Recorder, {"envs": 3}, r"with (gymnasium\.make_vec\(.*\))", "envs={0}"),
    (played, {}, r"in Python (success_when=)", "{0}'truncated'"),
    (logged, {"success_reward": True}, "take the environment as it is", "success_reward=False"),
    (rolled_in, {"start": "cold"}, "leave start='cold' out", "start=None"),
    (rolled_in, {"start": "cold"}, r"set (\S+)=(fresh) and (\S+)=(fresh)",
     "start=None, **{{'{0}': '{1}', '{2}': '{3}'}}"),
]  # fmt: skip
"""Function, arguments, and what the error says and means: arguments in their place."""
