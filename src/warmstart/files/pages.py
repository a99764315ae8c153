"""Arrays and the pages of memory under them."""

from __future__ import annotations

import mmap

import numpy as np

_LINE = 64
"""Bytes: what the compiled programs' own buffers begin at a multiple of."""


def aligned(rows: int, width: int) -> np.ndarray:
    """Room [rows, width] for float32 numbers that a compiled program on this processor can read
    where they lie; of NumPy's own arrays, which begin anywhere, it makes a copy first."""
    size = 4 * rows * width
    room = np.empty(size + _LINE, np.uint8)
    begin = -room.ctypes.data % _LINE
    return room[begin : begin + size].view(np.float32).reshape(rows, width)


def let_go(*arrays: np.ndarray) -> None:
    """Hand the memory of a mapped file's pages back, if these arrays are such a file's.

    They stay valid: what is read again is mapped in again. Other arrays are left alone.
    """
    whole: dict[int, mmap.mmap] = {}
    for array in arrays:
        base = array.base
        while isinstance(base, np.ndarray):
            base = base.base
        if isinstance(base, memoryview):
            base = base.obj
        if isinstance(base, mmap.mmap):
            whole[id(base)] = base
    for mapped in whole.values():
        if hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
            mapped.madvise(mmap.MADV_DONTNEED)
