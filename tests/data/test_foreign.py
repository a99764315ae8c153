"""Files as strangers write them: what would be read silently wrong is refused or read right."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import writers as w

from warmstart.data import load
from warmstart.errors import DataError

N = 4
PLAIN: dict[str, Any] = {
    "obs": np.arange(2 * N, dtype=np.float32).reshape(N, 2),
    "actions": np.zeros((N, 1), np.float32),
    "rewards": np.arange(N, dtype=np.float32),
    "terminated": np.zeros(N, bool),
}
TABLE = "x,u,r,d,e\n" + "".join(f"{i}.5,0.25,1,0,{i // 3}\n" for i in range(6))
MAP = {"obs": "x", "action": "u", "reward": "r", "done": "d", "episode": "e"}
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


def refused(source: Path, says: str, **how: Any) -> None:
    with pytest.raises(DataError) as refusal:
        load(source, **how)
    message = str(refusal.value)
    assert says in message and "\n" not in message and message.endswith(".")


def hdf5(folder: Path, add: Callable[[Any], object]) -> Path:
    """A flat file whose observations `add` writes."""
    path = w.write_hdf5(folder / "a.h5", {k: v for k, v in PLAIN.items() if k != "obs"})
    with h5py.File(path, "a") as file:
        add(file)
    return path


def joined(file: Any, source: str, name: str = "obs") -> None:
    layout = h5py.VirtualLayout((N, 2), "f4")
    layout[:] = h5py.VirtualSource(source, "kept", (N, 2))
    file.create_virtual_dataset(name, layout)


def text(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


def test_rows_of_hdf5_that_would_read_as_zeros_are_refused(tmp_path: Path) -> None:
    def begun(chunks: Any) -> Callable[[Any], object]:
        def write(file: Any) -> None:
            array = file.create_dataset("obs", (N, 2), "f4", chunks=chunks)
            if chunks:
                array[: N // 2] = 1

        return write

    refused(hdf5(tmp_path, begun((1, 2))), "only 50% of '/obs' were ever written")
    refused(hdf5(tmp_path, begun(None)), "only 0% of '/obs' were ever written")
    refused(hdf5(tmp_path, lambda file: joined(file, "far.h5")), "of 'far.h5', which is not there")
    w.write_hdf5(tmp_path / "far.h5", {"other": PLAIN["obs"]})
    refused(tmp_path / "a.h5", "which is not there, and would read as zeros")
    w.write_hdf5(tmp_path / "far.h5", {"kept": PLAIN["obs"]})
    assert np.array_equal(load(tmp_path / "a.h5").obs, PLAIN["obs"][:-1])


def test_flags_that_were_left_at_zero_are_flags(tmp_path: Path) -> None:
    path = w.write_hdf5(tmp_path / "a.h5", {k: PLAIN[k] for k in ("obs", "actions", "rewards")})
    with h5py.File(path, "a") as file:
        file.create_dataset("terminated", (N,), bool, chunks=(1,))[1] = True
    assert load(path).terminated.tolist() == [False, True, False]


def test_raw_bytes_of_another_file_are_not_numbers(tmp_path: Path) -> None:
    other = text(tmp_path, b"\0" * 32, "secret")
    path = hdf5(
        tmp_path, lambda file: file.create_dataset("obs", (N, 2), "f4", external=[(other, 0, 32)])
    )
    refused(path, "raw bytes of")


@pytest.mark.parametrize(
    "mask", [[1, np.nan, 0, 1], [1, -1, 0, 1], [1, 255, 0, 1], ["1", "1", "0", "1"]]
)
def test_a_mask_is_0_at_ends_and_at_most_1(tmp_path: Path, mask: list[Any]) -> None:
    columns = {**{k: v for k, v in PLAIN.items() if k != "terminated"}, "mask": np.array(mask)}
    refused(w.write_npz(tmp_path / "a.npz", columns), "'mask' is no mask")
    columns["mask"] = np.array([0.99, 0.99, 0, 0.99])
    data = load(w.write_npz(tmp_path / "a.npz", columns))
    assert data.terminated.tolist() == [False, False, True]


def test_numbers_of_episodes_that_cannot_be_told_apart(tmp_path: Path) -> None:
    path = text(
        tmp_path, TABLE.replace(",0\n", ",20261121153012345670\n").replace(",1\n", ",2e19\n")
    )
    refused(path, "'episode' holds numbers as large as 2.02611e+19", mapping=MAP)


def test_an_episode_without_a_name_is_a_gap(tmp_path: Path) -> None:
    path = text(tmp_path, "x,u,r,d,e\n1,0,1,0,a\n2,0,1,0,\n3,0,1,0,\n")
    refused(path, "'e' is empty or NaN in row 1", mapping=MAP)


@pytest.mark.parametrize("form", ["csv", "npz"])
def test_rows_that_are_missing_cut_an_episode(tmp_path: Path, form: str) -> None:
    steps = np.delete(np.tile(np.arange(0, 60, 2), 2), 17)
    columns = {
        "obs_0": np.arange(59.0),
        "action_0": np.zeros(59),
        "reward": np.zeros(59),
        "terminated": np.zeros(59, int),
        "step": steps.astype(np.uint8),
    }
    mapping = {"obs": "obs_0", "action": "action_0"}
    write = w.write_csv if form == "csv" else w.write_npz
    data = load(write(tmp_path / f"a.{form}", columns), mapping=mapping)
    assert data.episodes() == [(0, 16), (16, 27), (27, 56)]
    assert np.all(data.next_obs == data.obs + 1)
    columns["step"] = np.cumsum(np.arange(59) % 3 + 1)  # times, not numbers of rows
    assert len(load(write(tmp_path / f"a.{form}", columns), mapping=mapping).episodes()) == 1


def test_groups_stand_in_the_order_of_a_dict(tmp_path: Path) -> None:
    columns = {k: v for k, v in PLAIN.items() if k != "obs"}
    columns |= {"obs/arm/x": np.ones(N), "obs/arm-left": np.full(N, 2.0)}
    assert load(w.write_hdf5(tmp_path / "a.h5", columns)).obs[0].tolist() == [1, 2]


@pytest.mark.parametrize("name", ["next_obs_0", "obs_next_0"])
def test_next_observations_of_a_table_are_found_unasked(tmp_path: Path, name: str) -> None:
    path = text(tmp_path, f"obs_0,{name},action_0,reward,terminated\n1,5,1,1,0\n2,6,1,1,0\n")
    assert load(path).obs.tolist() == [[1], [2]] and load(path).next_obs.tolist() == [[5], [6]]
    assert len(load(path, mapping={"obs": "obs_0+reward"})) == 1


def test_nameless_columns_and_hidden_packing_of_csv_are_no_matter(tmp_path: Path) -> None:
    plain = load(text(tmp_path, TABLE), mapping=MAP)
    packed = gzip.compress(TABLE.encode())
    files = [
        text(tmp_path, TABLE.replace("\n", ",,\n"), "b.csv"),
        text(tmp_path, packed, "C.CSV.GZ"),
        text(tmp_path, packed, "d.csv"),
    ]
    for file in files:
        assert np.array_equal(load(file, mapping=MAP).obs, plain.obs)


def test_lists_without_numbers(tmp_path: Path) -> None:
    path = w.write_parquet(tmp_path / "a.parquet", w.table(state_1=[[]] * 6))
    refused(path, "holds lists without numbers", mapping=w.MAPPING)


@pytest.mark.parametrize("name", ["a.csv", "a.h5", "a.npz", "a.parquet", "a.jsonl"])
def test_what_git_left_in_place_of_a_file(tmp_path: Path, name: str) -> None:
    refused(text(tmp_path, POINTER, name), "git lfs pull", mapping=MAP)


# LeRobot


def test_lerobot_as_it_lies_on_disks(tmp_path: Path) -> None:
    ends: Any = {"next.done": [[i % 3 == 2] for i in range(6)]}
    root = w.write_lerobot(tmp_path / "r", **ends)
    text(root / "data" / "chunk-000", b"\0mac", "._file-000.parquet")
    data = load(root)
    assert data.terminated.tolist() == [False] * 4 + [True] and len(data.episodes()) == 2


def test_lerobot_half_there(tmp_path: Path) -> None:
    root = w.write_lerobot(tmp_path / "r")
    info = root / "meta" / "info.json"
    info.write_text(json.dumps({**json.loads(info.read_text()), "total_frames": 7}))
    refused(root, "promises 7 frames in meta/info.json, but its Parquet files hold 6")
    text(root / "data" / "chunk-000", POINTER, "file-000.parquet")
    refused(root, "git lfs pull")
    info.write_text("[" * 100_000)
    refused(root, "info.json cannot be read")


# Minari


def minari(folder: Path, **changes: Any) -> Path:
    """Two episodes of 3 steps; `changes` replace arrays of the second."""
    data = folder / "x-v0" / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    with h5py.File(data / "main_data.hdf5", "w") as file:
        for i in range(2):
            plain = {
                "observations": np.zeros((4, 2)),
                "actions": np.zeros((3, 1)),
                "rewards": np.zeros(3),
                "terminations": np.zeros(3, bool),
                "truncations": np.array([0, 0, 1], bool),
            }
            for name, values in (plain | (changes if i else {})).items():
                file[f"episode_{i}/{name}"] = values
    return data.parent


@pytest.mark.parametrize("flags", [[0, np.nan, 0], [0, 2, 0], [b"False"] * 3])
@pytest.mark.parametrize("name", ["terminations", "truncations"])
def test_minari_ends_are_0_or_1(tmp_path: Path, name: str, flags: list[Any]) -> None:
    path = minari(tmp_path, **{name: np.array(flags)})
    refused(path, f"episode 1 has {name} that are neither 0 nor 1")


def test_minari_columns_of_one_number_are_squeezed(tmp_path: Path) -> None:
    ends = np.array([[0], [0], [1]])
    data = load(minari(tmp_path, terminations=ends, rewards=np.ones((3, 1))))
    assert data.rewards.tolist() == [0, 0, 0, 1, 1, 1] and data.terminated[5]


@pytest.mark.parametrize("told", [[np.nan] * 3, [0, 5, 0], [b"False"] * 3])
def test_minari_successes_that_are_no_flags_are_not_told(tmp_path: Path, told: list[Any]) -> None:
    path = minari(tmp_path)
    with h5py.File(path / "data" / "main_data.hdf5", "a") as file:
        for i in range(2):
            file[f"episode_{i}/infos/success"] = np.array(told)
    assert load(path).success is None


def test_minari_tuples_keep_their_order(tmp_path: Path) -> None:
    path = minari(tmp_path)
    with h5py.File(path / "data" / "main_data.hdf5", "a") as file:
        for i in range(2):
            del file[f"episode_{i}/observations"]
            for part in range(12):
                file[f"episode_{i}/observations/_index_{part}"] = np.full((4, 1), part)
    assert load(path).obs[0].tolist() == list(range(12))


def test_minari_half_there(tmp_path: Path) -> None:
    path = minari(tmp_path)
    (path / "data" / "metadata.json").write_text(json.dumps({"total_episodes": 3}))
    refused(path, "holds 2 episodes, its metadata.json promises 3")
    (path / "data" / "metadata.json").write_text('{"env_spec": ' + "[" * 100_000)
    assert len(load(path)) == 6
    with h5py.File(path / "data" / "main_data.hdf5", "a") as file:
        del file["episode_1"]
        file["episode_1"] = 1.0
    refused(path, "episode 1 cannot be read")
    (path / "data" / "main_data.hdf5").write_text(POINTER)
    refused(path, "git lfs pull")


def test_minari_episodes_that_observe_other_things(tmp_path: Path) -> None:
    path = minari(tmp_path)
    with h5py.File(path / "data" / "main_data.hdf5", "a") as file:
        for i, keys in enumerate(("ab", "abc")):
            del file[f"episode_{i}/observations"]
            for key in keys:
                file[f"episode_{i}/observations/{key}"] = np.zeros((4, 1))
    refused(path, "episode 1 observes a, b, c, the first one a, b")


def test_minari_parts_in_another_file_that_is_gone(tmp_path: Path) -> None:
    path = minari(tmp_path)
    with h5py.File(path / "data" / "main_data.hdf5", "a") as file:
        del file["episode_1/observations"]
        joined(file, "far.h5", "episode_1/observations")
    refused(path, "would read as zeros")


# OGBench and Adroit-binary


@pytest.mark.parametrize("timing", ["pre", "post"])
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"terminals": np.zeros(7, bool)}, "7 terminals and 8 states in qpos"),
        ({"qpos": np.zeros((5, 2))}, "8 terminals and 5 states in qpos"),
        ({"terminals": np.full(8, np.nan)}, "can only be 0 or 1"),
    ],
)
def test_ogbench_of_several_lengths(
    tmp_path: Path, changes: dict[str, Any], says: str, timing: str
) -> None:
    path = w.write_npz(tmp_path / "maze.npz", w.ogbench(**changes))
    refused(path, says, simulator=w.Maze(timing))


def test_adroit_of_several_tasks(tmp_path: Path) -> None:
    other = w.trajectory(3, (2,), actions=np.zeros((3, 2)))
    path = w.write_pickled(tmp_path / "pen2_sparse.npy", [w.expert(3, (2,)), other])
    refused(path, "a row of actions has 1 numbers in one trajectory, 2 in another", view="cal-ql")


# Lines of JSON


def lines(rows: int = 6) -> str:
    held = [
        {
            "t": f"2026-01-01 00:00:0{i}",
            "obs": {"vel": 2.0 * i, "pos": [i, -i]},
            "action": [0.25],
            "reward": 1 if i < 4 else 0.5,
            "terminated": i == 2,
            "episode": "ab"[i // 3],
        }
        for i in range(rows)
    ]
    return "".join(json.dumps(row) + "\n" for row in held)


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.jsonl.gz", "windows.jsonl"])
def test_lines_of_json_are_a_table_with_groups(tmp_path: Path, name: str) -> None:
    content = lines().replace("\n", "\r\n") if name.startswith("w") else lines()
    packed = gzip.compress(content.encode()) if name.endswith("gz") else content.encode()
    data = load(text(tmp_path, packed, name))
    assert data.obs.tolist() == [[i, -i, 2 * i] for i in range(5)]
    assert data.rewards.tolist() == [1, 1, 1, 1, 0.5] and data.actions[0].tolist() == [0.25]
    assert data.episodes() == [(0, 3), (3, 5)] and data.terminated.tolist() == [0, 0, 1, 0, 0]
    assert load(tmp_path / name, mapping={"obs": "obs/vel"}).obs.shape == (5, 1)


def test_a_folder_of_lines_of_json(tmp_path: Path) -> None:
    for i in range(2):
        text(tmp_path, lines(3), f"run_{i}.jsonl")
    assert load(tmp_path).episodes() == [(0, 3), (3, 6)]
    text(tmp_path, TABLE, "run.csv")  # beside a table they are notes
    assert load(tmp_path, mapping=MAP).obs.shape == (4, 1)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "cannot be read as a table"),
        (lines()[:-30], "cannot be read as a table (JSON parse error"),
        ("[1, 2]\n", "changed from object to array"),
        (lines().replace("0.5", '"low"'), "changed from number to string"),
        (lines() + '{"t": "x"}\n', "is empty or NaN in row 6"),
        (lines() + '{"t": ' + "[" * 300_000, "thousands of brackets"),
        (lines() + '{"t": ' * 300_000, "thousands of brackets"),
    ],
)
def test_lines_of_json_that_are_broken(tmp_path: Path, content: str, says: str) -> None:
    refused(text(tmp_path, content, "a.jsonl"), says)
