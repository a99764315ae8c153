"""What happens at the end of an episode: rewards of rows that are dropped, done beside truncated,
rows of several environments that take turns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import writers as w

from warmstart.commands.parse import parse
from warmstart.data import load, save_folder
from warmstart.data.checks import examine
from warmstart.errors import DataError
from warmstart.types import Dataset

LENGTH = 20


def said(data: Dataset) -> dict[str, str]:
    """Names and grades of what `data check` finds."""
    return {f.name: f.grade for f in examine(data).findings}


def log(episodes: int = 5, last: float = 1.0, **changes: Any) -> dict[str, Any]:
    """Smooth walks, rewarded on the last row of each alone."""
    rng = np.random.default_rng(1)
    rows = episodes * LENGTH
    ends = np.tile(np.arange(LENGTH) == LENGTH - 1, episodes)
    place = np.cumsum(rng.normal(0, 0.1, (episodes, LENGTH, 2)), axis=1).reshape(rows, 2)
    plain = {
        "x": place[:, 0],
        "y": place[:, 1],
        "u": rng.uniform(-1, 1, rows),
        "r": np.where(ends, last, 0.0),
        "run": np.repeat(np.arange(episodes), LENGTH),
    }
    return plain | changes


MAP = {"obs": "x+y", "action": "u", "reward": "r", "done": "never", "episode": "run"}


def test_a_log_an_episode_with_its_reward_at_the_end(tmp_path: Path) -> None:
    """The first recipe of docs/data.md."""
    (tmp_path / "logs").mkdir()
    for i in range(5):
        rows = slice(i * LENGTH, (i + 1) * LENGTH)
        w.write_csv(tmp_path / "logs" / f"{i}.csv", {k: v[rows] for k, v in log().items()})
    never = {k: v for k, v in MAP.items() if k != "episode"}
    lost = load(tmp_path / "logs", mapping=never)
    assert lost.rewards.sum() == 0
    found = {f.name: f for f in examine(lost).findings}["rewards-dropped"]
    assert found.grade == "error" and found.numbers["sum"] == 5 and found.count == 5
    assert "5 rows" in found.what and "rewards of 5 in all" in found.what
    assert "done=last" in found.fix
    kept = load(tmp_path / "logs", mapping={**never, "done": "last"})
    assert kept.rewards.sum() == 5 and len(kept) == 100 and kept.terminated.sum() == 5
    assert "rewards-dropped" not in said(kept) and len(kept.episodes()) == 5
    folder = save_folder(lost, tmp_path / "converted", {})
    assert said(load(folder))["rewards-dropped"] == "error"


@pytest.mark.parametrize("kind", ["csv", "npz", "hdf5", "parquet"])
def test_a_penalty_on_the_last_row_beside_other_rewards(tmp_path: Path, kind: str) -> None:
    write = {
        "csv": w.write_csv, "npz": w.write_npz, "hdf5": w.write_hdf5, "parquet": w.write_parquet,
    }[kind]  # fmt: skip
    columns = log(last=-5.0)
    columns["r"] = columns["r"] + np.random.default_rng(0).uniform(0, 1, 100)
    path = write(tmp_path / f"a.{kind}", columns)
    assert said(load(path, mapping=MAP))["rewards-dropped"] == "warning"
    kept = load(path, mapping={**MAP, "done": "last"})
    assert kept.rewards.min() < -3 and "rewards-dropped" not in said(kept)


def test_usual_rewards_on_last_rows_are_no_loss(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for rewards in (
        rng.normal(size=1000),
        -rng.uniform(0, 16, 1000) * np.tile(np.linspace(1, 0, LENGTH), 50),  # towards a goal
        np.ones(1000),
        np.tile((np.arange(LENGTH) % 7 == 6) * 1.0, 50),  # sparse, but not at the end
    ):
        path = w.write_npz(tmp_path / "a.npz", log(50, r=rewards))
        assert "rewards-dropped" not in said(load(path, mapping=MAP))


def test_done_last_keeps_what_is_marked_as_cut_and_asks_where_episodes_end(tmp_path: Path) -> None:
    columns = log(2)
    cut = np.zeros(40, int)
    cut[-1] = 1
    data = load(w.write_npz(tmp_path / "a.npz", columns | {"cut": cut}), mapping=MAP | {
        "done": "last", "truncated": "cut",
    })  # fmt: skip
    assert data.terminated.sum() == 1 and len(data) == 39
    alone = {k: v for k, v in MAP.items() if k != "episode"} | {"done": "last"}
    with pytest.raises(DataError, match="does not say where episodes end"):
        load(tmp_path / "a.npz", mapping=alone)
    named = columns | {"last": np.zeros(40, int)}  # a column of that name is meant
    data = load(w.write_npz(tmp_path / "b.npz", named), mapping=MAP | {"done": "last"})
    assert not data.terminated.any()


def lerobot(root: Path, **changes: Any) -> Path:
    """Four episodes of 3 frames, the last frame of each solved."""
    solved = np.tile([False, False, True], 4)
    rewards = np.tile([0.0, 0.0, 1.0], 4).astype(np.float32)
    told: dict[str, Any] = {"next.success": solved, "next.reward": rewards, "next.done": None}
    return w.write_lerobot(root, 3, 4, **(told | changes))


def test_success_ends_an_episode_of_lerobot_where_nothing_says_done(tmp_path: Path) -> None:
    data = load(lerobot(tmp_path / "a"))
    assert data.rewards.sum() == 4 and data.terminated.sum() == 4 and len(data) == 12
    assert data.info["success_rate"] == 1.0 and "rewards-dropped" not in said(data)
    some = np.tile([False, False, True], 4)
    some[-1] = False
    data = load(lerobot(tmp_path / "b", **{"next.success": some}))
    assert data.terminated.sum() == 3 and len(data) == 11


def test_a_penalty_that_lerobot_drops_is_told_and_its_way_out_works(tmp_path: Path) -> None:
    done, rewards = np.tile([False, False, True], 4), np.zeros(12, np.float32)
    rewards[2] = -5.0
    solved = done.copy()
    solved[2] = False
    root = lerobot(
        tmp_path / "a", **{"next.done": done, "next.success": solved, "next.reward": rewards}
    )
    found = {f.name: f for f in examine(load(root)).findings}["rewards-dropped"]
    assert found.numbers["sum"] == -5 and found.count == 1
    kept = load(root, mapping={"done": "next.done"})
    assert kept.rewards.sum() == -5 and kept.terminated.sum() == 4


def buffer(**changes: Any) -> dict[str, Any]:
    """As Stable-Baselines3 stores it: one environment, `dones` at every end."""
    rng = np.random.default_rng(0)
    ends = np.zeros((60, 1))
    ends[[9, 29, 39, 59]] = 1
    cut = ends.copy()
    cut[39] = 0  # this one fell
    track = rng.standard_normal((61, 1, 3)).astype(np.float32)
    plain = {
        "observations": track[:-1],
        "next_observations": track[1:],
        "actions": rng.uniform(-1, 1, (60, 1, 2)),
        "rewards": rng.normal(size=(60, 1)),
        "dones": ends,
        "timeouts": cut,
    }
    return plain | changes


SB3 = {"done": "dones", "truncated": "timeouts"}


@pytest.mark.parametrize("kind", ["npz", "hdf5"])
def test_done_beside_truncated_is_told_and_can_be_read_as_it_was_meant(
    tmp_path: Path, kind: str
) -> None:
    write = w.write_npz if kind == "npz" else w.write_hdf5
    path = write(tmp_path / f"a.{kind}", buffer())
    plain = load(path, mapping=SB3)
    assert plain.terminated.sum() == 4  # which is wrong, and is said
    found = {f.name: f for f in examine(plain).findings}["done-and-truncated"]
    assert found.grade == "warning" and found.count == 3 and "--view done-is-any-end" in found.fix
    assert said(load(save_folder(plain, tmp_path / "folder", {})))["done-and-truncated"]
    meant = load(path, mapping=SB3, view="done-is-any-end")
    assert np.flatnonzero(meant.terminated).tolist() == [39]
    assert np.flatnonzero(meant.truncated).tolist() == [9, 29, 59]
    assert "done-and-truncated" not in said(meant)
    parse(["data", "check", str(path), "--view", "done-is-any-end"])


def test_rows_that_fell_at_the_limit_by_chance_are_a_note(tmp_path: Path) -> None:
    cut, fell = np.zeros((60, 1)), np.zeros((60, 1))
    cut[[9, 19, 29, 39, 59]] = 1
    fell[[29, 49]] = 1
    path = w.write_npz(tmp_path / "a.npz", buffer(dones=fell, timeouts=cut))
    assert said(load(path, mapping=SB3))["done-and-truncated"] == "note"
    apart = buffer(dones=fell, timeouts=cut * (1 - fell))
    assert "done-and-truncated" not in said(load(w.write_npz(path, apart), mapping=SB3))


def test_where_nothing_says_what_was_cut_that_reading_is_refused(tmp_path: Path) -> None:
    columns = buffer()
    del columns["timeouts"]
    path = w.write_npz(tmp_path / "a.npz", columns)
    with pytest.raises(DataError, match="truncated=NAME"):
        load(path, mapping={"done": "dones"}, view="done-is-any-end")


def test_minari_with_both_marks(tmp_path: Path) -> None:
    folder = tmp_path / "x-v0" / "data"
    folder.mkdir(parents=True)
    with h5py.File(folder / "main_data.hdf5", "w") as file:
        for i in range(2):
            file[f"episode_{i}/observations"] = np.arange(8.0).reshape(4, 2)
            file[f"episode_{i}/actions"] = np.zeros((3, 1))
            file[f"episode_{i}/rewards"] = np.zeros(3)
            for name in ("terminations", "truncations"):
                file[f"episode_{i}/{name}"] = np.array([0, 0, 1], bool)
    assert said(load(folder.parent))["done-and-truncated"] == "warning"
    assert not load(folder.parent, view="done-is-any-end").terminated.any()


def turns(count: int, start: Any = 0, rounds: int = 30, length: int = 10) -> np.ndarray:
    """Steps of several environments that take turns, each reset by itself after `length` steps."""
    steps = np.arange(rounds)[:, None] + np.broadcast_to(start, count)[None, :]
    return (steps % length).reshape(-1)


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize(
    "step",
    [turns(2), turns(3), turns(2, [0, 4]), turns(8), turns(5, np.arange(5) * 2), turns(2) / 20],
    ids=["2", "3", "2 apart", "8", "5 apart", "time"],
)
def test_environments_that_take_turns_are_refused(
    tmp_path: Path, step: np.ndarray, done: bool
) -> None:
    rows = len(step)
    columns = log(1 + rows // LENGTH)
    columns = {k: v[:rows] for k, v in columns.items() if k != "run"} | {"t": step}
    columns["end"] = (step >= step.max()).astype(int) if done else np.zeros(rows, int)
    path = w.write_csv(tmp_path / "a.csv", columns)
    mapping = {"obs": "x+y", "action": "u", "reward": "r", "done": "end", "step": "t"}
    with pytest.raises(DataError, match=r"took turns.*Sort the rows by environment and time"):
        load(path, mapping=mapping)


@pytest.mark.parametrize("name", ["step", "frame_index", "timestep", "time_step", "step_index"])
def test_a_step_is_found_by_its_usual_names(tmp_path: Path, name: str) -> None:
    columns = {k: v[:24] for k, v in log(3).items() if k != "run"} | {name: turns(2)[:24]}
    path = w.write_csv(tmp_path / "a.csv", columns)
    mapping = {"obs": "x+y", "action": "u", "reward": "r", "done": "never"}
    with pytest.raises(DataError, match="took turns"):
        load(path, mapping=mapping)


def test_turns_sorted_as_the_message_says_are_read(tmp_path: Path) -> None:
    columns = {k: v[:60] for k, v in log(3).items() if k != "run"}
    env, step = np.tile([0, 1, 2], 20), turns(3, 0, 20)
    order = np.lexsort((np.repeat(np.arange(20), 3), env))
    columns = {k: v[order] for k, v in columns.items()} | {"t": step[order]}
    path = w.write_npz(tmp_path / "a.npz", columns)
    mapping = {"obs": "x+y", "action": "u", "reward": "r", "done": "never", "step": "t"}
    assert len(load(path, mapping=mapping).episodes()) == 6


@pytest.mark.parametrize(
    "step",
    [
        np.tile(np.arange(10), 6),
        np.tile(np.arange(1, 11) / 20, 6),
        np.tile(np.arange(2), 30),
        np.arange(60) * 0.1 + np.random.default_rng(0).uniform(0, 0.05, 60),
        np.concatenate([np.arange(s, s + 10) for s in (0, 7, 3, 20, 5, 90)]),  # windows of logs
        np.cumsum(np.tile([1, 2], 30)),
    ],
)
def test_steps_of_one_environment_are_not_taken_for_several(
    tmp_path: Path, step: np.ndarray
) -> None:
    columns = {k: np.resize(v, len(step)) for k, v in log(3).items() if k != "run"}
    path = w.write_npz(tmp_path / "a.npz", columns | {"t": step})
    mapping = {"obs": "x+y", "action": "u", "reward": "r", "done": "never", "step": "t"}
    rises = np.diff(step)
    borders = 1 + int(np.sum((rises <= 0) | (rises > 3)))
    assert len(load(path, mapping=mapping).episodes()) == borders


def test_folders_of_json_are_counted_together(tmp_path: Path) -> None:
    for i in range(3):
        lines = [
            {"obs": [i, t], "action": [0.0], "reward": float(t == 3), "done": 0} for t in range(4)
        ]
        (tmp_path / f"{i}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines))
    data = load(tmp_path, mapping={"done": "never"})
    assert data.info["dropped"] == {"rows": 3, "sum": 3, "sum_of_sizes": 3, "min": 1, "max": 1}
