"""The run folder, its lock, and what it remembers of the machine."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from warmstart.errors import RunError
from warmstart.files import durable, machine
from warmstart.files.durable import read_json, write_json_atomic
from warmstart.runs import folder as runs

CONFIG = {"method": "wsrl", "task": "AntMaze/UMaze v4", "seeds": [0, 1]}


def test_a_run_remembers_its_config_and_its_surroundings(tmp_path):
    path = runs.create_run(tmp_path / "runs", "mine", CONFIG)
    record = runs.open_run(path)
    assert {key: record[key] for key in CONFIG} == CONFIG
    assert record["format"] == runs.FORMAT
    assert record["versions"]["numpy"] == np.__version__
    assert "created" in record
    assert "commit" in record
    assert path == tmp_path / "runs" / "mine"


def test_names_made_from_the_config_are_unique(tmp_path):
    paths = [runs.create_run(tmp_path, None, CONFIG) for _ in range(4)]
    assert len(set(paths)) == 4
    assert all(path.name.startswith("wsrl-AntMaze-UMaze-v4-20") for path in paths)
    assert runs.create_run(tmp_path, None, {}).name.startswith("run-20")


def test_what_cannot_become_a_run(tmp_path):
    (tmp_path / "empty").mkdir()
    runs.create_run(tmp_path, "empty", CONFIG)
    with pytest.raises(RunError, match="holds something already"):
        runs.create_run(tmp_path, "empty", CONFIG)
    for name in ("x", None):
        with pytest.raises(RunError, match="a file of this name is in the way"):
            runs.create_run(tmp_path / "empty" / "run.json", name, CONFIG)
    with pytest.raises(RunError, match="is a file, not a folder"):
        runs.create_run(tmp_path / "empty" / "run.json" / "deeper", "x", CONFIG)
    with pytest.raises(RunError, match="JSON cannot hold"):
        runs.create_run(tmp_path, "odd", {"x": object()})
    assert not (tmp_path / "odd").exists()


def test_what_cannot_be_opened(tmp_path):
    with pytest.raises(RunError, match="does not exist"):
        runs.open_run(tmp_path / "nowhere")
    with pytest.raises(RunError, match="is not a run folder"):
        runs.open_run(tmp_path)
    for content, says in (({"format": 99}, "has format 99"), ({}, "damaged"), ([1], "damaged")):
        write_json_atomic(tmp_path / "run.json", content)
        with pytest.raises(RunError, match=says):
            runs.open_run(tmp_path)
    (tmp_path / "run.json").write_text('{"format": 1')
    with pytest.raises(RunError, match="damaged"):
        runs.open_run(tmp_path)


def test_a_finished_run_can_be_read_but_not_continued(tmp_path):
    path = runs.create_run(tmp_path, "mine", CONFIG)
    assert not runs.is_finished(path)
    runs.finish_run(path, {"score": 0.5})
    assert runs.is_finished(path)
    assert read_json(path / "finished.json")["score"] == 0.5
    assert runs.read_run(path)["method"] == "wsrl"
    with pytest.raises(RunError, match="is finished"):
        runs.open_run(path)


def test_two_writers_are_kept_apart(tmp_path):
    with (
        runs.RunLock(tmp_path),
        pytest.raises(RunError, match=rf"written by process {os.getpid()} on"),
        runs.RunLock(tmp_path),
    ):
        raise AssertionError("the second lock was granted")
    with runs.RunLock(tmp_path):
        pass
    with pytest.raises(RunError, match="Cannot write"), runs.RunLock(tmp_path / "nowhere"):
        raise AssertionError("a lock in a folder that is not there")


@pytest.mark.parametrize("name", [None, "mine", "there"])
def test_a_run_whose_first_file_cannot_be_written_leaves_nothing(tmp_path, monkeypatch, name):
    if name == "there":
        (tmp_path / name).mkdir()
    calls = []

    def full(handle):
        calls.append(handle)
        if len(calls) == 2:  # the file has its name, the folder is not on disk
            raise OSError(errno.ENOSPC, "full")

    for _ in range(2):
        monkeypatch.setattr(durable.os, "fsync", full)
        with pytest.raises(RunError, match="the disk is full"):
            runs.create_run(tmp_path, name, CONFIG)
        calls[:] = [0]  # the second time the file itself
    assert [p.name for p in tmp_path.rglob("*")] == ([name] if name == "there" else [])


def test_a_lock_that_cannot_be_written_is_taken_back(tmp_path, monkeypatch):
    with monkeypatch.context() as broken:

        def full(*_):
            raise OSError(errno.ENOSPC, "full")

        broken.setattr(runs.os, "write", full)
        with pytest.raises(RunError, match="the disk is full"), runs.RunLock(tmp_path):
            raise AssertionError("a lock that nobody can read")
    assert list(tmp_path.iterdir()) == []
    with runs.RunLock(tmp_path):
        pass


def test_a_lock_that_was_taken_away_meanwhile_locks_nothing(tmp_path, monkeypatch):
    def late(handle, blocking):
        (tmp_path / "lock").unlink()
        return True

    monkeypatch.setattr(runs, "lock_descriptor", late)
    with pytest.raises(RunError, match="another process"), runs.RunLock(tmp_path):
        raise AssertionError("a lock without a name")


def test_the_lock_of_a_dead_process_opens(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from warmstart.runs.folder import RunLock\n"
        "with RunLock(Path(sys.argv[1])):\n print('locked', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(RunError, match=f"process {process.pid}"), runs.RunLock(tmp_path):
            raise AssertionError("the second lock was granted")
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    with runs.RunLock(tmp_path):
        pass


def test_versions_name_what_is_installed():
    found = machine.versions()
    assert {"jax", "jaxlib", "numpy", "equinox", "warmstart", "python", "platform"} <= set(found)


def test_git_commit(tmp_path, monkeypatch):
    assert machine.git_commit(tmp_path) is None
    env = {
        f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=tmp_path, env=os.environ | env, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    git("init", "-q")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-q", "-m", "x")
    head = git("rev-parse", "HEAD")
    assert machine.git_commit(tmp_path) == head
    (tmp_path / "a").write_text("2")
    assert machine.git_commit(tmp_path) == head + "-dirty"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.git_commit(tmp_path) is None


def test_space_and_memory(tmp_path):
    missing = tmp_path / "not" / "yet"
    assert machine.disk_free(missing) > 0
    machine.require_space(missing, 1)
    with pytest.raises(RunError, match="Free some space"):
        machine.require_space(missing, 10**18)
    assert (machine.peak_memory_mb() or 0) > 10


@pytest.mark.parametrize(
    "name", ["../../x", "/tmp/x", "a/b", "..", ".", "", "x" * 300, "ü" * 150, "a\0b", 7]
)
def test_a_name_is_one_folder_in_the_root(tmp_path, name):
    root = tmp_path / "root"
    with pytest.raises(RunError, match="Give "):
        runs.create_run(root, name, CONFIG)
    assert not root.exists() and not list(tmp_path.iterdir())


def test_a_long_method_makes_a_name_that_fits(tmp_path):
    path = runs.create_run(tmp_path, None, {**CONFIG, "method": "m" * 400, "task": "t" * 400})
    assert (path / "run.json").exists()


def test_a_run_of_before_opens_in_todays_words(tmp_path):
    path = runs.create_run(tmp_path, "old", CONFIG)
    record = runs.read_run(path)
    facts = {"name": "two-rooms", "family": "quick"}
    words = "warmstart run wsrl two-rooms --family quick"
    old = {**record, "format": 2, "family": "quick", "task_facts": facts, "command": words}
    write_json_atomic(path / "run.json", durable.sealed(old))
    new = runs.read_run(path)
    assert new["preset"] == new["task_facts"]["preset"] == "quick"
    assert new["command"] == "warmstart run wsrl two-rooms --preset quick"
    assert "family" not in new and "family" not in new["task_facts"]
