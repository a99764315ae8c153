"""OGBench's files, relabelled for one task as OGBench does when it loads them.

A file has observations, actions, `terminals` on the last row of each trajectory, and the
simulator's `qpos` (and `button_states`), from which the rewards of any single task follow.
Since version 1.2.0 a single-task environment judges the state s that is acted in, as the data
always did; before, it judged the state s' that is reached (README of OGBench, "Caveats").
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.data.build import Columns, column
from warmstart.data.columns import require
from warmstart.data.views import SUCCESS_AT_END, no_view
from warmstart.errors import DataError

Simulator = Any
"""The environment itself, without Gymnasium's wrappers."""

_TIMINGS = {"reward-on-s": "pre", "reward-on-next": "post"}


def is_ogbench(names: set[str]) -> bool:
    """Whether these are the arrays of a file as OGBench publishes it: states but no rewards."""
    return "qpos" in names and not {"rewards", "reward"} & names


def relabelled(path: Path, file: Any, simulator: Simulator | None, view: str | None) -> Columns:
    """The columns of `file` with the rewards of the simulator's single task.

    By default rewards judge s or s' as the simulator itself does, so that logged and new rewards
    agree (`--env-arg success_timing=post` for the ways of old); the views `reward-on-s` and
    `reward-on-next` say otherwise.

    Raises:
        DataError: no single-task environment is named, OGBench is not installed, or the file
            belongs to another environment.
    """
    if view is not None and view not in _TIMINGS:
        raise no_view(path, "a file of OGBench", view, *_TIMINGS, SUCCESS_AT_END)
    keys = {"obs": "observations", "actions": "actions", "terminated": "terminals"}
    found = {ours: [name] for ours, name in keys.items() if name in file.files}
    require(path, file.files, found, tuple(keys))
    arrays = {name: file[name] for name in file.files if name in ("qpos", "button_states")}
    timing = getattr(simulator, "_success_timing", "post")
    rewards, masks = _judge(path, simulator, arrays)
    columns = Columns(str(path), file["observations"], file["actions"], rewards, file["terminals"])
    ends = column(columns, "terminated", bool)
    counts = [len(np.atleast_1d(x)) for x in (columns.obs, columns.actions, ends, rewards)]
    if len(set(counts)) > 1:
        raise DataError(
            f"{path} has {counts[0]} observations, {counts[1]} actions, {counts[2]} terminals and "
            f"{counts[3]} states in qpos: copy the file again from its source."
        )
    solved = masks == 0
    if (_TIMINGS[view] if view else timing) == "post":
        rewards, solved = (np.concatenate([x[1:], x[-1:]]) for x in (rewards, solved))
        solved &= ~ends  # behind a trajectory's last state stands another trajectory
    # By trajectory: every row at the goal ends an episode, and would count as one that succeeded.
    starts = np.flatnonzero(np.concatenate([[True], ends[:-1]]))
    rate = float(np.mean(np.logical_or.reduceat(solved, starts))) if len(ends) else 0.0
    return replace(
        columns,
        rewards=rewards,
        terminated=solved & ~ends,
        truncated=ends,
        success=solved,
        info={"name": path.stem, "success_rate": rate},
    )


def _judge(path: Path, simulator: Any, arrays: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Reward and mask of every state in the file, from OGBench's own relabelling."""
    task = getattr(simulator, "_reward_task_id", None)
    if task is None:
        raise DataError(
            f"{path} is a file of OGBench, which has no rewards of its own: name the single task "
            "that they shall be computed for, such as --env cube-single-singletask-task2-v0."
        )
    if importlib.util.find_spec("ogbench") is None:
        raise DataError(
            f"{path} is relabelled by OGBench, which is not installed: run `pip install ogbench`."
        )
    relabel = importlib.import_module("ogbench.relabel_utils").relabel_dataset
    name = str(getattr(simulator.spec, "id", ""))
    try:
        relabel(name, simulator, arrays)
    except (ValueError, IndexError, KeyError, AssertionError) as error:
        raise DataError(
            f"{path} cannot be relabelled for {name} ({error}): name the environment whose data "
            "these are."
        ) from error
    return arrays["rewards"], arrays["masks"]
