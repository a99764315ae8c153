"""Sizes, interruption and resumption of a make, and the same recipe under other versions."""

import errno
import json
import os
import signal
import threading

import numpy as np
import pytest

from warmstart.data import read_folder, read_manifest
from warmstart.data.makers import compare_versions, make, parts, trained_folder
from warmstart.data.makers.make import same_data
from warmstart.data.makers.roll import numbers
from warmstart.errors import DataError, RunError, TaskError
from warmstart.files import durable
from warmstart.tasks import get_task

TASK = get_task("jax-pointmass")


def visible(root):
    return [path.name for path in root.iterdir() if not path.name.startswith(".")]


def interrupt_at(episode):
    """A progress that presses Ctrl-C (or kills politely) at this episode."""

    def progress(done, total):
        if done == episode:
            os.kill(os.getpid(), signal.SIGTERM)

    return progress


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(parts, "PART_SECONDS", 0.0)


def test_an_interrupted_make_goes_on_to_the_same_hash(tmp_path, small_parts):
    whole = read_manifest(make(TASK, tmp_path / "whole", size=9))
    root = tmp_path / "broken"
    with pytest.raises(KeyboardInterrupt, match=r"5 of 9 episodes are kept"):
        make(TASK, root, size=9, progress=interrupt_at(5))
    assert visible(root) == []
    seen = []
    folder = make(TASK, root, size=9, progress=lambda done, total: seen.append(done))
    assert seen[0] == 5 and seen[-1] == 9
    assert read_manifest(folder)["sha256"] == whole["sha256"]
    assert [path.name for path in root.iterdir()] == [folder.name]


def test_an_interruption_in_the_last_part_is_not_swallowed(tmp_path):
    with pytest.raises(KeyboardInterrupt, match="2 of 2"):
        make(TASK, tmp_path, size=2, progress=interrupt_at(2))
    assert read_manifest(make(TASK, tmp_path, size=2))["statistics"]["episodes"] == 2


def test_a_make_that_dies_keeps_the_parts_before(tmp_path, small_parts):
    def die(done, total):
        if done == 6:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make(TASK, tmp_path, size=9, progress=die)
    seen = []
    make(TASK, tmp_path, size=9, progress=lambda done, total: seen.append(done))
    assert seen[0] == 5


def test_what_a_killed_make_left_is_swept_and_parts_are_not(tmp_path, small_parts):
    with pytest.raises(KeyboardInterrupt):
        make(TASK, tmp_path, size=9, progress=interrupt_at(5))
    (workspace,) = tmp_path.iterdir()
    (workspace / ".000000005-000000006.npz.1.tmp").write_bytes(b"half")
    making = tmp_path / workspace.name.replace(".", ".making-", 1).removesuffix(".parts")
    making.mkdir()
    (making / "half").touch()
    left = []

    def look(done, total):
        left.append(sorted(path.name for path in tmp_path.rglob("*") if path.name != "lock"))

    folder = make(TASK, tmp_path, size=9, progress=look)
    parts = ["000000000-000000004.npz", "000000004-000000005.npz"]
    assert left[0] == [workspace.name, *parts]
    workspace.mkdir()
    (workspace / parts[0]).touch()
    making.mkdir()
    assert make(TASK, tmp_path, size=9) == folder
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("at", "given", "words"),
    [
        (1, {"rows": 250}, "--size 250"),
        (1, {"size": 2, "seed": 3}, "--seed 3 --episodes 2"),
        (3, {"size": 2}, "--episodes 2"),
    ],
)
def test_a_full_disk_names_the_command_that_goes_on(tmp_path, monkeypatch, at, given, words):
    """A part is forced to disk by two calls: the third is for the dataset itself."""
    forced = []

    def full(handle):
        forced.append(handle)
        if len(forced) == at:
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(durable.os, "fsync", full)
    monkeypatch.setenv("WARMSTART_DATA", str(tmp_path))
    line = f"go on with `warmstart data make jax-pointmass {words}`."
    with pytest.raises(RunError, match=line) as told:
        make(TASK, **given)
    assert (".parts" in str(told.value)) == (at < 3)


def test_a_damaged_part_is_named(tmp_path, small_parts):
    with pytest.raises(KeyboardInterrupt):
        make(TASK, tmp_path, size=9, progress=interrupt_at(4))
    part = next(tmp_path.glob(".*/*.npz"))
    part.write_bytes(b"no archive")
    with pytest.raises(DataError, match="remove this file"):
        make(TASK, tmp_path, size=9)


