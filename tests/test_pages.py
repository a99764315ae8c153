"""Room that compiled programs read in place, and a mapped file's pages."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from warmstart.data.mapped import map_npz, write_npz
from warmstart.pages import Mapped, aligned, let_go


@pytest.mark.parametrize(("rows", "width"), [(1, 1), (1000, 31), (7, 64), (0, 5)])
def test_a_program_reads_such_rows_where_they_lie(rows: int, width: int) -> None:
    room = aligned(rows, width)
    assert room.shape == (rows, width) and room.dtype == np.float32 and room.flags.c_contiguous
    room[:] = np.arange(rows * width).reshape(rows, width)
    room.flags.writeable = False
    there = jax.device_put(room)
    np.testing.assert_array_equal(there, room)
    if rows:
        assert room.ctypes.data % 64 == 0
        assert there.unsafe_buffer_pointer() == room.ctypes.data


def _file_kb(path: Path) -> int:
    """Kilobytes of a mapped file that this process holds in memory."""
    held, ours = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0] and ":" not in line.split()[0]:
            ours = line.endswith(str(path))
        elif ours and line.startswith("Rss:"):
            held += int(line.split()[1])
    return held


def test_what_was_written_to_a_copy_of_a_file_stays(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((50_000, 4), np.float32))
    mine = np.load(tmp_path / "a.npy", mmap_mode="c")
    mine[:] = 7.0
    let_go(mine, mine[5:])
    assert mine.min() == 7.0


def test_the_pages_of_a_mapped_file_go_and_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, numbers = tmp_path / "a.npz", np.arange(400_000, dtype=np.float32).reshape(-1, 4)
    write_npz(path, {"a": numbers, "b": numbers + 1})
    arrays = map_npz(path)
    asked, real = [], Mapped.madvise
    monkeypatch.setattr(Mapped, "madvise", lambda *args: (asked.append(args[1:]), real(*args)))
    total = sum(float(a.sum(dtype=np.float64)) for a in arrays.values())
    linux = sys.platform == "linux"  # which alone says what is in memory
    assert not linux or _file_kb(path) > 2_500
    let_go(arrays["a"][10:], arrays["b"], numbers)
    assert asked == ([(mmap.MADV_DONTNEED,)] if hasattr(mmap, "MADV_DONTNEED") else [])
    assert not linux or _file_kb(path) < 500
    assert sum(float(a.sum(dtype=np.float64)) for a in arrays.values()) == total
