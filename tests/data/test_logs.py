"""Folders of logs, an episode a file, and robomimic's demonstrations."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import writers as w

from warmstart.data import load
from warmstart.errors import DataError

MAP = {"obs": "q[*]", "action": "u", "reward": "r", "done": "never"}
KINDS = {"csv": w.write_csv, "parquet": w.write_parquet, "npz": w.write_npz, "hdf5": w.write_hdf5}


@pytest.mark.parametrize("kind", KINDS)
def test_each_file_of_a_folder_is_an_episode(tmp_path: Path, kind: str) -> None:
    folder = w.write_logs(tmp_path / "logs", 12, KINDS[kind], kind)
    (folder / "notes.txt").write_text("the arm squeaks")
    (folder / f"._run_1.{kind}").write_text("what a Mac leaves behind")
    data = load(folder, mapping=MAP)
    # The last row of each has no next observation; run_2 stands before run_10.
    assert data.obs[:, 0].tolist() == [10 * i + t for i in range(12) for t in range(3)]
    assert data.next_obs[:, 0].tolist() == [10 * i + t + 1 for i in range(12) for t in range(3)]
    assert data.obs[5].tolist() == [12, -12] and data.rewards[5] == np.float32(1.2)
    assert data.episodes() == [(3 * i, 3 * i + 3) for i in range(12)]
    assert not data.terminated.any()
    assert data.info["parts"] == 12 and data.info["columns"]["obs"] == ["q[0]", "q[1]"]


def test_logs_in_folders_of_their_own_are_found_and_loops_are_not_followed(tmp_path: Path) -> None:
    for i in (10, 9):
        w.write_logs(tmp_path / "day" / f"run{i}", 1)
    (tmp_path / "day" / "again").symlink_to(tmp_path / "day")
    data = load(tmp_path / "day", mapping=MAP)
    assert len(data) == 6 and data.info["parts"] == 2


def test_a_folder_that_may_not_be_read_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("monday", "tuesday"):
        w.write_logs(tmp_path / name)
    scan = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("tuesday"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"cannot be opened \(Permission denied\)"):
        load(tmp_path, mapping=MAP)


def test_a_log_may_hold_several_episodes_and_success_stands_for_rewards(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("x", "y"):
        w.write_csv(tmp_path / "a" / f"{name}.csv", w.table(r=None, fallen=None))
    mapping = {"obs": "state_1", "action": "cmd_*", "episode": "run"}
    data = load(tmp_path / "a", mapping=mapping, view="success-at-end")
    assert data.rewards.tolist() == [0, 0, 1, 0, 0, 1] * 2
    assert data.episodes() == [(0, 3), (3, 6), (6, 9), (9, 12)]
    assert data.info["success_rate"] == 1.0
    folder = w.write_logs(tmp_path / "b", 2)  # here only the files tell where episodes end
    data = load(folder, mapping={"obs": "q[0]", "action": "u"}, view="success-at-end")
    assert data.rewards.tolist() == [0, 0, 0, 1] * 2


def test_actions_outside_are_counted_over_all_logs(tmp_path: Path) -> None:
    folder = w.write_logs(tmp_path / "logs", 3)
    data = load(folder, mapping=MAP, bounds=(np.array([-0.25]), np.array([0.25])))
    assert data.info["actions_outside"] == {"rows": 12, "first": 0, "largest": 2.0}
    assert np.all(data.actions == np.float32(1 - 1e-5))


def spoilt(tmp_path: Path, spoil: Any) -> Path:
    folder = w.write_logs(tmp_path / "logs", 2)
    spoil(folder)
    return folder


REFUSED: dict[str, tuple[Any, str]] = {
    "an empty log": (lambda f: (f / "run_2.csv").write_text(""), "run_2.csv cannot be read"),
    "names but no rows": (
        lambda f: (f / "run_2.csv").write_text("q[0],q[1],u,r\n"),
        "run_2.csv has names of columns but no rows",
    ),
    "another name": (
        lambda f: (f / "run_1.csv").write_text("q[0],q[7],u,r\n1,2,3,4\n"),
        "run_1.csv has q[0], q[7] for obs, but",
    ),
    "a lost column": (
        lambda f: (f / "run_1.csv").write_text("q[0],q[1],u\n1,2,3\n"),
        "run_1.csv has nothing called 'r' for reward",
    ),
    "two kinds": (lambda f: np.savez(f / "x.npz", u=1), "2 CSV and 1 NPZ files"),
    "a log cut off": (
        lambda f: (f / "run_1.csv").write_text("q[0],q[1],u,r\n1,2,3,4\n1,2"),
        "run_1.csv cannot be read as a table",
    ),
    "a link that leads nowhere": (
        lambda f: [(p.unlink(), p.symlink_to("nowhere.csv")) for p in f.glob("*.csv")],
        "no layout that is known",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_folder_of_logs_names_the_file_that_is_wrong(tmp_path: Path, name: str) -> None:
    spoil, says = REFUSED[name]
    with pytest.raises(DataError) as refused:
        load(spoilt(tmp_path, spoil), mapping=MAP)
    message = str(refused.value)
    assert says in message and "\n" not in message and message.endswith(".")


TABLE = "x_1,x_2,u,r,d\n" + "".join(f"{i}.5,{2 * i},0.25,1.0,{i // 4}\n" for i in range(5))
DIALECTS: dict[str, bytes] = {
    "semicolons and decimal commas": TABLE.replace(",", ";").replace(".", ",").encode(),
    "semicolons and decimal points": TABLE.replace(",", ";").encode(),
    "tabs": TABLE.replace(",", "\t").encode(),
    "a byte order mark": b"\xef\xbb\xbf" + TABLE.encode(),
    "spaces behind commas": TABLE.replace(",", ", ").encode(),
    "quotes": TABLE.replace("x_1", '"x_1"').encode(),
    "blank lines": TABLE.replace("\n", "\n\n").encode(),
    "line ends of Windows": TABLE.replace("\n", "\r\n").encode(),
    "truth in words": TABLE.replace(",0\n", ",False\n").replace(",1\n", ",True\n").encode(),
}


@pytest.mark.parametrize("name", [*DIALECTS, "packed"])
def test_every_dialect_of_csv_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    file = tmp_path / ("log.csv.gz" if name == "packed" else "LOG.CSV")
    file.write_bytes(gzip.compress(TABLE.encode()) if name == "packed" else DIALECTS[name])
    data = load(file, mapping={"obs": "x_*", "action": "u", "reward": "r", "done": "d"})
    assert data.obs.tolist() == [[i + 0.5, 2 * i] for i in range(5)]
    assert data.actions.tolist() == [[0.25]] * 5 and data.rewards.tolist() == [1] * 5
    assert data.terminated.tolist() == [False] * 4 + [True]


def test_robomimic_is_read_without_cameras_in_natural_order(tmp_path: Path) -> None:
    data = load(w.write_robomimic(tmp_path / "low_dim.hdf5"))
    # Keys in sorted order: object, then robot0_eef_pos.
    assert data.obs[:, 1].tolist() == [10 * i + t for i in range(11) for t in range(3)]
    assert data.obs[4].tolist() == [11.5, 11, -11] and data.next_obs[4].tolist() == [12.5, 12, -12]
    assert data.next_obs[5].tolist() == [13.5, 13, -13]
    assert data.terminated.tolist() == [False, False, True] * 11
    assert data.rewards.tolist() == [0, 0, 1] * 11 and len(data.episodes()) == 11


def test_robomimic_by_a_mapping_without_next_observations(tmp_path: Path) -> None:
    gone = {f"next_obs/{k}": None for k in ("robot0_eef_pos", "object", "agentview_image")}
    file = w.write_robomimic(tmp_path / "demo.hdf5", 2, dones=None, rewards=None, **gone)
    with pytest.raises(DataError, match="demo_0 has nothing for rewards and terminated"):
        load(file)
    data = load(file, mapping={"obs": "obs/object"}, view="success-at-end")
    assert data.obs[:, 0].tolist() == [0.5, 1.5, 2.5, 10.5, 11.5, 12.5]
    assert data.rewards.tolist() == [0, 0, 1, 0, 0, 1] == data.terminated.tolist()
    data = load(
        w.write_robomimic(tmp_path / "cut.hdf5", 2, **gone), mapping={"done": "never"}
    )  # cut rows have no next observation
    assert data.obs[:, 1].tolist() == [0, 1, 10, 11] and not data.terminated.any()


def test_groups_of_an_hdf5_file_are_dicts(tmp_path: Path) -> None:
    columns = {
        "observations/b": np.ones((3, 1)),
        "observations/a": np.arange(3.0),
        "actions": np.zeros((3, 1)),
        "rewards": np.zeros(3),
        "terminals": np.array([0, 0, 1]),
    }
    data = load(w.write_hdf5(tmp_path / "a.h5", columns))
    assert data.obs.tolist() == [[0, 1], [1, 1], [2, 1]]
