"""Make a task's dataset on this machine, once."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import inspect
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.data.load import load, load_source
from warmstart.data.makers.ant_walks import WALKER, make_ant_walks, walker_level
from warmstart.data.makers.locomotion import make_noisy
from warmstart.data.makers.maze2d import make_maze2d
from warmstart.data.makers.maze_walks import make_maze_walks
from warmstart.data.makers.metaworld import make_metaworld
from warmstart.data.makers.parts import assembled, make_in_parts
from warmstart.data.makers.pixel_reach import make_pixel_reach
from warmstart.data.makers.point_mass import make_point_mass
from warmstart.data.makers.point_maze import make_point_maze
from warmstart.data.makers.roll import Progress
from warmstart.data.makers.shipped_policies import make_behaviour, weights_hash
from warmstart.data.makers.table_top import make_table_top, relabel, same_streams
from warmstart.data.makers.trained import TRAINING, made_before
from warmstart.data.manifest import (
    arithmetic,
    desk_of,
    holds,
    is_folder,
    package_versions,
    read_folder,
    read_manifest,
    save_folder,
)
from warmstart.envs.make import GymEnv, make_env
from warmstart.errors import DataError, TaskError, did_you_mean
from warmstart.files.data_root import data_root
from warmstart.files.workspaces import clear, locked, sweep
from warmstart.tasks import TASKS, Task, package_of
from warmstart.types import Dataset, HostEnv

MAKERS: dict[str, Callable[..., Dataset]] = {
    "point_maze": make_point_maze,
    "maze_walks": make_maze_walks,
    "maze2d": make_maze2d,
    "point_mass": make_point_mass,
    "pixel_reach": make_pixel_reach,
    "noisy": make_noisy,
    "behaviour": make_behaviour,
    "ant_walks": make_ant_walks,
    "table_top": make_table_top,
    "metaworld": make_metaworld,
}
"""Each is called as `maker(env, seed, episodes, progress, **kwargs)`, where `episodes` is a number
or a range of numbers (see `roll`), and says in `info["successes"]` which episodes succeeded."""


def make(
    task: Task,
    root: str | Path | None = None,
    seed: int = 0,
    size: int | None = None,
    progress: Progress | None = None,
    rows: int | None = None,
) -> Path:
    """The folder of the task's dataset; made now unless the same one lies there already.

    It is made in parts, which an interruption leaves in a hidden folder beside it: the same call
    goes on from there, and what else a killed process left of it is swept. Where another process
    makes the same data, this one waits for it. Where rows that need only other labels lie there
    (see `same_data`), those are taken.

    Args:
        task: its `data` names a maker, with keyword arguments.
        root: parent folder; None: `data_root()`.
        seed: of everything random.
        size: the maker's episodes; None: the task's own number.
        progress: called with (episodes or rows done, in all).
        rows: instead of `size`: as many whole episodes as reach so many rows.

    Raises:
        TaskError: the task has no maker, or one with an unknown name, or both sizes are given.
        RunError: it cannot be written.
        KeyboardInterrupt: on the first Ctrl-C, after the part that is being made.
    """
    if task.data is not None and task.data.maker == TRAINING:
        return made_before(task, Path(root or data_root()))
    maker = _maker(task)
    kwargs, episodes, wanted = _amount(task, maker, size, rows)
    logged = _where_logged(task)
    recipe = _recipe(logged, maker, kwargs, episodes, wanted, seed)
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
    folder = Path(root or data_root()) / f"{task.name}-seed{seed}-{digest[:10]}"
    workspace = folder.with_name(f".{folder.name}.parts")
    sweep(desk_of(folder))
    if holds(folder, recipe):
        sweep(workspace)
        return folder
    again = "make it again" if root is not None else _again(task, seed, size, rows)
    with locked(workspace, again):
        if not holds(folder, recipe):
            env = make_env(logged)()
            try:
                kin = same_data(recipe, folder.parent)
                if kin is not None and isinstance(env, GymEnv):
                    began = time.monotonic()
                    dataset = assembled([relabel(env, read_folder(kin))])
                    seconds = time.monotonic() - began
                else:
                    dataset, seconds = make_in_parts(
                        lambda block, tell: maker(env, seed, block, tell, **kwargs),
                        workspace,
                        episodes,
                        wanted,
                        progress,
                        again,
                    )
            finally:
                env.close()
            save_folder(dataset, folder, recipe, again, seconds=round(seconds, 2))
        clear(workspace)
    return folder


def dataset_for(
    task: Task,
    root: str | Path | None = None,
    seed: int = 0,
    size: int | None = None,
    progress: Progress | None = None,
    env: HostEnv | None = None,
) -> Dataset:
    """The task's logged data, whichever way they come: the user's file, or made here as `make`.

    The actions of a file are taken to be in the environment's own action box, unless its
    `DataSource` says otherwise. `env` is the task's environment where it is open already.

    Raises:
        TaskError: as `make` and `make_env`.
        DataError: as `load`, or rewards other than -1 and 0 where the task pays success - 1.
    """
    if task.data is None or task.data.path is None:
        return load(make(task, root, seed, size, progress))
    opened = env or make_env(task)()
    try:
        data = load_source(task.data, opened)
    finally:
        if opened is not env:
            opened.close()
    if task.success_reward and not np.all(np.isin(data.rewards, (-1.0, 0.0))):
        raise DataError(
            f"{task.data.path}: task '{task.name}' pays -1 until success and 0 there, this file's "
            f"rewards lie between {data.rewards.min():g} and {data.rewards.max():g}: write success "
            f"- 1 there, or take the environment as it is with --env {task.env_id}."
        )
    return data


def same_data(recipe: Mapping[str, Any], root: Path) -> Path | None:
    """A dataset on this machine whose rows need only other labels to become those of `recipe`.

    OGBench's streams know nothing of the task: the five tasks of a scene share them.
    """
    if recipe["maker"] != "table_top":
        return None
    for folder in sorted(root.glob(f"*-seed{recipe['seed']}-*")):
        with contextlib.suppress(DataError):  # a damaged one is nobody's kin
            if is_folder(folder) and same_streams(recipe, read_manifest(folder)["recipe"]):
                return folder
    return None


def _maker(task: Task) -> Callable[..., Dataset]:
    if task.data is None or task.data.maker is None:
        raise TaskError(
            f"Nobody makes data for task '{task.name}': give it a dataset of your own, for example "
            "a Minari id or an HDF5 or NPZ file."
        )
    if task.data.maker not in MAKERS:
        raise TaskError(
            f"There is no data maker '{task.data.maker}'. {did_you_mean(task.data.maker, MAKERS)}"
        )
    return MAKERS[task.data.maker]


def _where_logged(task: Task) -> Task:
    """The task with the starts of its log: a walk begins anywhere in the maze."""
    if task.data is None:
        return task
    if task.data.maker in ("maze_walks", "ant_walks"):
        return dataclasses.replace(task, start_cells=())
    return dataclasses.replace(task, start_cells=task.data.start_cells or task.start_cells)


def _amount(
    task: Task, maker: Callable[..., Dataset], size: int | None, rows: int | None
) -> tuple[dict[str, Any], int, int]:
    """The maker's other keyword arguments, and how much: episodes or rows, the other being 0."""
    assert task.data is not None
    kwargs = dict(task.data.kwargs)
    own = kwargs.pop("episodes", inspect.signature(maker).parameters["episodes"].default)
    if size is not None and rows is not None:
        raise TaskError(f"Give a number of episodes ({size}) or of rows ({rows}), not both.")
    given = size if size is not None else rows
    if given is not None and given < 1:
        raise TaskError(f"A dataset of {given} rows or episodes holds nothing: ask for 1 or more.")
    if size is None and (rows or task.data.rows):
        return kwargs, 0, rows or task.data.rows
    return kwargs, size or own, 0


