"""The Adroit-binary demonstrations of AWAC (Nair et al. 2020), two pickled files a task.

`<task>2_sparse.npy` holds expert demonstrations, `<task>_bc_sparse4.npy` rollouts of a cloned
policy. Rewards are -1, and 0 where the task is solved. Two readings are published, and they give
different data: RLPD's (Ball et al. 2023) and Cal-QL's (Nakamoto et al. 2023).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.data.build import Columns
from warmstart.data.pickled import read_pickled_npy
from warmstart.data.views import no_view
from warmstart.errors import DataError

_VIEWS = ("rlpd", "cal-ql")
_EXPERT, _CLONED = "2_sparse.npy", "_bc_sparse4.npy"


def adroit_files(path: Path) -> list[Path]:
    """One `.npy` file, or the two of a task: of a folder with one task, or of `folder/task`.

    Raises:
        DataError: the folder holds several tasks, or one file of a task alone.
    """
    if path.is_file() and path.suffix == ".npy":
        return [path]
    if path.is_file():  # whose name may be too long for the endings below
        return []
    pair = [path.parent / (path.name + end) for end in (_EXPERT, _CLONED)]
    if any(file.is_file() for file in pair):
        return _both(pair)
    if not path.is_dir():
        return []
    files = [file for end in (_EXPERT, _CLONED) for file in sorted(path.glob(f"*{end}"))]
    tasks = sorted({file.name.removesuffix(_EXPERT).removesuffix(_CLONED) for file in files})
    if len(tasks) > 1:
        raise DataError(
            f"{path} holds {len(tasks)} tasks ({', '.join(tasks)}): name one, such as "
            f"{path / tasks[0]}."
        )
    return _both([path / (tasks[0] + end) for end in (_EXPERT, _CLONED)]) if tasks else []


def _both(pair: list[Path]) -> list[Path]:
    """The two files of a task; half of its data would go unnoticed."""
    for file, other in (pair, pair[::-1]):
        if not file.is_file():
            raise DataError(
                f"{file} is not there, the second of the task's two files: put it beside "
                f"{other.name}, or name {other} itself to read it alone."
            )
    return pair


def read_adroit(files: list[Path], view: str | None = None) -> Columns:
    """The trajectories of these files, as `view` reads them.

    `rlpd`: the first 90 % of the trajectories of each file, and nothing terminates. `cal-ql`: only
    trajectories that contain a reward of 0, up to the last one; every row with it terminates. In
    both the extra last reward of the expert files is left out.

    Raises:
        DataError: no view is named, something in a file is no trajectory, or nothing is left.
    """
    source = " and ".join(map(str, files))
    if view is None:
        raise DataError(
            f"{source}: Adroit-binary data are read in two ways that give different data: name one "
            "with --view rlpd or --view cal-ql (in Python view=)."
        )
    if view not in _VIEWS:
        raise no_view(source, "a file of pickled trajectories", view, *_VIEWS)
    kept: list[tuple[np.ndarray, ...]] = []
    for file in files:
        paths = _trajectories(file)
        if view == "rlpd":
            kept += paths[: int(0.9 * len(paths))]
            continue
        for obs, actions, rewards, next_obs in paths:
            wins = np.flatnonzero(rewards == 0)
            if len(wins):
                stop = int(wins[-1]) + 1
                kept.append((obs[:stop], actions[:stop], rewards[:stop], next_obs[:stop]))
    if not kept:
        what = "in which the task is solved" if view == "cal-ql" else "among the first 90 %"
        raise DataError(f"{source} has no trajectory {what}: give the other file of the task too.")
    for name, rows in zip(("observations", "actions"), zip(*kept, strict=True), strict=False):
        widths = sorted({row.shape[1] for row in rows})
        if len(widths) > 1:
            raise DataError(
                f"{source}: a row of {name} has {widths[0]} numbers in one trajectory, "
                f"{widths[1]} in another: copy the files of one task again from their source."
            )
    obs, actions, rewards, next_obs = (np.concatenate(x) for x in zip(*kept, strict=True))
    ends = np.zeros(len(rewards), bool)
    ends[np.cumsum([len(path[2]) for path in kept]) - 1] = True
    solved = rewards == 0
    dead = solved if view == "cal-ql" else np.zeros(len(rewards), bool)
    info = {"name": files[0].name.removesuffix(_EXPERT).removesuffix(_CLONED)}
    cut = ends & ~dead
    return Columns(source, obs, actions, rewards, dead, cut, next_obs, success=solved, info=info)


def _trajectories(file: Path) -> list[tuple[np.ndarray, ...]]:
    """(obs, actions, rewards, next_obs) of every trajectory, rows [T, ...]."""
    held = read_pickled_npy(file)
    if not isinstance(held, list) or not all(isinstance(path, Mapping) for path in held):
        raise DataError(
            f"{file} is no list of trajectories: a single .npy array says neither rewards nor "
            "ends. Give NPZ, HDF5, CSV or Parquet with one column for each."
        )
    return [_trajectory(f"{file}, trajectory {i}", path) for i, path in enumerate(held)]


def _trajectory(where: str, path: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
    names = ("observations", "actions", "rewards", "next_observations")
    for name in names:
        if name not in path:
            raise DataError(
                f"{where} has no '{name}' among {sorted(map(str, path))}: copy the file again from "
                "its source."
            )
    try:
        obs, actions, rewards, next_obs = (_rows(path[name]) for name in names)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{where} holds rows that are no numbers ({error}): copy the file again from its "
            "source."
        ) from error
    steps = len(actions)
    rewards = rewards.reshape(-1)[:steps]  # an expert's file has one reward too many
    if not (steps and len(obs) >= steps and len(rewards) == steps and len(next_obs) >= steps):
        raise DataError(
            f"{where} has {len(obs)} observations, {steps} actions, {len(rewards)} rewards and "
            f"{len(next_obs)} next observations: copy the file again from its source."
        )
    return obs[:steps], actions, rewards, next_obs[:steps]


def _rows(values: Any) -> np.ndarray:
    """[T, width] float32 of an array, or of a list of rows, each perhaps a dict."""
    if isinstance(values, list):
        key = "state_observation"
        values = [np.squeeze(v[key] if isinstance(v, Mapping) else v) for v in values]
    with np.errstate(over="ignore"):  # too large is infinite: the data check tells
        rows = np.asarray(values, np.float32)
    return rows.reshape(len(rows), -1)
