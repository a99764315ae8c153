"""Robomimic's HDF5: one group `data/demo_N` for each demonstration."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import h5py

from warmstart.data.build import Columns
from warmstart.data.columns import Mapped, choose, gather, natural
from warmstart.data.flat_file import complete, open_hdf5
from warmstart.data.images import camera_of
from warmstart.data.memory import require_room
from warmstart.data.unwritten import require_stored


def is_robomimic(path: Path) -> bool:
    """Whether the path is an HDF5 file of demonstrations, as robomimic writes them."""
    try:
        with h5py.File(path) as file:
            return bool(_demos(file))
    except (OSError, RuntimeError, KeyError):
        return False


def read_robomimic(
    path: Path,
    mapping: Mapped | None = None,
    view: str | None = None,
    cameras: Collection[str] = (),
) -> list[Columns]:
    """Every demonstration, in the order of their numbers (filter keys are not looked at).

    Observations are all of `obs/*` that are vectors of numbers, joined in sorted order, and the
    images of those that are named in `cameras`. `dones` mark real ends, and the mapping names
    arrays within a demonstration (`obs/robot0_eef_pos`). Demonstrations without rewards need the
    view `success-at-end`.

    Raises:
        DataError: no readable HDF5 file, or a demonstration lacks an array.
    """
    with open_hdf5(path) as file:
        return [_demo(path, file, name, mapping, view, cameras) for name in _demos(file)]


def _demos(file: Any) -> list[str]:
    group = file.get("data")
    names = list(map(str, group)) if isinstance(group, h5py.Group) else []
    found = [name for name in names if name.startswith("demo_") and name[5:].isdigit()]
    return sorted(found, key=natural)


def _demo(
    path: Path,
    file: Any,
    name: str,
    mapping: Mapped | None,
    view: str | None,
    cameras: Collection[str],
) -> Columns:
    demo, where = file["data"][name], f"{path}, {name}"
    names: set[str] = set()

    def note(inner: str, node: Any) -> None:
        if not isinstance(node, h5py.Dataset):
            return
        seen = inner.startswith(("obs/", "next_obs/")) and camera_of(inner) in cameras
        if len(node.shape or ()) in (1, 2) or seen:
            names.add(inner)

    demo.visititems(note)
    usual = {"terminated": "dones"} if "dones" in names else {}
    if mapping and {"done", "mask", "terminated"} & set(mapping):
        usual = {}
    chosen = choose(where, names, {**usual, **(mapping or {})})
    complete(where, names, chosen, view, "a file of robomimic")
    wanted = [demo[inner] for group in chosen.values() for inner in group]
    require_room(where, sum(node.nbytes for node in wanted))
    require_stored(where, demo, chosen)
    return gather(where, chosen, lambda inner: demo[inner][()], name=path.stem)
