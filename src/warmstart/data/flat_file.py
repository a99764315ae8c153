"""Flat files of arrays: D4RL's HDF5, OGBench's NPZ, and anybody's own of either kind."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from warmstart.data.build import Columns
from warmstart.data.columns import Mapped, choose, gather, require, roles_of
from warmstart.data.mapped import BROKEN
from warmstart.data.memory import require_room
from warmstart.data.ogbench import Simulator, is_ogbench, relabelled
from warmstart.data.unwritten import require_stored
from warmstart.data.views import DONE_IS_ANY_END, SUCCESS_AT_END, no_view
from warmstart.errors import DataError

OF_ALL = (SUCCESS_AT_END, DONE_IS_ANY_END)
"""Views that every file of arrays has."""
_NEEDED = ("obs", "actions", "rewards", "terminated")


def read_hdf5(path: Path, mapping: Mapped | None = None, view: str | None = None) -> Columns:
    """A flat HDF5 file as D4RL writes them, or one with columns that the mapping names.

    Groups such as `infos` and `metadata` are skipped unless the mapping names something in them
    (`infos/qpos`). With the view `qlearning` next observations of the file are not looked at:
    the next row is the next observation, and rows that were cut are dropped, as in D4RL's own
    Q-learning view.

    Raises:
        DataError: no HDF5 file, or an array is missing.
    """
    with open_hdf5(path) as file:
        names = set(_datasets(file))
        chosen = choose(path, names, mapping)
        if view == "qlearning":
            chosen.pop("next_obs", None)
        complete(path, names, chosen, view, "an HDF5 file of arrays", "qlearning")
        wanted = [file[name] for group in chosen.values() for name in group]
        require_room(path, sum(node.nbytes for node in wanted))
        require_stored(path, file, chosen)
        return gather(path, chosen, lambda name: file[name][()], name=path.stem)


def read_npz(
    path: Path,
    mapping: Mapped | None = None,
    view: str | None = None,
    simulator: Simulator | None = None,
) -> Columns:
    """An NPZ file.

    OGBench's own have neither rewards nor next observations: they are relabelled for the single
    task of `simulator`. Where a file has masks, or is from OGBench, `terminals` mark where a
    trajectory ends, not where the task does. In its compact form `valids` 0 marks the rows that
    only hold the last observation of a trajectory. What the mapping says of ends counts instead.

    Raises:
        DataError: no NPZ file of plain numbers, an array is missing, or OGBench's relabelling
            lacks its task.
    """
    with _npz(path) as file:
        names = set(file.files)
        if is_ogbench(names) and mapping is None and view not in OF_ALL:
            require_room(path, _declared(file, names))
            return relabelled(path, file, simulator, view)
        chosen = choose(path, names, mapping)
        complete(path, names, chosen, view, "an NPZ file of arrays")
        require_room(path, _declared(file, {name for group in chosen.values() for name in group}))
        columns = gather(path, chosen, lambda name: file[name], name=path.stem)
        said = roles_of(mapping or {}).keys()
        if "valids" in names and columns.next_obs is None and "truncated" not in said:
            columns.truncated = file["valids"] == 0
        elif (
            "qpos" in names
            and "terminated" not in said
            and not {"next_obs", "truncated", "mask"} & set(chosen)
        ):
            columns.truncated = columns.terminated
            columns.terminated = np.zeros(len(np.asarray(columns.truncated)), bool)
    return columns


def complete(
    path: str | Path,
    names: set[str],
    chosen: dict[str, list[str]],
    view: str | None,
    what: str,
    *own: str,
) -> None:
    """Refuse (DataError) what lacks a column, or knows no such view; `own` are views beside
    those of all files of arrays, of which `success-at-end` takes the place of rewards."""
    if view == SUCCESS_AT_END:
        chosen.pop("rewards", None)
        require(path, names, chosen, ("obs", "actions"))
        return
    if view is not None and view not in (*own, *OF_ALL):
        raise no_view(path, what, view, *own, *OF_ALL)
    require(path, names, chosen, _NEEDED)


@contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """The open file. Raises DataError where h5py cannot read it."""
    try:
        with h5py.File(path) as file:
            yield file
    except (OSError, RuntimeError, KeyError, MemoryError, TypeError) as error:
        raise DataError(
            f"{path} is not a readable HDF5 file ({error}): copy it again from its source."
        ) from error


def _datasets(file: Any) -> Iterator[str]:
    """Paths of everything that is an array, wherever it lies in the tree, and of links to one."""
    found: list[str] = []

    def note(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            found.append(name)
        else:
            found.extend(_links(node, f"{name}/"))

    file.visititems(note)
    yield from _links(file, "")
    yield from found


def _declared(file: Any, names: set[str]) -> int:
    """Bytes of these arrays of an NPZ file, as its table of contents has them."""
    members = file.zip.infolist()
    return sum(m.file_size for m in members if m.filename.removesuffix(".npy") in names)


def _links(group: Any, path: str) -> list[str]:
    """Soft and external links of a group to arrays: `visititems` passes over them."""
    kinds = (h5py.SoftLink, h5py.ExternalLink)
    found: list[str] = []
    for name in group:
        with suppress(OSError, RuntimeError):  # it leads nowhere, or in a circle
            link, held = group.get(name, getlink=True), group.get(name)
            if isinstance(link, kinds) and isinstance(held, h5py.Dataset):
                found.append(path + name)
    return found


@contextmanager
def _npz(path: Path) -> Iterator[Any]:
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no ZIP archive, or only the beginning of one")
        with np.load(path, allow_pickle=False) as file:
            yield file
    except BROKEN as error:
        raise DataError(
            f"{path} is not a readable NPZ file of plain numbers ({error}): save it with "
            "numpy.savez, without objects."
        ) from error
