"""An uncompressed NPZ file whose arrays are mapped into memory, not read.

Any reader of NPZ files opens them too. Each member's numbers begin at a multiple of 64 bytes,
which `numpy.savez` does not see to; files without that are mapped all the same.
"""

from __future__ import annotations

import mmap
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.pages import Mapped

BROKEN = (
    OSError,
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""Whatever the libraries raise on a torn or foreign NPZ file."""

_ALIGN = 64
_LOCAL_HEADER = 30  # bytes of a ZIP local header before the name
_WIDE_FIELD = 20  # the extra field with 64-bit sizes
_PADDING_ID = 0xD935  # the extra field that Android's zipalign pads with


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write the arrays by name, uncompressed. Raises OSError."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, values in arrays.items():
            array = np.ascontiguousarray(values)
            member = zipfile.ZipInfo(f"{name}.npy")
            begin = archive.start_dir + _LOCAL_HEADER + len(member.filename) + _WIDE_FIELD + 4
            gap = -begin % _ALIGN
            member.extra = struct.pack("<HH", _PADDING_ID, gap) + bytes(gap)
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def map_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an NPZ file by name, read-only. Compressed members are read instead.

    Raises:
        one of `BROKEN`: no NPZ file, a torn one, or one with objects.
    """
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        whole = Mapped(file.fileno(), 0, access=mmap.ACCESS_READ)
        arrays: dict[str, np.ndarray] = {}
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if member.compress_type == zipfile.ZIP_STORED:
                arrays[name] = _mapped(whole, member.header_offset)
            else:
                with archive.open(member) as packed:
                    arrays[name] = np.lib.format.read_array(packed, allow_pickle=False)
    return arrays


def _mapped(whole: mmap.mmap, offset: int) -> np.ndarray:
    """The NPY array in the member whose ZIP header lies at `offset`."""
    name, extra = struct.unpack_from("<HH", whole, offset + _LOCAL_HEADER - 4)
    whole.seek(offset + _LOCAL_HEADER + name + extra)
    form: Any = np.lib.format
    version = form.read_magic(whole)
    header = form.read_array_header_1_0 if version == (1, 0) else form.read_array_header_2_0
    shape, by_columns, dtype = header(whole)
    if dtype.hasobject:
        raise ValueError("it holds objects")
    count = int(np.prod(shape, dtype=np.int64))
    flat = np.frombuffer(whole, dtype, count, whole.tell()) if count else np.empty(0, dtype)
    return flat.reshape(shape, order="F" if by_columns else "C")
