"""Desks that one process at a time holds, and that nobody's death keeps."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from warmstart.errors import RunError
from warmstart.files.workspaces import locked, scratch, sweep

HOLDER = """
import sys
from pathlib import Path
from warmstart.files.workspaces import scratch
with scratch(Path(sys.argv[1])) as room:
    (room / "half").write_text("x")
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_living_process_keeps_its_desk_and_a_killed_one_does_not(tmp_path):
    workspace = tmp_path / ".workspace"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(workspace)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        sweep(workspace)
        assert (workspace / "room" / "half").exists()
        other.kill()
    assert (workspace / "room" / "half").exists()
    sweep(workspace)
    assert list(tmp_path.iterdir()) == []


def test_who_waits_gets_a_desk_of_their_own(tmp_path):
    workspace, inside, most = tmp_path / ".workspace", [], []

    def work(number):
        for _ in range(20):
            with scratch(workspace) as room:
                inside.append(number)
                most.append(len(inside))
                assert list(room.iterdir()) == []
                (room / str(number)).touch()
                inside.remove(number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 80 and max(most) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_held_desk_keeps_what_is_whole_and_loses_what_is_half(tmp_path):
    workspace = tmp_path / ".workspace"
    workspace.mkdir()
    (workspace / "part").touch()
    (workspace / ".part2.7.tmp").touch()
    with locked(workspace):
        sweep(workspace)
        assert sorted(path.name for path in workspace.iterdir()) == ["lock", "part"]


def test_a_desk_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").touch()
    sweep(tmp_path / "file")
    with pytest.raises(RunError, match="Cannot write"), locked(tmp_path / "file"):
        pass