def test_rows_are_reached_by_whole_episodes_whatever_the_parts(tmp_path, monkeypatch):
    one = read_folder(make(TASK, tmp_path / "a", rows=251))
    assert len(one) == 300  # episodes of 50 steps
    monkeypatch.setattr(parts, "PART_SECONDS", 0.0)
    other = make(TASK, tmp_path / "b", rows=251)
    assert np.array_equal(read_folder(other).obs, one.obs)
    manifest = read_manifest(other)
    assert manifest["recipe"]["rows"] == 251 and manifest["seconds"] > 0
    assert manifest["statistics"]["success_rate"] == one.info["success_rate"]
    assert len(read_folder(make(TASK, tmp_path / "b", rows=300))) == 300


def test_sizes_that_mean_nothing(tmp_path):
    with pytest.raises(TaskError, match="not both"):
        make(TASK, tmp_path, size=3, rows=100)
    with pytest.raises(TaskError, match="1 or more"):
        make(TASK, tmp_path, rows=0)
    with pytest.raises(TaskError, match="1 or more"):
        numbers(range(3, 3))


def test_two_at_once_make_it_once(tmp_path):
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(make(TASK, tmp_path, size=4))) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made[0] == made[1] and [path.name for path in tmp_path.iterdir()] == [made[0].name]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="Cannot write"):
        make(TASK, tmp_path / "file", size=2)


def test_other_versions_are_compared(tmp_path, monkeypatch):
    old = make(TASK, tmp_path, size=3)
    assert compare_versions(old) == []
    monkeypatch.setattr("warmstart.data.manifest.metadata.version", lambda name: "0.0")
    new = make(TASK, tmp_path, size=3)
    assert new != old
    (sentence,) = compare_versions(new)
    assert "jax" in sentence and "numpy" in sentence and "holds the same rows" in sentence
    manifest = json.loads((old / "manifest.json").read_text())
    manifest["sha256"] = "other"
    (old / "manifest.json").write_text(json.dumps(manifest))
    (sentence,) = compare_versions(new)
    assert (
        "across versions and instruction sets" in sentence
        and "mean return" in sentence
        and "successes" in sentence
    )


def test_where_jax_computes_another_arithmetic_is_another_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    mine = make(TASK, tmp_path, size=2)
    made = [mine]
    for flags in ("--xla_cpu_max_isa=SSE4_2", "--xla_cpu_enable_fast_math=true"):
        monkeypatch.setenv("XLA_FLAGS", flags)
        made.append(make(TASK, tmp_path, size=2))
    assert len(set(made)) == 3
    # What has no say in rounding is no other recipe.
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=/tmp --xla_force_host_platform_device_count=2")
    assert make(TASK, tmp_path, size=2) == mine
    sentences = " ".join(compare_versions(mine))
    assert "made with instruction set SSE4_2, holds the same rows" in sentences
    assert "and XLA_FLAGS --xla_cpu_enable_fast_math=true, holds" in sentences
    manifest = json.loads((made[1] / "manifest.json").read_text())
    del manifest["recipe"]["arithmetic"]  # as earlier versions wrote it
    (made[1] / "manifest.json").write_text(json.dumps(manifest))
    assert "made with an unknown instruction set" in " ".join(compare_versions(mine))


def test_what_mujoco_and_numpy_compute_heeds_no_flag_of_xla(tmp_path, monkeypatch):
    kept = get_task("pointmaze-umaze")
    mine = make(kept, tmp_path, size=1)
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_max_isa=SSE4_2")
    assert make(kept, tmp_path, size=1) == mine
    trained = [trained_folder(get_task("hopper-medium-replay"), tmp_path)[0]]
    monkeypatch.delenv("XLA_FLAGS")
    trained.append(trained_folder(get_task("hopper-medium-replay"), tmp_path)[0])
    assert trained[0] != trained[1]


def test_another_size_or_seed_is_no_other_version(tmp_path):
    make(TASK, tmp_path, size=3)
    make(TASK, tmp_path, seed=1, size=2)
    assert compare_versions(make(TASK, tmp_path, size=2)) == []


def test_a_damaged_neighbour_is_in_nobodys_way(tmp_path):
    mine = make(TASK, tmp_path, size=1)
    other = mine.with_name(f"{mine.name}0")
    other.mkdir()
    (other / "data.npz").touch()
    (other / "manifest.json").write_text("{")
    assert compare_versions(mine) == []
    assert same_data({"maker": "table_top", "seed": 0}, tmp_path) is None
