"""A file is whole or absent, and the message says what to do."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from warmstart.errors import RunError
from warmstart.files import durable
from warmstart.files.durable import make_folder


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A folder that this test may not write to, also where the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    (folder / "there").write_text("as it was")
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
        (folder / "there").unlink()
        folder.rmdir()


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_json_round_trip_with_numpy(tmp_path):
    rows = np.random.default_rng(0).standard_normal(5).astype(np.float32)
    obj = {"n": np.int64(3), "f": np.float32(0.1), "b": np.bool_(True), "rows": rows, "p": tmp_path}
    durable.write_json_atomic(tmp_path / "a.json", obj)
    back = durable.read_json(tmp_path / "a.json")
    assert back["n"] == 3
    assert back["b"] is True
    assert back["p"] == str(tmp_path)
    assert np.float32(back["f"]) == np.float32(0.1)
    np.testing.assert_array_equal(np.asarray(back["rows"], np.float32), rows)


def test_json_refuses_what_it_cannot_hold(tmp_path):
    with pytest.raises(RunError, match=r"a object. Use numbers"):
        durable.write_json_atomic(tmp_path / "a.json", {"x": object()})
    assert list(tmp_path.iterdir()) == []


def test_damaged_and_missing_json(tmp_path):
    (tmp_path / "a.json").write_text('{"x": [1, 2')
    with pytest.raises(RunError, match="damaged"):
        durable.read_json(tmp_path / "a.json")
    with pytest.raises(RunError, match="No such file"):
        durable.read_json(tmp_path / "b.json")
    with pytest.raises(RunError, match="Cannot read"):
        durable.entries(tmp_path / "nowhere")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch, code):
    path = tmp_path / "a.json"
    durable.write_json_atomic(path, 1)

    def fail(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(durable.os, "fsync", fail)
    with pytest.raises(RunError, match=r"Cannot write '.*a\.json': .*\.$"):
        durable.write_json_atomic(path, 2)
    monkeypatch.undo()
    assert durable.read_json(path) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_file_size_limit(tmp_path):
    path = tmp_path / "a.json"
    durable.write_json_atomic(path, 1)
    with largest_file(10_000), pytest.raises(RunError, match="ulimit"):
        durable.write_json_atomic(path, "x" * 50_000)
    assert durable.read_json(path) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_read_only_folder(read_only):
    with pytest.raises(RunError, match="may write to"):
        durable.write_json_atomic(read_only / "there", 2)
    with pytest.raises(RunError, match="may write to"):
        durable.make_folder(read_only / "deeper" / "still")
    assert (read_only / "there").read_text() == "as it was"
    assert [path.name for path in read_only.iterdir()] == ["there"]


def test_full_disk_is_recognised_in_a_library_text():
    error = ValueError("RESOURCE_EXHAUSTED: write failed [OS error 28: No space left on device]")
    assert "the disk is full" in str(durable.cannot_write(Path("x"), error))
    assert "odd" in str(durable.cannot_write(Path("x"), ValueError("odd\n  thing")))


def test_a_folder_that_goes_away_meanwhile_is_made_again(tmp_path, monkeypatch):
    real, asked = Path.mkdir, []

    def mkdir(self, *args, **kwargs):
        asked.append(self)
        if len(asked) == 1:
            raise FileExistsError  # it was there, and is_dir() came too late
        real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    make_folder(tmp_path / "workspace")
    assert (tmp_path / "workspace").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="Cannot write"):
        make_folder(tmp_path / "file")
