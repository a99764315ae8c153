"""Next observations stand in the same order as observations, whoever chose them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import writers as w

from warmstart.data import load
from warmstart.data.checks import examine

EPISODES, STEPS = 4, 12


def walks() -> dict[str, Any]:
    """Four smooth walks in two parts (a: 2 numbers, b: 1), with the true next observations."""
    rng = np.random.default_rng(0)
    track = np.cumsum(rng.normal(0, 0.1, (EPISODES, STEPS + 1, 3)), axis=1)
    now, then = track[:, :-1].reshape(-1, 3), track[:, 1:].reshape(-1, 3)
    last = np.tile(np.arange(STEPS) == STEPS - 1, EPISODES)
    return {
        "obs/a": now[:, :2],
        "obs/b": now[:, 2:],
        "next_obs/a": then[:, :2],
        "next_obs/b": then[:, 2:],
        "action": np.linspace(-1, 1, len(now))[:, None],
        "reward": rng.normal(size=len(now)),
        "terminated": np.zeros(len(now), bool),
        "truncated": last,
    }


def write_json(path: Path, columns: dict[str, Any]) -> Path:
    """Groups as objects within the objects."""
    lines = []
    for row in range(len(columns["action"])):
        line: dict[str, Any] = {}
        for name, values in columns.items():
            *group, key = name.split("/")
            there = line
            for part in group:
                there = there.setdefault(part, {})
            there[key] = np.asarray(values)[row].tolist()
        lines.append(json.dumps(line))
    path.write_text("\n".join(lines) + "\n")
    return path


def write_lists(path: Path, columns: dict[str, Any]) -> Path:
    return w.write_parquet(path, {k: np.asarray(v).tolist() for k, v in columns.items()})


WRITERS: dict[str, Any] = {
    "h5": w.write_hdf5,
    "npz": w.write_npz,
    "jsonl": write_json,
    "parquet": write_lists,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_groups_in_an_order_of_your_own(tmp_path: Path, kind: str) -> None:
    columns = walks()
    path = WRITERS[kind](tmp_path / f"a.{kind}", columns)
    data = load(path, mapping={"obs": "obs/b+obs/a"})
    assert np.array_equal(data.obs[:, 1:], columns["obs/a"].astype(np.float32))
    assert np.array_equal(data.next_obs[:, 0], columns["next_obs/b"][:, 0].astype(np.float32))
    assert np.array_equal(data.next_obs[:, 1:], columns["next_obs/a"].astype(np.float32))
    assert len(data.episodes()) == EPISODES and len(data) == EPISODES * STEPS
    alone = load(path, mapping={"obs": "obs/a"})
    assert alone.next_obs.shape == (len(data), 2) and len(alone.episodes()) == EPISODES
    assert np.array_equal(alone.next_obs, data.next_obs[:, 1:])


def test_a_group_found_unasked_takes_its_own_counterparts(tmp_path: Path) -> None:
    """Not whatever else stands in the group of next observations."""
    columns = walks()
    columns["next_obs/c"] = columns["next_obs/b"] + 7
    data = load(w.write_hdf5(tmp_path / "a.h5", columns))
    assert data.next_obs.shape == data.obs.shape == (EPISODES * STEPS, 3)
    named = {k.replace("next_obs/", "next_observations/"): v for k, v in columns.items()}
    again = load(w.write_hdf5(tmp_path / "b.h5", named))
    assert np.array_equal(again.next_obs, data.next_obs)


def test_without_a_counterpart_the_next_row_is_taken(tmp_path: Path) -> None:
    columns = walks()
    columns["extra"] = np.arange(EPISODES * STEPS)[:, None] * 1.0
    path = w.write_hdf5(tmp_path / "a.h5", columns)
    data = load(path, mapping={"obs": "obs/a+extra"})
    assert len(data) == EPISODES * (STEPS - 1) and len(data.episodes()) == EPISODES
    assert np.all(data.next_obs[:, 2] == data.obs[:, 2] + 1)
    assert "next_obs" not in data.info["columns"]
    one = walks()  # whose next observations these are, nobody says
    one = {k: v for k, v in one.items() if not k.startswith("next")} | {"next_obs": one["obs/a"]}
    assert len(load(w.write_hdf5(tmp_path / "b.h5", one), mapping={"obs": "obs/a"})) == 44


def test_an_only_array_of_next_observations_belongs_to_an_only_state(tmp_path: Path) -> None:
    columns = walks()
    plain = {k: v for k, v in columns.items() if "/" not in k}
    plain |= {"state": columns["obs/a"], "next_obs": columns["next_obs/a"]}
    data = load(w.write_npz(tmp_path / "a.npz", plain), mapping={"obs": "state"})
    assert len(data) == EPISODES * STEPS
    assert np.array_equal(data.next_obs, columns["next_obs/a"].astype(np.float32))


@pytest.mark.parametrize("name", ["next_obs", "obs_next", "next_observation", "observation_next"])
def test_numbered_columns_in_an_order_of_your_own(tmp_path: Path, name: str) -> None:
    columns = walks()
    plain = {k: np.asarray(v).reshape(-1) for k, v in columns.items() if "/" not in k}
    plain |= {"action_0": plain.pop("action"), "terminated": plain["terminated"].astype(int)}
    plain["truncated"] = plain["truncated"].astype(int)
    for i in range(2):
        plain |= {f"obs_{i}": columns["obs/a"][:, i], f"{name}_{i}": columns["next_obs/a"][:, i]}
    for path in (w.write_csv(tmp_path / "a.csv", plain), w.write_npz(tmp_path / "a.npz", plain)):
        data = load(path, mapping={"obs": "obs_1+obs_0"})
        assert np.allclose(data.next_obs, columns["next_obs/a"][:, ::-1])
        assert len(data.episodes()) == EPISODES
        assert np.allclose(load(path, mapping={"obs": "obs_1"}).next_obs[:, 0], data.next_obs[:, 0])
        assert np.allclose(load(path).next_obs, columns["next_obs/a"])


def test_robomimic_and_folders_of_logs_alike(tmp_path: Path) -> None:
    file = w.write_robomimic(tmp_path / "demo.hdf5", 3)
    data = load(file, mapping={"obs": "obs/robot0_eef_pos+obs/object", "done": "dones"})
    assert data.obs[4].tolist() == [11, -11, 11.5] and data.next_obs[4].tolist() == [12, -12, 12.5]
    columns = walks()
    (tmp_path / "logs").mkdir()
    for i in range(EPISODES):
        rows = slice(i * STEPS, (i + 1) * STEPS)
        part = {k: np.asarray(v)[rows] for k, v in columns.items()}
        w.write_hdf5(tmp_path / "logs" / f"run_{i}.h5", part)
    data = load(tmp_path / "logs", mapping={"obs": "obs/b+obs/a"})
    assert len(data.episodes()) == EPISODES == data.info["parts"]
    assert np.allclose(data.next_obs[:, 1:], columns["next_obs/a"])


def test_the_examination_of_chosen_columns_is_clean(tmp_path: Path) -> None:
    path = w.write_hdf5(tmp_path / "a.h5", walks())
    report = examine(load(path, mapping={"obs": "obs/b+obs/a"}))
    assert {f.name for f in report.of("error", "warning")} <= {"few-rows"}
