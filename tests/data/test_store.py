"""Our own folders and the way to Minari and back."""

import errno
import glob
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.data import content_hash, export_minari, load, manifest, read_folder, save_folder
from warmstart.errors import DataError, RunError
from warmstart.types import Dataset

ARRAYS = ("obs", "actions", "rewards", "terminated", "truncated", "next_obs")


def random_dataset(lengths, seed=0, **info):
    rng = np.random.default_rng(seed)
    n = sum(lengths)
    stops = np.cumsum(lengths) - 1
    ends = np.zeros(n, bool)
    ends[stops] = True
    died = ends & (rng.random(n) < 0.5)
    obs = rng.standard_normal((n, 3)).astype(np.float32)
    after = np.concatenate([obs[1:], obs[:1]])
    after[ends] += 5.0
    actions = rng.uniform(-0.9, 0.9, (n, 2)).astype(np.float32)
    rewards = rng.standard_normal(n).astype(np.float32)
    return Dataset(obs, actions, rewards, died, ends & ~died, after, info)


def same(a, b):
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ARRAYS)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(0, 99))
def test_folder_round_trip(tmp_path_factory, lengths, seed):
    folder = tmp_path_factory.mktemp("root") / "data"
    data = random_dataset(lengths, seed)
    save_folder(data, folder, {"seed": seed})
    assert same(read_folder(folder), data) and same(load(folder), data)
    assert read_folder(folder).info["manifest"]["statistics"]["episodes"] == len(lengths)


def test_folder_is_kept_for_the_same_recipe_and_guarded_against_another(tmp_path):
    data = random_dataset([3, 2])
    folder = save_folder(data, tmp_path / "x", {"seed": 1})
    assert save_folder(data, folder, {"seed": 1}) == folder
    with pytest.raises(DataError, match="holds something else"):
        save_folder(data, folder, {"seed": 2})
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize(
    ("trouble", "seen"),
    [(OSError(errno.ENOSPC, "full"), RunError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_write_that_breaks_off_leaves_nothing(tmp_path, monkeypatch, trouble, seen):
    def half(path, arrays):
        path.write_bytes(b"half")
        raise trouble

    monkeypatch.setattr("warmstart.data.manifest.write_npz", half)
    with pytest.raises(seen):
        save_folder(random_dataset([3]), tmp_path / "x", {})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_on_disk_before_it_has_its_name(tmp_path, monkeypatch):
    forced = []

    def rename(source, target):
        forced.append("renamed")
        os.replace(source, target)

    monkeypatch.setattr(manifest, "fsync_path", lambda path: forced.append(path.name))
    monkeypatch.setattr(manifest.os, "rename", rename)
    save_folder(random_dataset([2]), tmp_path / "made", {})
    before = forced[: forced.index("renamed")]
    assert sorted(before[:-1]) == ["data.npz", "manifest.json"] and before[-1] == "room"
    assert forced[-1] == tmp_path.name


def left_behind(workspace):
    """What a writer that is killed in the middle leaves."""
    (workspace / "room").mkdir(parents=True)
    (workspace / "room" / "data.npz").write_bytes(b"half")
    (workspace / "lock").touch()


def test_what_a_killed_writer_left_is_swept(tmp_path):
    left_behind(tmp_path / ".making-x")
    left_behind(tmp_path / ".making-other")
    save_folder(random_dataset([3]), tmp_path / "x", {})
    assert sorted(p.name for p in tmp_path.iterdir()) == [".making-other", "x"]


def test_what_a_killed_export_left_is_swept(tmp_path):
    pytest.importorskip("minari")
    for _ in range(2):
        left_behind(tmp_path / ".exporting-tests-left-v0")
        with suppress(DataError):  # the second one finds the name taken
            export_minari(random_dataset([2]), "tests/left-v0", tmp_path)
        assert not (tmp_path / ".exporting-tests-left-v0").exists()
    assert len(load(tmp_path / "tests/left-v0")) == 2


def test_what_had_to_be_clipped_is_told_by_the_folder_too(tmp_path):
    outside = {"rows": 3, "first": 1, "largest": 9.0}
    folder = save_folder(random_dataset([4], actions_outside=outside), tmp_path / "made", {})
    assert load(folder).info["actions_outside"] == outside


def test_changed_bytes_are_noticed(tmp_path):
    folder = save_folder(random_dataset([3]), tmp_path / "x", {})
    other = random_dataset([3], seed=1)
    np.savez(folder / "data.npz", **{name: getattr(other, name) for name in ARRAYS})
    with pytest.raises(DataError, match="not the file that its manifest describes"):
        read_folder(folder)
    (folder / "data.npz").write_bytes(b"torn")
    with pytest.raises(DataError, match="make the dataset again"):
        read_folder(folder)
    (folder / "manifest.json").write_text(json.dumps({"format": 9}))
    with pytest.raises(DataError, match="not a manifest of format 1"):
        read_folder(folder)


def test_the_hash_sees_every_array():
    data = random_dataset([4])
    hashes = {content_hash(data)}
    for name in ARRAYS:
        column = getattr(data, name).copy()
        column[0] = ~column[0] if column.dtype == bool else column[0] + 1
        hashes.add(content_hash(replace(data, **{name: column})))
    assert len(hashes) == 1 + len(ARRAYS)


def test_to_minari_and_back(tmp_path):
    pytest.importorskip("minari")
    data = random_dataset([4, 1, 7], env_id="Hopper-v5", env_kwargs={"frame_skip": 2})
    folder = export_minari(data, "tests/round-v0", tmp_path / "one")
    back = load(folder)
    assert same(back, data)
    assert back.info["env_id"] == "Hopper-v5" and back.info["env_kwargs"]["frame_skip"] == 2
    again = load(export_minari(back, "tests/round-v0", tmp_path / "two"))
    assert same(again, data)


def test_exported_actions_can_be_in_the_environments_box(tmp_path):
    pytest.importorskip("minari")
    data, box = random_dataset([4]), (np.array([-2.0, 0.0]), np.array([2.0, 10.0]))
    folder = export_minari(data, "tests/box-v0", tmp_path, box)
    assert load(folder).info["actions_outside"]["rows"] > 0
    assert np.allclose(load(folder, bounds=box).actions, data.actions, atol=1e-6)


def test_exporting_an_uninstalled_environments_data_works_and_mazes_leave_nothing(tmp_path):
    pytest.importorskip("minari")
    pattern = os.path.join(tempfile.gettempdir(), "ant_maze*.xml")
    before = set(glob.glob(pattern))
    for number, env_id in enumerate(["Nowhere-v0", "PointMaze_UMaze-v3"]):
        data = random_dataset([2], env_id=env_id)
        folder = export_minari(data, f"tests/env{number}-v0", tmp_path)
        assert load(folder).info.get("env_id") in (None, env_id)
    assert set(glob.glob(pattern)) <= before


def test_minari_reads_what_was_exported(tmp_path, monkeypatch):
    minari = pytest.importorskip("minari")
    export_minari(random_dataset([4, 2]), "tests/read-v0", tmp_path)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    theirs = minari.load_dataset("tests/read-v0")
    assert (theirs.total_episodes, theirs.total_steps) == (2, 6)


def test_export_refuses_bad_ids_and_nothing(tmp_path):
    pytest.importorskip("minari")
    with pytest.raises(DataError, match="group/name-v0"):
        export_minari(random_dataset([2]), "no version!", tmp_path)
    with pytest.raises(DataError, match="no rows"):
        export_minari(random_dataset([2]).take([]), "a/b-v0", tmp_path)
