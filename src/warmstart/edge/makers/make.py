"""Floor 7: make a task's dataset on this machine, once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from warmstart.edge.datasets.load import load
from warmstart.edge.datasets.manifest import holds, package_versions, save_folder
from warmstart.edge.environments import make_env
from warmstart.edge.makers.locomotion import make_noisy
from warmstart.edge.makers.point_mass import make_point_mass
from warmstart.edge.makers.point_maze import make_point_maze
from warmstart.errors import TaskError, did_you_mean
from warmstart.tasks import Task
from warmstart.types import Dataset

Progress = Callable[[int, int], None]

MAKERS: dict[str, Callable[..., Dataset]] = {
    "point_maze": make_point_maze,
    "point_mass": make_point_mass,
    "noisy": make_noisy,
}
"""Each is called as `maker(env, seed, episodes, progress, **kwargs)`."""


def data_root() -> Path:
    """Where made datasets live: $WARMSTART_DATA, else `warmstart` in the user's cache folder."""
    if chosen := os.environ.get("WARMSTART_DATA"):
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "warmstart"


def make(
    task: Task,
    root: str | Path | None = None,
    seed: int = 0,
    size: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """The folder of the task's dataset; made now unless the same one lies there already.

    Args:
        task: its `data` names a maker, with keyword arguments.
        root: parent folder; None: `data_root()`.
        seed: of everything random.
        size: episodes; None: the task's own number.
        progress: called with (episodes done, episodes in all).

    Raises:
        TaskError: the task has no maker, or one with an unknown name.
    """
    if task.data is None or task.data.maker is None:
        raise TaskError(
            f"Nobody makes data for task '{task.name}': give it a dataset of your own, for example "
            "a Minari id or an HDF5 or NPZ file."
        )
    if task.data.maker not in MAKERS:
        raise TaskError(
            f"There is no data maker '{task.data.maker}'. {did_you_mean(task.data.maker, MAKERS)}"
        )
    kwargs = dict(task.data.kwargs)
    if size is not None:
        kwargs["episodes"] = size
    recipe = _recipe(task, kwargs, seed)
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
    folder = Path(root or data_root()) / f"{task.name}-seed{seed}-{digest[:10]}"
    if holds(folder, recipe):
        return folder
    env = make_env(task)()
    try:
        dataset = MAKERS[task.data.maker](env, seed, progress=progress, **kwargs)
    finally:
        env.close()
    return save_folder(dataset, folder, recipe)


def dataset_for(
    task: Task,
    root: str | Path | None = None,
    seed: int = 0,
    size: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """The task's logged data, whichever way they come: the user's file, or made here as `make`.

    The actions of a file are taken to be in the environment's own action box.

    Raises:
        TaskError: as `make` and `make_env`.
        DataError: as `load`.
    """
    if task.data is None or task.data.path is None:
        return load(make(task, root, seed, size, progress))
    env = make_env(task)()
    try:
        return load(task.data.path, spec=env.spec, bounds=getattr(env, "action_box", None))
    finally:
        env.close()


def _recipe(task: Task, kwargs: dict[str, Any], seed: int) -> dict[str, Any]:
    """Plain facts that decide every byte, package versions among them."""
    facts = {
        "task": task.name,
        "env_id": task.env_id,
        "env_kwargs": dict(task.env_kwargs),
        "jax_env": task.jax_env,
        "goal_cell": task.goal_cell,
        "horizon": task.horizon,
        "maker": task.data.maker if task.data else None,
        "kwargs": kwargs,
        "seed": seed,
        "packages": package_versions(),
    }
    return json.loads(json.dumps(facts))