def _again(task: Task, seed: int, size: int | None, rows: int | None) -> str:
    """What to do when there is room again, to go on behind the parts that are there."""
    if TASKS.get(task.name) != task:
        return "make it again"
    words = ["warmstart", "data", "make", task.name]
    for option, value in (("--seed", seed or None), ("--size", rows), ("--episodes", size)):
        words += [] if value is None else [option, str(value)]
    return f"go on with `{' '.join(words)}`"


def _recipe(
    task: Task,
    maker: Callable[..., Dataset],
    kwargs: dict[str, Any],
    episodes: int,
    rows: int,
    seed: int,
) -> dict[str, Any]:
    """Plain facts that decide every byte; package versions and the maker's code among them.

    The instruction set is one where JAX computes: MuJoCo and NumPy heed none of XLA's flags.
    """
    facts = {
        "task": task.name,
        "env_id": task.env_id,
        "env_kwargs": dict(task.env_kwargs),
        "jax_env": task.jax_env,
        "goal_cell": task.goal_cell,
        "horizon": task.horizon,
        "success_reward": task.success_reward,
        "maker": task.data.maker if task.data else None,
        "kwargs": kwargs,
        "episodes": episodes,
        "rows": rows,
        "seed": seed,
        "packages": package_versions(_simulators(task)),
        "policy": _policy_hash(maker, kwargs),
    }
    if task.start_cells:
        facts["start_cells"] = task.start_cells
    if task.jax_env is not None:
        facts["arithmetic"] = arithmetic()
    return json.loads(json.dumps(facts))


def _simulators(task: Task) -> list[str]:
    """The packages that have a say in what this task's simulator answers."""
    if task.env_id is None:
        return ["warmstart", "numpy", "jax"]
    package = package_of(task.env_id)
    more = package.distributions if package is not None else ()
    return ["warmstart", "numpy", "gymnasium", "mujoco", *more]


def _policy_hash(maker: Callable[..., Dataset], kwargs: dict[str, Any]) -> str:
    """sha256 of the policy: the maker's file, its helpers', and the weights where it has some."""
    module = inspect.getmodule(maker)
    parts = [getattr(part, "__module__", None) or "" for part in vars(module).values()]
    near = __name__.rpartition(".")[0]
    files = {inspect.getfile(maker)}
    files |= {inspect.getfile(sys.modules[name]) for name in parts if name.startswith(f"{near}.")}
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(Path(file).read_bytes())
    if maker is make_behaviour:
        digest.update(weights_hash(kwargs["robot"], kwargs["levels"]))
    if maker is make_ant_walks:
        digest.update(weights_hash(WALKER, [walker_level()]))
    return digest.hexdigest()
