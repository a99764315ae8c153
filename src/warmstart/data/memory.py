"""A file is read only where it is there as a whole and fits into memory."""

from __future__ import annotations

from pathlib import Path

from warmstart.errors import DataError
from warmstart.files.machine import free_memory

_SMALL = 100_000_000
_POINTER = b"version https://git-lfs"


def require_room(source: str | Path, need_bytes: int) -> None:
    """Refuse what would not fit: a header can promise any size, and filling it takes the machine.

    Raises:
        DataError: `need_bytes` are more than the machine has free.
    """
    if need_bytes < _SMALL:
        return
    free = free_memory()
    if need_bytes > free:
        raise DataError(
            f"{source} declares {need_bytes / 1e9:,.1f} GB of numbers, {free / 1e9:,.1f} GB of "
            "memory are free: name fewer columns with --columns (in Python mapping=), split the "
            "file, or copy it again if it should be smaller."
        )


def refuse_pointer(path: Path) -> None:
    """Refuse the few lines that Git leaves in place of a large file that was not fetched.

    Raises:
        DataError: `path` is such a pointer of Git LFS.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if file.read(len(_POINTER)) == _POINTER:
            raise DataError(
                f"{path} is only a pointer of Git LFS, the data themselves were not fetched: run "
                "`git lfs pull` in its repository."
            )
