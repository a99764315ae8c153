"""Minari's layouts, read from disk without Minari and never from the network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from warmstart.data.build import Columns, plain_environment
from warmstart.data.images import beside_images, numbers_in, told_apart
from warmstart.data.memory import refuse_pointer, require_room
from warmstart.data.minari_images import with_images
from warmstart.data.minari_metadata import env_spec, observed_space, read_metadata
from warmstart.data.tables import arrow, numbers
from warmstart.data.unwritten import require_own
from warmstart.envs.spaces import flatten_rows
from warmstart.errors import DataError

_GOALS = ("achieved_goal", "desired_goal")
_PART = "_index_"
_SUCCESS = ("success", "is_success", "goal_achieved")

Tree = Mapping[str, Any]
"""One episode: arrays, or dicts of them, under Minari's names."""


def find_minari(source: str) -> Path | None:
    """The HDF5 file of a Minari folder or of an id in the local Minari root, if it is there.

    For data in Arrow or Parquet: the folder with one folder for each episode.
    """
    root = Path(os.environ.get("MINARI_DATASETS_PATH") or "~/.minari/datasets").expanduser()
    path = Path(source).expanduser()
    for folder in (path, path / "data", root / source / "data"):
        if (folder / "main_data.hdf5").is_file():
            return folder / "main_data.hdf5"
        if (folder / "metadata.json").is_file() and _arrow_folders(folder):
            return folder
    return None


def is_minari_file(path: Path) -> bool:
    """Whether the path is an HDF5 file of episodes, as Minari writes them."""
    if not (path.is_file() and path.suffix.lower() in (".hdf5", ".h5")):
        return False
    try:
        with h5py.File(path) as file:
            return bool(_episode_names(file))
    except (OSError, RuntimeError, KeyError):
        return False


def read_minari(path: Path, obs_dim: int | None = None) -> Columns:
    """All episodes of a `main_data.hdf5` or of a folder in Arrow, in the order of their numbers.

    Dict observations are joined in sorted key order. `achieved_goal` and `desired_goal` are left
    out if the goal is the same in all rows, since they would tell nothing then, unless `obs_dim`
    says that the environment observes them (its observations have so many numbers with them). An
    episode that neither terminates nor truncates was cut where its rows end. Where only some
    episodes tell successes, nobody knows the others': `info["success_partly"]` counts them.

    Raises:
        DataError: a file without episodes, an episode that lacks an array or has one of another
            size, or the extra `tables` is needed and not installed.
    """
    home = path if path.is_dir() else path.parent
    where, metadata = str(path), read_metadata(home / "metadata.json")
    try:
        space = observed_space(metadata)
        episodes: list[Tree] = []
        for number, episode in enumerate(_arrow(path) if path.is_dir() else _hdf5(path)):
            where = f"{path}, episode {number}"
            episodes.append(with_images(episode, space, where))
        where = str(path)
        if not episodes:
            raise DataError(
                f"{path} has no groups named episode_0, episode_1, ...: give a Minari dataset."
            )
        promised = metadata.get("total_episodes")
        if isinstance(promised, int) and promised > len(episodes):
            raise DataError(
                f"{path} holds {len(episodes)} episodes, its metadata.json promises {promised}: "
                "download the dataset again, as a whole."
            )
        keys = _observation_keys(episodes, obs_dim)
        rows = []
        for number, episode in enumerate(episodes):
            where = f"{path}, episode {number}"
            rows.append(_episode(where, episode, keys))
        joined = [np.concatenate(column) for column in zip(*(row[:6] for row in rows), strict=True)]
    except KeyError as error:
        raise DataError(
            f"{where} lacks an array ({error}): write the dataset again with Minari."
        ) from error
    except (OSError, RuntimeError, TypeError, ValueError, IndexError, MemoryError) as error:
        if path.is_file():
            refuse_pointer(path)
        raise DataError(
            f"{where} cannot be read ({error}): write the dataset again with Minari."
        ) from error
    successes = [row[6] for row in rows]
    told = [success for success in successes if success is not None]
    info = plain_environment(env_spec(metadata))
    info["name"] = home.parent.name
    obs, actions, rewards, terminated, truncated, next_obs = joined
    if rows[0][7].cameras:
        obs, next_obs = beside_images(str(path), [row[7] for row in rows], obs, next_obs)
    success = np.concatenate(told) if len(told) == len(rows) else None
    if success is None and any(_success_name(episode.get("infos")) for episode in episodes):
        good = sum(bool(np.any(flags)) for flags in told)
        info["success_partly"] = {"episodes": len(rows), "told": len(told), "succeeded": good}
    return Columns(
        str(path),
        obs,
        actions,
        rewards,
        terminated,
        truncated,
        next_obs,
        success=success,
        info=info,
    )


def _hdf5(path: Path) -> Iterator[Tree]:
    with h5py.File(path) as file:
        for name in _episode_names(file):
            yield _values(file[name])


def _arrow(folder: Path) -> Iterator[Tree]:
    """Episodes of Minari's Arrow or Parquet storage: T + 1 rows, the last one only observed."""
    arrow(folder)
    import pyarrow
    from pyarrow import dataset

    for part in _arrow_folders(folder):
        form = "parquet" if any(part.glob("*.parquet")) else "arrow"
        try:
            table = dataset.dataset(
                part, format=form, ignore_prefixes=[".", "_", "metadata.json"]
            ).to_table()
        except (OSError, ValueError, pyarrow.ArrowException) as error:
            raise DataError(
                f"{part} cannot be read ({' '.join(str(error).split())}): write the dataset again "
                "with Minari."
            ) from error
        names = ("observations", "actions", "rewards", "terminations", "truncations", "infos")
        held = {n: _tree(part, n, table.column(n)) for n in names if n in table.column_names}
        yield {
            name: value if name in ("observations", "infos") else _cut(value)
            for name, value in held.items()
        }


