"""The user's own logs: CSV, Parquet, NPZ and HDF5 by a mapping."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import writers as w

from warmstart.data import load, parse_columns
from warmstart.data import memory as room
from warmstart.errors import DataError

WRITERS = {
    "log.csv": w.write_csv,
    "log.parquet": w.write_parquet,
    "log.npz": w.write_npz,
    "log.hdf5": w.write_hdf5,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_mapping_with_patterns_reads_every_kind_of_file(tmp_path: Path, name: str) -> None:
    data = load(WRITERS[name](tmp_path / name, w.table()), mapping=w.MAPPING)
    # Natural order: state_1, state_2, state_10. Row 5 was cut without a next row.
    assert data.obs[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert data.obs[3].tolist() == [3, 30, -3]
    assert data.actions[0].tolist() == [0.25, -0.5]
    assert data.rewards.tolist() == [0, 0.5, 1, 1.5, 2]
    assert data.terminated.tolist() == [False, False, True, False, False]
    assert data.episodes() == [(0, 3), (3, 5)]
    assert data.obs.dtype == data.next_obs.dtype == data.actions.dtype == np.float32


def test_names_that_say_it_themselves_need_no_mapping(tmp_path: Path) -> None:
    columns = w.table()
    renamed = {
        "obs_0": columns["state_1"],
        "action_0": columns["cmd_0"],
        "reward": columns["r"],
        "terminal": columns["fallen"],
        "episode": [f"run {i}" for i in columns["run"]],
        "note": ["text is no matter"] * 6,
    }
    data = load(w.write_csv(tmp_path / "log.csv", renamed))
    assert data.episodes() == [(0, 3), (3, 5)] and data.obs.shape == (5, 1)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("word", ["obs", "observation"])
def test_vectors_of_numbered_columns_need_no_mapping(tmp_path: Path, name: str, word: str) -> None:
    obs, after = (np.arange(36.0).reshape(3, 12) + shift for shift in (0.0, 100.0))
    columns: dict[str, Any] = {f"{word}_{i}": obs[:, i] for i in reversed(range(12))}
    columns |= {f"next_{word}_{i}": after[:, i] for i in reversed(range(12))}
    columns |= {"act_0": np.full(3, 0.5), "reward": np.ones(3), "terminal": np.zeros(3)}
    if name.endswith(("npz", "hdf5")):
        columns[f"{word}_mean"] = np.zeros(12)
    data = load(WRITERS[name](tmp_path / name, columns))
    assert np.array_equal(data.obs, obs) and np.array_equal(data.next_obs, after)
    assert data.info["columns"]["next_obs"][2] == f"next_{word}_2"


def test_vectors_in_parquet_next_observations_and_plus(tmp_path: Path) -> None:
    c = w.table()
    states = np.stack([c["state_1"], c["state_2"]], 1)
    after = states + np.array([1.0, 10.0])
    columns = {
        "s": states.tolist(),
        "n": after.tolist(),
        "a": c["cmd_0"],
        "b": c["cmd_1"],
        "r": c["r"],
    }
    mapping = {"obs": "s", "next_obs": "n", "action": "b+a", "reward": "r", "done": "never"}
    data = load(w.write_parquet(tmp_path / "log.parquet", columns), mapping=mapping)
    assert len(data) == 6 and data.actions[0].tolist() == [-0.5, 0.25]
    assert np.array_equal(data.next_obs, after) and not data.terminated.any()
    assert data.episodes() == [(0, 6)]


def test_a_step_column_ends_episodes_and_a_mask_terminates(tmp_path: Path) -> None:
    columns = w.table(time=[0, 1, 2, 0, 1, 2], alive=[1, 1, 0, 1, 1, 1], run=None)
    mapping = {"obs": "state_1", "action": "cmd_0", "reward": "r", "step": "time", "mask": "alive"}
    data = load(w.write_csv(tmp_path / "log.csv", columns), mapping=mapping)
    assert data.terminated.tolist() == [False, False, True, False, False]
    assert data.episodes() == [(0, 3), (3, 5)]


@pytest.mark.parametrize("also", ["masks", "qpos", "valids"])
def test_what_the_mapping_says_of_ends_counts(tmp_path: Path, also: str) -> None:
    arrays = {n: np.zeros((4, 1)) for n in ("obs", "actions")} | {"rewards": np.zeros(4)}
    at = np.array([0, 1, 0, 0.0])
    path = w.write_npz(tmp_path / "a.npz", {**arrays, also: np.array([1, 1, 0, 1]), "ends": at})
    data = load(path, mapping={"done": "ends"})
    assert data.terminated[:2].tolist() == [False, True] and data.terminated.sum() == 1
    assert not load(path, mapping={"done": "never"}).terminated.any()
    data = load(path, mapping={"done": "never", "truncated": "ends"})
    assert data.episodes() == [(0, 1), (1, 2)]


def test_semicolons_with_either_decimal_sign_beside_names_of_episodes(tmp_path: Path) -> None:
    plain = w.write_csv(tmp_path / "a.csv", w.table(run=[*"aaabbb"])).read_text()
    (tmp_path / "points.csv").write_text(plain.replace(",", ";"))
    (tmp_path / "commas.csv").write_text(plain.replace(",", ";").replace(".", ","))
    for name in ("points.csv", "commas.csv"):
        data = load(tmp_path / name, mapping=w.MAPPING)
        assert data.rewards.tolist() == [0, 0.5, 1, 1.5, 2] and data.episodes() == [(0, 3), (3, 5)]


def test_only_what_is_read_has_to_fit_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = {name: np.zeros((4, 1)) for name in ("obs", "actions", "rewards", "terminated")}
    path = w.write_npz(tmp_path / "a.npz", {**arrays, "films": np.zeros((4, 1000))})
    monkeypatch.setattr(room, "_SMALL", 0)
    monkeypatch.setattr(room, "free_memory", lambda: 2_000)
    assert len(load(path)) == 3
    with pytest.raises(DataError, match="memory are free"):
        load(path, mapping={"obs": "films"})


def test_success_at_end_rewards_logs_without_rewards(tmp_path: Path) -> None:
    mapping = {"obs": "state_1", "action": "cmd_*", "episode": "run"}
    log = w.write_csv(tmp_path / "log.csv", w.table(r=None, fallen=None))
    data = load(log, mapping=mapping, view="success-at-end")
    assert data.rewards.tolist() == [0, 0, 1, 0, 0, 1] == data.terminated.tolist()
    assert data.info["success_rate"] == 1.0
    won = w.table(won=[0, 1, 0, 0, 0, 0], r=None, fallen=None)
    log = w.write_csv(tmp_path / "log.csv", won)
    data = load(log, mapping={**mapping, "success": "won"}, view="success-at-end")
    assert data.rewards.tolist() == [0, 0, 1, 0, 0] and data.info["success_rate"] == 0.5
    assert data.truncated.tolist() == [False, False, False, False, True]


def test_without_arrow_the_message_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = w.write_csv(tmp_path / "log.csv", w.table())
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "pyarrow" else found(name)
    )
    with pytest.raises(DataError, match=r"pip install 'warmstart\[tables\]'"):
        load(log, mapping=w.MAPPING)


def test_the_text_of_the_command_line_is_a_mapping() -> None:
    text = "obs=pos_*+vel_*, action=cmd_*,reward=r,done=never"
    parsed: dict[str, Any] = {
        "obs": "pos_*+vel_*", "action": "cmd_*", "reward": "r", "done": "never",
    }  # fmt: skip
    assert parse_columns(text) == parsed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("obs", "'obs' is no pair"),
        ("obs=,action=a", "'obs=' is no pair"),
        ("obs=a,obs=b", r"join several columns with \+"),
        ("observe=a", "Did you mean 'obs"),
    ],
)
def test_a_mapping_that_cannot_be_read_is_refused(text: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        parse_columns(text)
