"""Arrays of an HDF5 file that are not, or not wholly, where they seem to be.

HDF5 reads zeros for rows that were never written and for parts of a virtual array whose file is
gone, and the raw bytes of any file that an array names as its storage.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py

from warmstart.errors import DataError

_DENSE = ("obs", "actions", "next_obs")


def require_stored(where: str | Path, group: Any, chosen: Mapping[str, Iterable[str]]) -> None:
    """Look at every array of `group` that was chosen, by role, before it is read.

    Rows that were never written are refused in observations and actions only: flags and rewards
    may have been left at their 0 on purpose.

    Raises:
        DataError: an array whose numbers would be made up, or are another file's bytes.
    """
    for role, names in chosen.items():
        for name in names:
            require_own(where, group[name])
            if role in _DENSE:
                _require_written(where, group[name])


def require_own(where: str | Path, node: Any) -> None:
    """Refuse (DataError) an array of raw bytes from elsewhere, or with parts that are missing."""
    if node.external:
        raise DataError(
            f"{where}: '{node.name}' takes its numbers from the raw bytes of "
            f"{node.external[0][0]!r}: copy the array into the file itself."
        )
    for source in node.virtual_sources() if node.is_virtual else ():
        if not _is_there(node, source.file_name, source.dset_name):
            raise DataError(
                f"{where}: '{node.name}' is put together from '{source.dset_name}' of "
                f"{source.file_name!r}, which is not there, and would read as zeros: put that file "
                "beside it, or copy all arrays into one file."
            )


def _is_there(node: Any, file_name: str, name: str) -> bool:
    if file_name == ".":
        return name in node.file
    try:
        with h5py.File(Path(node.file.filename).parent / file_name) as file:
            return name in file
    except (OSError, RuntimeError):
        return False


def _require_written(where: str | Path, node: Any) -> None:
    if node.is_virtual or not node.size or node.dtype.kind == "O":
        return
    held, whole = int(node.id.get_storage_size() > 0), 1
    if node.chunks:
        held = node.id.get_num_chunks()
        whole = math.prod(-(-n // c) for n, c in zip(node.shape, node.chunks, strict=True))
    if held < whole:
        share = held / whole
        raise DataError(
            f"{where}: only {share:.0%} of '{node.name}' were ever written, the rest would read as "
            "zeros: cut the arrays to the rows that were logged."
        )
