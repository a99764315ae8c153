"""LeRobot, OGBench, Adroit-binary, Minari in Arrow: what they mean, row by row."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import writers as w

from warmstart.data import export_minari, load, save_folder
from warmstart.data import minari_export as export
from warmstart.errors import DataError, RunError
from warmstart.types import Dataset


@pytest.mark.parametrize("version", [2, 3])
def test_lerobot_reads_vectors_in_sorted_order_and_only_success_terminates(
    tmp_path: Path, version: int
) -> None:
    data = load(w.write_lerobot(tmp_path / "pusht", version))
    # environment_state before state; row 2 ended without success, so that it was cut.
    assert data.obs.tolist() == [[100 + i, i, -i] for i in (0, 1, 3, 4, 5)]
    assert data.terminated.tolist() == [False, False, False, False, True]
    assert data.rewards.tolist() == [0, 1, 3, 4, 5]
    assert data.episodes() == [(0, 2), (2, 5)]
    assert data.info["name"] == "pusht" and data.success is not None
    assert data.success.tolist() == [False, False, True, True, True]


def test_lerobot_demonstrations_are_rewarded_by_a_view_or_a_column(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"next.reward": None, "next.done": None, "next.success": None}
    data = load(w.write_lerobot(tmp_path / "a", **changes), view="success-at-end")
    assert data.rewards.tolist() == [0, 0, 1] * 2 and data.terminated.tolist() == [0, 0, 1] * 2
    own = w.write_lerobot(tmp_path / "b", **changes, cost=np.arange(6.0))
    data = load(own, mapping={"reward": "cost", "obs": "observation.state"})
    assert data.obs.shape == (4, 2) and data.rewards.tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize(
    ("timing", "view", "rewards", "dead"),
    [
        ("pre", None, [-1, -1, 0], [0, 0, 1]),
        ("post", None, [-1, 0, -1], [0, 1, 0]),
        (None, None, [-1, 0, -1], [0, 1, 0]),  # versions that did not yet know of timing
        ("pre", "reward-on-next", [-1, 0, -1], [0, 1, 0]),
        ("post", "reward-on-s", [-1, -1, 0], [0, 0, 1]),
    ],
)
def test_ogbench_is_relabelled_on_s_or_on_the_next_state(
    tmp_path: Path, timing: str | None, view: str | None, rewards: list[int], dead: list[int]
) -> None:
    pytest.importorskip("ogbench")
    path = w.write_npz(tmp_path / "maze.npz", w.ogbench())
    states = w.ogbench()["qpos"].copy()
    states[4:, 1] = 5.0
    missed = w.write_npz(tmp_path / "half.npz", w.ogbench(qpos=states))
    assert load(missed, simulator=w.Maze(timing)).info["success_rate"] == 0.5
    data = load(path, simulator=w.Maze(timing), view=view)
    assert data.rewards.tolist() == rewards * 2 and data.terminated.tolist() == dead * 2
    assert data.obs[:3, 0].tolist() == [0, 0.5, 1]
    stops = [stop for _, stop in data.episodes()]
    assert set(stops) >= {3, 6} and data.success is not None and data.success.sum() == 2
    alive = ~data.terminated
    assert np.array_equal(data.next_obs[alive, 0], data.obs[alive, 0] + 0.5)


def test_a_goal_where_the_next_trajectory_begins_is_nobodys_success(tmp_path: Path) -> None:
    pytest.importorskip("ogbench")
    states = np.full((8, 2), 5.0)
    states[4] = 1.0, 0.0
    data = load(
        w.write_npz(tmp_path / "maze.npz", w.ogbench(qpos=states)), simulator=w.Maze("post")
    )
    assert data.success is not None and not data.success.any()
    assert data.info["success_rate"] == 0.0


def test_ogbench_as_its_own_loader_gives_it(tmp_path: Path) -> None:
    n = 6
    rows = np.arange(n, dtype=np.float32)[:, None]
    ends = np.array([0, 0, 1, 0, 0, 1.0])
    whole = {"observations": rows, "actions": rows * 0, "rewards": ends - 1, "masks": 1 - ends}
    regular = w.write_npz(
        tmp_path / "a.npz", {**whole, "terminals": ends, "next_observations": rows + 1}
    )
    data = load(regular)
    assert len(data) == n and data.terminated.tolist() == ends.tolist()
    compact = {**whole, "masks": np.ones(n), "terminals": [0, 1, 1, 0, 1, 1], "valids": 1 - ends}
    data = load(w.write_npz(tmp_path / "b.npz", compact))
    assert data.obs[:, 0].tolist() == [0, 1, 3, 4] and not data.terminated.any()
    assert data.next_obs[:, 0].tolist() == [1, 2, 4, 5] and data.episodes() == [(0, 2), (2, 4)]


def adroit(folder: Path) -> Path:
    """10 expert trajectories of 3 rows that win at their end, 10 cloned of which one wins twice."""
    w.write_pickled(folder / "pen2_sparse.npy", [w.expert(3, (2,), 10 * i) for i in range(10)])
    cloned = [w.trajectory(5, (1, 3) if i == 9 else (), 1000 + 10 * i) for i in range(10)]
    w.write_pickled(folder / "pen_bc_sparse4.npy", cloned)
    return folder


def test_adroit_as_rlpd_reads_it(tmp_path: Path) -> None:
    data = load(adroit(tmp_path), view="rlpd")
    assert len(data) == 9 * 3 + 9 * 5 and not data.terminated.any()
    assert len(data.episodes()) == 18 and data.info["name"] == "pen"
    assert data.rewards[:3].tolist() == [-1, -1, 0]
    assert np.array_equal(data.next_obs, data.obs + 1)


def test_adroit_as_cal_ql_reads_it(tmp_path: Path) -> None:
    data = load(adroit(tmp_path) / "pen", view="cal-ql")
    assert len(data) == 10 * 3 + 4
    assert data.rewards[-4:].tolist() == [-1, 0, -1, 0]
    assert np.array_equal(data.terminated, data.rewards == 0)
    alone = load(tmp_path / "pen_bc_sparse4.npy", view="cal-ql")
    assert len(alone) == 4
    (tmp_path / "pen2_sparse.npy").unlink()
    for name in (tmp_path, tmp_path / "pen"):
        with pytest.raises(DataError, match=r"pen2_sparse.npy is not there.* name .*sparse4.npy"):
            load(name, view="cal-ql")


def test_d4rls_own_view_does_not_look_at_next_observations(tmp_path: Path) -> None:
    rows = np.arange(4.0)[:, None]
    arrays = {
        "observations": rows,
        "next_observations": rows + 5,
        "actions": rows * 0,
        "rewards": rows[:, 0],
        "terminals": np.zeros(4, bool),
        "timeouts": np.array([0, 1, 0, 0], bool),
    }
    data = load(w.write_hdf5(tmp_path / "a.hdf5", arrays), view="qlearning")
    assert data.obs[:, 0].tolist() == [0, 2] and data.next_obs[:, 0].tolist() == [1, 3]


def flagged(lengths: list[int]) -> Dataset:
    rng, n = np.random.default_rng(0), sum(lengths)
    ends = np.zeros(n, bool)
    ends[np.cumsum(lengths) - 1] = True
    dead = ends & (np.arange(n) > n // 2)
    obs = rng.standard_normal((n, 3)).astype(np.float32)
    actions = rng.uniform(-0.9, 0.9, (n, 2)).astype(np.float32)
    rewards = rng.standard_normal(n).astype(np.float32)
    after = np.concatenate([obs[1:], obs[:1]])
    after[ends] += 5
    return Dataset(obs, actions, rewards, dead, ends & ~dead, after, {}, dead)


ARRAYS = ("obs", "actions", "rewards", "terminated", "truncated", "next_obs", "success")


def test_minari_to_a_folder_to_minari_loses_nothing(tmp_path: Path) -> None:
    pytest.importorskip("minari")
    data = flagged([4, 1, 7, 3])
    first = load(export_minari(data, "tests/first-v0", tmp_path / "one"))
    flat = load(save_folder(first, tmp_path / "flat", {}))
    again = load(export_minari(flat, "tests/again-v0", tmp_path / "two"))
    for name in ARRAYS:
        for other in (first, flat, again):
            assert np.array_equal(getattr(other, name), getattr(data, name)), name
    assert again.info["success_rate"] == flat.info["success_rate"] == 0.5


def test_an_export_that_fails_leaves_nothing_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("minari")
    data, root, closed = flagged([2, 2]), tmp_path / "root", []

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(
        export, "_environment", lambda _: SimpleNamespace(close=lambda: closed.append(1), spec=None)
    )
    with monkeypatch.context() as patch:
        patch.setattr("minari.create_dataset_from_buffers", full)
        with pytest.raises(RunError, match="the disk is full"):
            export_minari(data, "tests/first-v0", root)
    assert closed == [1] and not list(root.iterdir())
    monkeypatch.setattr(export, "_environment", lambda _: None)
    assert export_minari(data, "tests/first-v0", root) == root / "tests" / "first-v0"
    export_minari(data, "tests/second-v0", root)
    found = {path.name for path in (root / "tests").iterdir()}
    assert found == {"first-v0", "second-v0", "namespace_metadata.json"}
    with pytest.raises(DataError, match="first-v0 is there already"):
        export_minari(data, "tests/first-v0", root)
    with pytest.raises(RunError, match="Choose another folder"):
        export_minari(data, "tests/first-v0", root / "tests" / "namespace_metadata.json")
    assert [path.name for path in root.iterdir()] == ["tests"]


@pytest.mark.parametrize("form", ["arrow", "parquet"])
@pytest.mark.parametrize("nested", [False, True])
def test_minari_in_arrow_is_read_as_in_hdf5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, nested: bool
) -> None:
    minari: Any = pytest.importorskip("minari")
    from gymnasium import spaces
    from minari.data_collector.episode_buffer import EpisodeBuffer

    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    box = spaces.Box(-np.inf, np.inf, (2,), np.float32)
    buffers = []
    for i in range(11):  # 10 stands behind 2 in the order of numbers, not of names
        rows = np.arange(4, dtype=np.float32)[:, None] + [100 * i, 0]
        rows = rows.astype(np.float32)
        flags = np.array([False, False, i % 2 == 0])
        buffers.append(
            EpisodeBuffer(
                id=i,
                observations={"b": rows, "a": -rows} if nested else rows,
                actions=np.full((3, 1), i / 20, np.float32),
                rewards=np.full(3, i, np.float64),
                terminations=flags,
                truncations=~flags & [False, False, True],
                infos={"success": np.append([False], flags)},
            )
        )
    minari.create_dataset_from_buffers(
        dataset_id=f"tests/{form}-v0",
        buffer=buffers,
        observation_space=spaces.Dict({"b": box, "a": box}) if nested else box,
        action_space=spaces.Box(-1, 1, (1,), np.float32),
        data_format=form,
        algorithm_name="x",
        author="x",
        author_email="x",
        code_permalink="x",
        description="x",
    )
    data = load(f"tests/{form}-v0")
    assert len(data) == 33 and len(data.episodes()) == 11
    assert data.rewards[::3].tolist() == list(range(11))
    assert data.obs.shape[1] == (4 if nested else 2)
    assert data.obs[32].tolist() == ([-1002, -2] if nested else []) + [1002, 2]
    assert np.allclose(data.next_obs[:, -1], data.obs[:, -1] + 1)
    assert data.success is not None and np.array_equal(data.success, data.terminated)
    assert data.info["success_rate"] == 6 / 11