def _arrow_folders(folder: Path) -> list[Path]:
    parts = [p for p in folder.glob("*") if p.name.isdigit() and p.is_dir()]
    parts = [p for p in parts if any(p.glob("*.arrow")) or any(p.glob("*.parquet"))]
    return sorted(parts, key=lambda part: int(part.name))


def _tree(part: Path, name: str, column: Any) -> Any:
    import pyarrow

    if pyarrow.types.is_binary(column.type):
        return np.array(column.to_pylist(), object)
    if not pyarrow.types.is_struct(column.type):
        return numbers(part, name, column)
    whole = column.combine_chunks()
    return {
        _in_order(field.name): _tree(
            part, f"{name}.{field.name}", pyarrow.chunked_array([whole.field(i)])
        )
        for i, field in enumerate(column.type)
    }


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cut(inner) for key, inner in value.items()}
    return value[:-1]


def _episode_names(file: Any) -> list[str]:
    names = [name for name in file if name.startswith("episode_") and name[8:].isdigit()]
    return sorted(names, key=lambda name: int(name[8:]))


def _observation_keys(episodes: list[Tree], obs_dim: int | None) -> list[str] | None:
    """The keys of dict observations that vary; None for plain arrays."""
    first = episodes[0]["observations"]
    if not isinstance(first, Mapping):
        return None
    keys = sorted(first)
    if not set(_GOALS) <= set(keys) or numbers_in(first) == obs_dim:
        return keys
    goal = first["desired_goal"][0]
    fixed = all(
        bool(np.all(episode["observations"]["desired_goal"] == goal)) for episode in episodes
    )
    return [key for key in keys if not (fixed and key in _GOALS)]


def _values(node: Any) -> Any:
    if isinstance(node, h5py.Group):
        group: Any = node
        return {_in_order(key): _values(group[key]) for key in group}
    if not isinstance(node, h5py.Dataset):
        raise ValueError("what should be an array is none")
    require_room(node.file.filename, node.nbytes)
    require_own(node.file.filename, node)
    return node[()]


def _in_order(key: str) -> str:
    """The parts of a tuple, `_index_2` and `_index_10`, in names that sort as their numbers do."""
    number = key.removeprefix(_PART)
    return f"{_PART}{int(number):09d}" if number != key and number.isdecimal() else key


def _episode(where: str, episode: Tree, keys: list[str] | None) -> tuple[Any, ...]:
    """obs, actions, rewards, terminated, truncated, next_obs, success [T] or None, and images."""
    held = episode["observations"]
    if keys is not None and set(held) - set(keys) - set(_GOALS):
        raise DataError(
            f"{where} observes {', '.join(sorted(held))}, the first one {', '.join(keys)}: write "
            "the dataset again with Minari."
        )
    seen = told_apart(held if keys is None else {key: held[key] for key in keys}, where)
    observations: Any = np.zeros((len(np.asarray(episode["terminations"])) + 1, 0), np.float32)
    if seen.numbers is not None:
        observations = flatten_rows(seen.numbers, None)
    terminated, truncated = (_flags(where, n, episode[n]) for n in ("terminations", "truncations"))
    steps = len(terminated)
    if len(truncated) and not terminated[-1]:
        truncated[-1] = True
    if len(observations) != steps + 1:
        raise DataError(
            f"{where} has {len(observations)} observations for {steps} steps, one more than steps "
            "is needed: write the dataset again with Minari."
        )
    actions, rewards = flatten_rows(episode["actions"]), np.asarray(episode["rewards"])
    if rewards.shape[1:] == (1,):
        rewards = rewards[:, 0]
    for name, column in (("actions", actions), ("rewards", rewards), ("truncations", truncated)):
        if len(column) != steps:
            raise DataError(
                f"{where} has {len(column)} {name} for {steps} steps: write the dataset again "
                "with Minari."
            )
    success = _success(episode.get("infos"), steps)
    rows = (observations[:-1], actions, rewards, terminated, truncated, observations[1:])
    return *rows, success, seen


def _success(infos: Any, steps: int) -> np.ndarray | None:
    """[T] bool: solved at this step, for infos with or without a first entry of the reset.

    None where the infos do not tell it for every step.
    """
    name = _success_name(infos)
    if name is None:
        return None
    flags = np.asarray(infos[name]).reshape(-1)
    if len(flags) not in (steps, steps + 1):
        return None
    flags = flags[len(flags) - steps :]
    return flags.astype(bool) if _yes_or_no(flags) else None


def _success_name(infos: Any) -> str | None:
    """Under which name an episode tells successes, if it does."""
    known = infos if isinstance(infos, Mapping) else ()
    return next((name for name in _SUCCESS if name in known), None)


def _flags(where: str, name: str, values: Any) -> np.ndarray:
    flags = np.asarray(values).reshape(-1)
    if not _yes_or_no(flags):
        raise DataError(
            f"{where} has {name} that are neither 0 nor 1: write the dataset again with Minari."
        )
    return flags.astype(bool)


def _yes_or_no(flags: np.ndarray) -> bool:
    return flags.dtype.kind in "biuf" and bool(np.all((flags == 0) | (flags == 1)))
