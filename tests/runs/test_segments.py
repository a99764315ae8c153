"""Replay rows on disk come back as they went, or with a reason."""

from __future__ import annotations

import errno
import os
import resource
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.errors import RunError
from warmstart.files import durable
from warmstart.files.durable import Damaged
from warmstart.runs.segments import Segments


def rows(start: int, stop: int, seeds: int = 2, width: int = 3) -> np.ndarray:
    """Rows that know their seed, number and column."""
    seed, number, column = np.ogrid[:seeds, start:stop, :width]
    return (seed * 1e4 + number * 10 + column).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 7), max_size=6),
    kept=st.integers(0, 6),
    again=st.lists(st.integers(1, 7), max_size=3),
    first=st.floats(0, 1),
    seeds=st.integers(1, 3),
    width=st.integers(1, 4),
)
def test_a_killed_run_goes_on_as_if_unbroken(sizes, kept, again, first, seeds, width):
    """Append, forget what follows the checkpoint, append again: the rows are those of one run."""
    with tempfile.TemporaryDirectory() as name:
        store, end = Segments(Path(name)), 0
        for n in sizes:
            store.append(end, -rows(end, end + n, seeds, width))
            end += n
        length = sum(sizes[:kept])
        store = Segments(Path(name))
        before = store.read(length)
        if length:
            np.testing.assert_array_equal(before, -rows(0, length, seeds, width))
        end = length
        for n in again:
            store.append(end, rows(end, end + n, seeds, width))
            end += n
        wanted = np.concatenate(
            [-rows(0, length, seeds, width), rows(length, end, seeds, width)], axis=1
        )
        start = int(first * end)
        got = Segments(Path(name)).read(end, start)
        assert got.dtype == np.float32
        if start < end:
            np.testing.assert_array_equal(got, wanted[:, start:])


def test_special_numbers_are_kept_to_the_bit(tmp_path):
    block = np.array([[[np.nan, -0.0, np.inf, 1e-45]]], np.float32)
    Segments(tmp_path).append(0, block)
    assert Segments(tmp_path).read(1).tobytes() == block.tobytes()


def test_not_contiguous_rows(tmp_path):
    block = np.asfortranarray(rows(0, 5))
    Segments(tmp_path).append(0, block)
    np.testing.assert_array_equal(Segments(tmp_path).read(5), block)


@pytest.mark.parametrize(
    ("start", "block", "message"),
    [
        (5, rows(5, 6), "a gap"),
        (3, rows(3, 6), "an overlap"),
        (4, rows(4, 6).astype(np.float64), "float64"),
        (4, rows(4, 6)[0], "must be float32"),
        (4, rows(4, 6, seeds=3), r"\(3, 3\)"),
        (4, rows(4, 6, width=2), "seeds and the task"),
    ],
)
def test_wrong_rows_are_refused(tmp_path, start, block, message):
    store = Segments(tmp_path)
    store.append(0, rows(0, 4))
    with pytest.raises(RunError, match=message):
        store.append(start, block)
    np.testing.assert_array_equal(store.read(4), rows(0, 4))


def test_rows_of_an_earlier_start_are_not_overwritten_unread(tmp_path):
    Segments(tmp_path).append(0, rows(0, 4))
    with pytest.raises(RunError, match=r"Call read\(length\)"):
        Segments(tmp_path).append(0, rows(0, 4))


def test_broken_chains(tmp_path):
    store = Segments(tmp_path)
    for start in (0, 4, 8):
        store.append(start, rows(start, start + 4))
    with pytest.raises(RunError, match="ends at row 12"):
        store.read(13)
    with pytest.raises(RunError, match="not whole"):
        store.read(6)
    with pytest.raises(RunError, match="first <= length"):
        store.read(4, 5)
    middle = next(tmp_path.glob("rows-000000000004-000000000008-*.npy"))
    middle.rename(tmp_path / "rows-000000000003-000000000008.npy")
    with pytest.raises(RunError, match="not whole"):
        store.read(12)
    (tmp_path / "rows-000000000003-000000000008.npy").unlink()
    with pytest.raises(RunError, match="not whole"):
        store.read(12)


def test_damaged_segments(tmp_path):
    store = Segments(tmp_path)
    store.append(0, rows(0, 4))
    store.append(4, rows(4, 8))
    path = next(tmp_path.glob("rows-000000000004-000000000008-*.npy"))
    data = path.read_bytes()
    for content in (data[:-1], data[:20], b"", b"\x80\x04]q\x00.", data[:-1] + b"\x01"):
        path.write_bytes(content)
        with pytest.raises(Damaged, match="is damaged"):
            store.read(8)
    # As an older version named it: without a checksum.
    path = path.rename(tmp_path / "rows-000000000004-000000000008.npy")
    for content in (data[:-1], data[:20], b"", b"\x80\x04]q\x00."):
        path.write_bytes(content)
        with pytest.raises(Damaged, match="is damaged"):
            store.read(8)
    for block in (rows(4, 7), rows(4, 8).astype(np.float64), rows(4, 8)[0]):
        np.save(path, block)
        with pytest.raises(RunError, match="is not float32"):
            store.read(8)
    np.save(path, rows(4, 8, seeds=3))
    with pytest.raises(RunError, match="the rows before"):
        store.read(8)
    np.testing.assert_array_equal(store.read(4), rows(0, 4))


def test_full_disk_then_space_again(tmp_path, monkeypatch):
    store = Segments(tmp_path)
    store.append(0, rows(0, 4))

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(durable.os, "fsync", full)
    with pytest.raises(RunError, match="the disk is full"):
        store.append(4, rows(4, 8))
    monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 1
    store.append(4, rows(4, 8))
    np.testing.assert_array_equal(store.read(8), rows(0, 8))


def test_file_size_limit(tmp_path):
    store = Segments(tmp_path)
    store.append(0, rows(0, 4))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(RunError, match="ulimit"):
            store.append(4, rows(4, 4000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(list(tmp_path.iterdir())) == 1
    np.testing.assert_array_equal(store.read(4), rows(0, 4))


def test_half_files_of_a_killed_run_are_removed(tmp_path):
    store = Segments(tmp_path)
    store.append(0, rows(0, 4))
    (tmp_path / ".rows-000000000004-000000000008.npy.77.tmp").write_bytes(b"half")
    store = Segments(tmp_path)
    store.read(4)
    store.append(4, rows(4, 8))
    assert len(list(tmp_path.iterdir())) == 2
