"""Floor 7: Minari's HDF5 layout, read from disk without Minari and never from the network."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from warmstart.edge.datasets.build import Columns, plain_environment
from warmstart.edge.spaces import flatten_rows
from warmstart.errors import DataError

_GOALS = ("achieved_goal", "desired_goal")


def find_minari(source: str) -> Path | None:
    """The HDF5 file of a Minari folder or of an id in the local Minari root, if it is there."""
    root = Path(os.environ.get("MINARI_DATASETS_PATH") or "~/.minari/datasets").expanduser()
    for folder in (Path(source), Path(source) / "data", root / source / "data"):
        if (folder / "main_data.hdf5").is_file():
            return folder / "main_data.hdf5"
        if (folder / "metadata.json").is_file() and any(folder.glob("*/*.arrow")):
            raise DataError(
                f"{source} is a Minari dataset in Arrow format, which is not read: save it again "
                "with data_format='hdf5'."
            )
    return None


def is_minari_file(path: Path) -> bool:
    """Whether the path is an HDF5 file of episodes, as Minari writes them."""
    if not (path.is_file() and path.suffix in (".hdf5", ".h5")):
        return False
    try:
        with h5py.File(path) as file:
            return bool(_episode_names(file))
    except OSError:
        return False


def read_minari(path: Path) -> Columns:
    """All episodes of a `main_data.hdf5`, in the order of their numbers.

    Dict observations are joined in sorted key order. `achieved_goal` and `desired_goal` are left
    out if the goal is the same in all rows, since they would tell nothing then. An episode that
    neither terminates nor truncates was cut where its rows end.

    Raises:
        DataError: a file without episodes, or an episode that lacks an array.
    """
    file: Any
    with h5py.File(path) as file:
        groups = [file[name] for name in _episode_names(file)]
        if not groups:
            raise DataError(
                f"{path} has no groups named episode_0, episode_1, ...: give a Minari dataset."
            )
        try:
            keys = _observation_keys(groups)
            rows = [_episode(group, keys) for group in groups]
            successes = [_succeeded(group) for group in groups]
        except KeyError as error:
            raise DataError(
                f"{path} has an episode with a missing array ({error}): write the dataset again "
                "with Minari."
            ) from error
    joined = [np.concatenate(column) for column in zip(*rows, strict=True)]
    info = plain_environment(_env_spec(path.parent / "metadata.json"))
    info["name"] = path.parent.parent.name
    known = [success for success in successes if success is not None]
    if known:
        info["success_rate"] = float(np.mean(known))
    obs, actions, rewards, terminated, truncated, next_obs = joined
    return Columns(str(path), obs, actions, rewards, terminated, truncated, next_obs, info)


def _episode_names(file: Any) -> list[str]:
    names = [name for name in file if name.startswith("episode_") and name[8:].isdigit()]
    return sorted(names, key=lambda name: int(name[8:]))


def _observation_keys(groups: list[Any]) -> list[str] | None:
    """The keys of dict observations that vary; None for plain arrays."""
    first: Any = groups[0]["observations"]
    if not hasattr(first, "keys"):
        return None
    keys = sorted(set(first))
    if not set(_GOALS) <= set(keys):
        return keys
    goal = first["desired_goal"][0]
    fixed = all(bool(np.all(group["observations"]["desired_goal"][()] == goal)) for group in groups)
    return [key for key in keys if not (fixed and key in _GOALS)]


def _values(node: Any) -> Any:
    if isinstance(node, h5py.Group):
        group: Any = node
        return {key: _values(group[key]) for key in group}
    return node[()]


def _episode(group: Any, keys: list[str] | None) -> tuple[np.ndarray, ...]:
    node: Any = group["observations"]
    wanted = node[()] if keys is None else {key: _values(node[key]) for key in keys}
    observations = flatten_rows(wanted)
    terminated = group["terminations"][()].astype(bool)
    truncated = group["truncations"][()].astype(bool)
    if len(truncated) and not terminated[-1]:
        truncated[-1] = True
    if len(observations) != len(terminated) + 1:
        raise DataError(
            f"Episode {group.name} has {len(observations)} observations for {len(terminated)} "
            "steps, one more than steps is needed: write the dataset again with Minari."
        )
    actions = flatten_rows(_values(group["actions"]))
    return observations[:-1], actions, group["rewards"][()], terminated, truncated, observations[1:]


def _succeeded(group: Any) -> bool | None:
    if "infos" not in group or "success" not in group["infos"]:
        return None
    return bool(np.any(group["infos"]["success"][()]))


def _env_spec(path: Path) -> Mapping[str, Any]:
    try:
        spec = json.loads(path.read_text()).get("env_spec")
        spec = json.loads(spec) if isinstance(spec, str) else spec
    except (OSError, ValueError, AttributeError):
        return {}
    return spec if isinstance(spec, dict) else {}
