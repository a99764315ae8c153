"""Floor 7: flat files: D4RL's HDF5, OGBench's NPZ, and any NPZ with well-named arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from warmstart.edge.datasets.build import Columns
from warmstart.errors import DataError, did_you_mean

_KEYS: dict[str, tuple[str, ...]] = {
    "obs": ("obs", "observations", "observation"),
    "actions": ("actions", "action"),
    "rewards": ("rewards", "reward"),
    "terminated": ("terminated", "terminals", "terminations"),
    "truncated": ("truncated", "timeouts", "truncations"),
    "next_obs": ("next_obs", "next_observations", "next_observation"),
}
_NEEDED = ("obs", "actions", "rewards", "terminated")


def read_hdf5(path: Path, mapping: Mapping[str, str] | None = None) -> Columns:
    """A flat HDF5 file as D4RL writes them; groups such as `infos` and `metadata` are skipped."""
    file: Any
    try:
        with h5py.File(path) as file:
            names = {name for name in file if isinstance(file[name], h5py.Dataset)}
            chosen = _choose(path, names, mapping)
            arrays: dict[str, Any] = {ours: file[theirs][()] for ours, theirs in chosen.items()}
    except OSError as error:
        raise DataError(
            f"{path} is not a readable HDF5 file ({error}): copy it again from its source."
        ) from error
    return Columns(source=str(path), info={"name": path.stem}, **arrays)


def read_npz(path: Path, mapping: Mapping[str, str] | None = None) -> Columns:
    """An NPZ file. OGBench's (no next observations, and `qpos`) mark by `terminals` where a
    trajectory ends, not where the task does: they are read as truncations."""
    try:
        with np.load(path, allow_pickle=False) as file:
            names = set(file.files)
            chosen = _choose(path, names, mapping)
            arrays: dict[str, Any] = {ours: file[theirs] for ours, theirs in chosen.items()}
            ogbench = "qpos" in names and not {"next_obs", "truncated"} & set(arrays)
            if ogbench:
                arrays["truncated"] = arrays["terminated"]
                masks = np.asarray(file["masks"]) if "masks" in names else np.ones(1)
                arrays["terminated"] = np.broadcast_to(masks == 0, arrays["truncated"].shape)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} is not a readable NPZ file of plain numbers ({error}): save it with "
            "numpy.savez, without objects."
        ) from error
    return Columns(source=str(path), info={"name": path.stem}, **arrays)


def _choose(path: Path, names: set[str], mapping: Mapping[str, str] | None) -> dict[str, str]:
    """Our name to the file's, from the mapping first and from the usual names then."""
    chosen: dict[str, str] = {}
    for ours, theirs in (mapping or {}).items():
        if ours not in _KEYS:
            raise DataError(f"A mapping cannot name '{ours}'. {did_you_mean(ours, _KEYS)}")
        if theirs not in names:
            raise DataError(f"{path} has no array '{theirs}'. {did_you_mean(theirs, names)}")
        chosen[ours] = theirs
    for ours, usual in _KEYS.items():
        found = next((name for name in usual if name in names), None)
        if ours not in chosen and found is not None:
            chosen[ours] = found
    missing = [name for name in _NEEDED if name not in chosen]
    if missing == ["rewards"] and "qpos" in names:
        raise DataError(
            f"{path} has no rewards (OGBench computes them when it loads a task): load it there "
            "and save observations, actions, rewards, masks, terminals and qpos in one NPZ."
        )
    if missing:
        raise DataError(
            f"{path} has no array for {' and '.join(missing)} among {sorted(names)}: say which "
            f"with mapping, for example {{'{missing[0]}': 'name_in_the_file'}}."
        )
    return chosen
