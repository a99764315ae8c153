"""Arrays and the pages of memory under them."""

from __future__ import annotations

import mmap

import numpy as np

_LINE = 64
"""Bytes: what the compiled programs' own buffers begin at a multiple of."""


class Mapped(mmap.mmap):
    """A file mapped for reading alone: what is dropped of it can be read again.

    Of other mappings nobody knows: a page of one that copies on writing may be all there is of
    what was written to it.
    """


def aligned(rows: int, width: int) -> np.ndarray:
    """Room [rows, width] for float32 numbers that a compiled program on this processor can read
    where they lie; of NumPy's own arrays, which begin anywhere, it makes a copy first."""
    size = 4 * rows * width
    room = np.empty(size + _LINE, np.uint8)
    begin = -room.ctypes.data % _LINE
    return room[begin : begin + size].view(np.float32).reshape(rows, width)


def let_go(*arrays: np.ndarray) -> None:
    """Hand the memory under these arrays back where they are of a `Mapped` file.

    They stay valid: what is read again is mapped in again. Other arrays are left alone.
    """
    whole: dict[int, Mapped] = {}
    for array in arrays:
        base = array.base
        while isinstance(base, np.ndarray):
            base = base.base
        if isinstance(base, memoryview):
            base = base.obj
        if isinstance(base, Mapped):
            whole[id(base)] = base
    for mapped in whole.values():
        if hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
            mapped.madvise(mmap.MADV_DONTNEED)
