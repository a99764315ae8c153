"""Files that are wrong in one way each, and the one message that each of them gets."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import writers as w

from warmstart.data import load, save_folder
from warmstart.errors import DataError
from warmstart.types import Dataset

pq: Any = __import__("pyarrow.parquet", fromlist=["parquet"])
N = 4
PLAIN: dict[str, Any] = {
    "obs": np.zeros((N, 2), np.float32),
    "actions": np.zeros((N, 1), np.float32),
    "rewards": np.zeros(N, np.float32),
    "terminated": np.zeros(N, bool),
}

WHOLE = {**PLAIN, "truncated": np.arange(N) == N - 1, "next_obs": PLAIN["obs"]}


def npz(**changes: Any) -> Callable[[Path], Path]:
    columns = {k: v for k, v in (PLAIN | changes).items() if v is not None}
    return lambda folder: w.write_npz(folder / "a.npz", columns)


def hdf5(**changes: Any) -> Callable[[Path], Path]:
    columns = {k: v for k, v in (PLAIN | changes).items() if v is not None}
    return lambda folder: w.write_hdf5(folder / "a.hdf5", columns)


def csv(**changes: Any) -> Callable[[Path], Path]:
    return lambda folder: w.write_csv(folder / "a.csv", w.table(**changes))


def parquet(**changes: Any) -> Callable[[Path], Path]:
    return lambda folder: w.write_parquet(folder / "a.parquet", w.table(**changes))


def raw(name: str, content: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


def torn(write: Callable[[Path], Path], keep: float = 0.5) -> Callable[[Path], Path]:
    """The same file, cut off."""

    def cut(folder: Path) -> Path:
        path = write(folder)
        content = path.read_bytes()
        path.write_bytes(content[: int(keep * len(content))])
        return path

    return cut


def minari(change: Callable[[Any], None]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        data = folder / "x-v0" / "data"
        data.mkdir(parents=True)
        with h5py.File(data / "main_data.hdf5", "w") as file:
            for i in range(2):
                group = file.create_group(f"episode_{i}")
                group["observations"] = np.zeros((4, 2))
                group["actions"] = np.zeros((3, 1))
                group["rewards"] = np.zeros(3)
                group["terminations"] = np.zeros(3, bool)
                group["truncations"] = np.zeros(3, bool)
            change(file)
        return folder / "x-v0"

    return write


def put(name: str, value: Any) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        del file[name]
        if value is not None:
            file[name] = value

    return change


def lerobot(
    spoil: Callable[[Path], object] | None = None, **changes: Any
) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        root = w.write_lerobot(folder / "robot", **changes)
        if spoil is not None:
            spoil(root)
        return root

    return write


def info(**changes: Any) -> Callable[[Path], object]:
    def spoil(root: Path) -> None:
        path = root / "meta" / "info.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return spoil


def no_frames(root: Path) -> None:
    for path in root.rglob("*.parquet"):
        pq.write_table(pq.read_table(path).slice(0, 0), path)


def other_columns(root: Path) -> None:
    path = next(root.rglob("*.parquet"))
    pq.write_table(pq.read_table(path).drop_columns(["next.reward"]), path.with_stem("file-001"))


def pickled(held: Any) -> Callable[[Path], Path]:
    return lambda folder: w.write_pickled(folder / "pen2_sparse.npy", held)


def ogbench(**changes: Any) -> Callable[[Path], Path]:
    return lambda folder: w.write_npz(folder / "maze.npz", w.ogbench(**changes))


def folder(spoil: Callable[[Path], object]) -> Callable[[Path], Path]:
    def write(root: Path) -> Path:
        made = save_folder(Dataset(**WHOLE), root / "d", {})
        spoil(made)
        return made

    return write


def both(root: Path) -> Path:
    for task in ("pen", "door"):
        w.write_pickled(root / f"{task}2_sparse.npy", [w.expert(3, (2,))])
    return root


def bomb(shape: tuple[int, ...]) -> Callable[[Path], Path]:
    """An NPZ file whose observations have another shape in their header than in the file."""

    def write(folder: Path) -> Path:
        path, header = npz(obs=None)(folder), io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "<f4", "fortran_order": False, "shape": shape}
        )
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("obs.npy", header.getvalue() + bytes(100))
        return path

    return write


def endless(folder: Path) -> Path:
    """A file of some kilobytes that declares 10^15 rows."""
    with h5py.File(folder / "a.hdf5", "w") as file:
        for name, values in PLAIN.items():
            shape = (10**15, *values.shape[1:])
            file.create_dataset(name, shape, "f4", chunks=(1024, *values.shape[1:]))
    return folder / "a.hdf5"


def link(to: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = hdf5(obs=None)(folder)
        with h5py.File(path, "a") as file:
            file["obs"] = to
        return path

    return write


def ragged(folder: Path) -> Path:
    path = hdf5(obs=None)(folder)
    with h5py.File(path, "a") as file:
        file.create_dataset("obs", (N,), h5py.vlen_dtype(np.float32))
    return path


def robomimic(**changes: Any) -> Callable[[Path], Path]:
    return lambda folder: w.write_robomimic(folder / "a.hdf5", 1, **changes)


def loop(folder: Path) -> Path:
    (folder / "a.csv").symlink_to("a.csv")
    return folder / "a.csv"


MAP = w.MAPPING
MAPS: dict[str, Any] = {"mapping": MAP}
CASES: dict[str, tuple[Callable[[Path], Path], dict[str, Any], str]] = {
    # NPZ
    "npz: no file of this kind": (raw("a.npz", b"nothing"), {}, "numpy.savez"),
    "npz: empty": (raw("a.npz", b""), {}, "not a readable NPZ"),
    "npz: cut off": (torn(npz()), {}, "not a readable NPZ"),
    "npz: objects": (npz(rewards=np.array([{}] * N, object)), {}, "plain numbers"),
    "npz: no actions": (npz(actions=None), {}, "nothing for actions among"),
    "npz: nothing known": (
        lambda root: w.write_npz(root / "a.npz", {"x": np.zeros(3)}),
        {},
        "nothing for obs and actions and rewards and terminated among x",
    ),
    "npz: text": (npz(rewards=np.array(["a"] * N)), {}, "'rewards' holds str"),
    "npz: text for observations": (npz(obs=np.array([["a"]] * N)), {}, "no table of numbers"),
    "npz: other lengths": (npz(actions=np.zeros((3, 1))), {}, "4 rows of observations but 3"),
    "npz: long successes": (npz(success=np.zeros(5, bool)), {}, "5 of success"),
    "npz: two rewards a row": (npz(rewards=np.zeros((N, 2))), {}, "one number a row"),
    "npz: ends that are none": (npz(terminated=np.arange(N)), {}, "only be 0 or 1"),
    "npz: other next observations": (npz(next_obs=np.zeros((N, 3))), {}, "same numbers in both"),
    "npz: torn episodes": (npz(episode=np.array([1, 2, 1, 2])), {}, "torn apart"),
    "npz: back in time": (
        npz(episode=np.ones(N), step=np.array([0, 2, 1, 3])),
        {},
        "row 2 is not later",
    ),
    "npz: short steps": (npz(step=np.arange(3)), {}, "but 3 of step"),
    "npz: another action box": (
        npz(),
        {"bounds": (np.zeros(3), np.ones(3))},
        "1 numbers in an action, the action box 3",
    ),
    "npz: another's view": (npz(), {"view": "rlpd"}, "no view 'rlpd'"),
    "npz: no such view": (npz(), {"view": "rlpdd"}, "Did you mean 'rlpd'"),
    "npz: no episodes for a view": (
        npz(terminated=None),
        {"view": "success-at-end"},
        "does not say where episodes end",
    ),
    "npz: short episodes for a view": (
        npz(terminated=None, episode=np.zeros(3)),
        {"view": "success-at-end"},
        "but 3 of episode",
    ),
    "npz: short ends for a view": (
        npz(terminated=np.zeros(3)),
        {"view": "success-at-end"},
        "4 rows of actions but 3 of terminated",
    ),
    "npz: ends that are none for a view": (
        npz(terminated=np.array([0, 0.5, 0, 0])),
        {"view": "success-at-end"},
        "'terminated' is 0.5 in row 1",
    ),
    "npz: successes that are NaN for a view": (
        npz(success=np.full(N, np.nan)),
        {"view": "success-at-end"},
        "'success' is nan in row 0",
    ),
    # HDF5
    "hdf5: no file of this kind": (raw("a.hdf5", b"nothing"), {}, "not a readable HDF5"),
    "hdf5: cut off": (torn(hdf5(), 0.9), {}, "not a readable HDF5"),
    "hdf5: no rewards": (hdf5(rewards=None), {}, "nothing for rewards among"),
    "hdf5: single numbers": (hdf5(obs=1.0), {}, "no table of numbers"),
    # mappings
    "mapping: unknown role": (npz(), {"mapping": {"observe": "obs"}}, "Did you mean 'obs"),
    "mapping: unknown name": (npz(), {"mapping": {"obs": "obt"}}, "Did you mean 'obs'"),
    "mapping: pattern without match": (csv(), {"mapping": {**MAP, "obs": "s_*"}}, "called 's_"),
    "mapping: far from every name": (
        csv(**{f"more_{i}": np.zeros(6) for i in range(20)}),
        {"mapping": {**MAP, "reward": "QQQQQQ"}},
        "... (28 in all)",
    ),
    "mapping: two columns for a number": (
        csv(),
        {"mapping": {**MAP, "reward": "cmd_*"}},
        "2 columns are named",
    ),
    "mapping: columns of two lengths": (
        npz(more=np.zeros((3, 1))),
        {"mapping": {"obs": "obs+more"}},
        "different length cannot be joined",
    ),
    # tables
    "csv: empty": (raw("a.csv", b""), {"mapping": MAP}, "one line of names"),
    "csv: ragged": (raw("a.csv", b"a,b\n1,2\n3\n"), {"mapping": MAP}, "cannot be read as a table"),
    "csv: same name twice": (raw("a.csv", b"a,a\n1,2\n"), {}, "two columns called 'a'"),
    "csv: text": (csv(r=["high"] * 6), {"mapping": MAP}, "such as 'high' in row 0, not numbers"),
    "csv: a gap": (csv(r=[1, 2, "", 4, 5, 6]), {"mapping": MAP}, "'r' is empty or NaN in row 2"),
    "csv: no rewards": (csv(), {"mapping": {**MAP, "reward": "rr"}}, "nothing called 'rr'"),
    "csv: no ends": (
        csv(),
        {"mapping": {k: v for k, v in MAP.items() if k != "done"}},
        "done=never",
    ),
    "csv: another's view": (csv(), {"view": "cal-ql"}, "no view 'cal-ql'"),
    "parquet: no file of this kind": (raw("a.parquet", b"PAR"), {}, "cannot be read as a table"),
    "parquet: cut off": (torn(parquet()), {"mapping": MAP}, "cannot be read as a table"),
    "parquet: vectors of two lengths": (
        parquet(state_1=[[1], [1], [1, 2], [1], [1], [1]]),
        {"mapping": MAP},
        "2 numbers in row 2 but 1 in row 0",
    ),
    "parquet: a gap": (parquet(cmd_0=[1, None, 1, 1, 1, 1]), {"mapping": MAP}, "NaN in row 1"),
    # LeRobot
    "lerobot: broken info": (
        lerobot(lambda r: (r / "meta" / "info.json").write_text("{")),
        {},
        "info.json cannot be read",
    ),
    "lerobot: no features": (lerobot(info(features=None)), {}, "names no features or shapes"),
    "lerobot: no data": (
        lerobot(lambda r: next(r.rglob("*.parquet")).unlink()),
        {},
        "no Parquet files",
    ),
    "lerobot: missing episodes": (lerobot(info(total_episodes=9)), {}, "promises 9 episodes"),
    "lerobot: missing frames": (
        lerobot(frame_index=np.array([0, 1, 3, 0, 1, 2])),
        {},
        "frame 3 of episode 0 does not follow",
    ),
    "lerobot: no frames": (lerobot(no_frames), {}, "has no frames"),
    "lerobot: a file of other columns": (lerobot(other_columns), {}, "different columns"),
    "lerobot: shapes that are none": (
        lerobot(info(features={"action": {"shape": 1}})),
        {},
        "names no features or shapes",
    ),
    "lerobot: no rewards": (lerobot(**{"next.reward": None}), {}, "--view success-at-end"),
    "lerobot: no actions": (lerobot(action=None), {}, "nothing for actions"),
    "lerobot: another's view": (lerobot(), {"view": "rlpd"}, "no view 'rlpd'"),
    # Adroit-binary
    "adroit: no view": (pickled([w.expert(3, (2,))]), {}, "--view rlpd or --view cal-ql"),
    "adroit: another's view": (pickled([w.expert(3, (2,))]), {"view": "qlearning"}, "choose rlpd"),
    "adroit: two tasks": (both, {"view": "rlpd"}, "2 tasks (door, pen)"),
    "adroit: never solved": (pickled([w.trajectory(3, ())]), {"view": "cal-ql"}, "is solved"),
    "adroit: too few": (pickled([w.trajectory(3, (2,))]), {"view": "rlpd"}, "first 90 %"),
    "adroit: no trajectories": (pickled([1, 2, 3]), {"view": "rlpd"}, "no list of trajectories"),
    "adroit: a plain array": (
        lambda root: np.save(root / "a.npy", np.zeros(3)) or root / "a.npy",
        {"view": "rlpd"},
        "no list of trajectories",
    ),
    "adroit: no rewards": (
        pickled([w.trajectory(3, (), rewards=None)]),
        {"view": "rlpd"},
        "trajectory 0 has no 'rewards'",
    ),
    "adroit: short rewards": (
        pickled([w.trajectory(3, (), rewards=np.zeros(2))]),
        {"view": "rlpd"},
        "3 actions, 2 rewards",
    ),
    "adroit: words": (
        pickled([w.trajectory(3, (), actions=["a"] * 3)]),
        {"view": "rlpd"},
        "are no numbers",
    ),
    "adroit: cut off": (torn(pickled([w.expert(30, (2,))])), {"view": "rlpd"}, "readable NPY"),
    "adroit: no file of this kind": (raw("a.npy", b"x"), {"view": "rlpd"}, "not a readable NPY"),
    "pickle": (raw("a.pkl", b"x"), {}, "could run anything"),
    # OGBench
    "ogbench: no task": (ogbench(), {}, "name the single task"),
    "ogbench: no ends": (ogbench(terminals=None), {"simulator": w.Maze()}, "for terminated"),
    "ogbench: another robot": (
        ogbench(qpos=np.zeros(8)),
        {"simulator": w.Maze()},
        "name the environment whose data",
    ),
    "ogbench: another's view": (ogbench(), {"view": "rlpd"}, "choose reward-on-s or"),
    # Minari
    "minari: no rewards": (minari(put("episode_1/rewards", None)), {}, "episode 1 lacks an array"),
    "minari: no last observation": (
        minari(put("episode_1/observations", np.zeros((3, 2)))),
        {},
        "3 observations for 3 steps",
    ),
    "minari: short actions": (
        minari(put("episode_0/actions", np.zeros((2, 1)))),
        {},
        "2 actions for 3 steps",
    ),
    "minari: another size": (
        minari(put("episode_1/observations", np.zeros((4, 3)))),
        {},
        "cannot be read",
    ),
    "minari: text": (minari(put("episode_0/observations", [b"a"] * 4)), {}, "cannot be read"),
    "minari: a mapping": (minari(lambda f: None), {"mapping": {"obs": "x"}}, "leave --columns"),
    "minari: a view": (minari(lambda f: None), {"view": "rlpd"}, "leave it out"),
    # folders of our own
    "folder: a changed byte": (
        folder(lambda d: w.write_npz(d / "data.npz", {**WHOLE, "rewards": np.ones(N, np.float32)})),
        {},
        "not the file that its manifest describes",
    ),
    "folder: cut off": (
        folder(lambda d: os.truncate(d / "data.npz", 300)),
        {},
        "make the dataset again",
    ),
    "folder: no manifest": (
        folder(lambda d: (d / "manifest.json").write_text("{}")),
        {},
        "format 1",
    ),
    # Types and shapes that are no table of numbers
    "npz: complex": (npz(obs=np.ones((N, 2)) * 1j), {}, "complex128, not numbers"),
    "npz: complex rewards": (npz(rewards=np.ones(N) * 1j), {}, "complex128, not numbers"),
    "npz: dates": (npz(obs=np.full((N, 1), "2026-01-01", "datetime64[D]")), {}, "datetime64"),
    "npz: numbers as text": (npz(obs=np.full((N, 2), "1.0")), {}, "holds str"),
    "npz: named fields": (npz(obs=np.zeros(N, [("x", "f4")])), {}, "not numbers"),
    "npz: float images": (npz(obs=np.zeros((N, 32, 32, 3))), {}, "as uint8 from 0 to 255"),
    "npz: colours first": (npz(obs=np.zeros((N, 3, 8, 8), np.uint8)), {}, "as [8, 8, 3]"),
    "npz: too few images": (npz(obs=np.zeros((N - 1, 8, 8, 3), np.uint8)), {}, "but 4 of actions"),
    "npz: nothing in a row": (npz(obs=np.zeros((N, 0))), {}, "its rows are empty"),
    "npz: no action in a row": (npz(actions=np.zeros((N, 0))), {}, "its rows are empty"),
    "npz: rows and columns swapped": (npz(obs=np.zeros((2, N))), {}, "are rows and columns swap"),
    "npz: ends that are NaN": (npz(terminated=np.full(N, np.nan)), {}, "only be 0 or 1"),
    "npz: ends in words": (npz(terminated=np.full(N, "yes")), {}, "holds str"),
    "npz: episodes that are NaN": (npz(episode=np.full(N, np.nan)), {}, "'episode' holds NaN"),
    "npz: steps in words": (npz(step=np.full(N, "a")), {}, "'step' holds str"),
    "npz: every row an episode": (npz(episode=np.arange(N), next_obs=None), {}, "none is left"),
    "npz: two episodes a row": (npz(episode=np.zeros((N, 2))), {}, "but 8 of episode"),
    "npz: one next row too few": (npz(next_obs=np.zeros((N - 1, 2))), {}, "3 of next_obs"),
    "npz: a shape beyond memory": (bomb((10**15, 2)), {}, "not a readable NPZ"),
    "npz: a shape beyond the file": (bomb((10**6, 2)), {}, "not a readable NPZ"),
    "npz: a shape below zero": (bomb((-4, 2)), {}, "not a readable NPZ"),
    "npz: HDF5 inside": (
        lambda root: hdf5()(root).rename(root / "a.npz"),
        {},
        "no ZIP archive",
    ),
    "hdf5: NPZ inside": (lambda root: npz()(root).rename(root / "a.h5"), {}, "not a readable HDF5"),
    "hdf5: more than the machine holds": (endless, {}, "GB of memory are free"),
    "hdf5: a link to a file": (link(h5py.ExternalLink("no.h5", "obs")), {}, "nothing for obs"),
    "hdf5: a link to itself": (link(h5py.SoftLink("/obs")), {}, "nothing for obs"),
    "hdf5: an empty array": (hdf5(obs=h5py.Empty("f4")), {}, "not numbers"),
    "hdf5: rows of several lengths": (ragged, {}, "not numbers"),
    "hdf5: nothing inside": (hdf5(**dict.fromkeys(PLAIN)), {}, "among nothing at all"),
    "robomimic: no actions": (robomimic(actions=None), {}, "demo_0 has nothing for actions"),
    "robomimic: short actions": (robomimic(actions=np.zeros((2, 1))), {}, "3 rows of observ"),
    "robomimic: only cameras": (
        robomimic(**{"obs/object": None, "obs/robot0_eef_pos": None}),
        {},
        "demo_0 has nothing for obs",
    ),
    "robomimic: another's view": (robomimic(), {"view": "rlpd"}, "no view 'rlpd'"),
    "csv: names but no rows": (raw("a.csv", b"state_1,cmd_0,r,fallen,run\n"), MAPS, "but no rows"),
    "csv: no line of names": (raw("a.csv", b"1,2.5\n3,4\n"), MAPS, "begins with numbers"),
    "csv: names again in the middle": (
        csv(state_1=[0, 1, 2, "state_1", 4, 5]),
        MAPS,
        "such as 'state_1' in row 3",
    ),
    "csv: NaN": (csv(cmd_0=[1, "nan", 1, 1, 1, 1]), MAPS, "empty or NaN in row 1"),
    "csv: dates": (csv(state_1=["2026-01-01 10:00:00"] * 6), MAPS, "holds timestamp"),
    "csv: a quote that never ends": (raw("a.csv", b'a,b\n"1,2\n3,4\n'), MAPS, "as a table"),
    "csv: packed and cut off": (raw("a.csv.gz", b"\x1f\x8b\x08\0\0\0"), MAPS, "as a table"),
    "csv: Parquet inside": (
        lambda root: parquet()(root).rename(root / "a.csv"),
        MAPS,
        "cannot be read as a table",
    ),
    "csv: another alphabet": (raw("a.csv", "für,b\n1,2\n".encode("latin1")), MAPS, "UTF-8"),
    "csv: two bytes a letter": (raw("a.csv", "a,b\n1,2\n".encode("utf-16")), MAPS, "as a table"),
    "parquet: no rows": (parquet(**{k: [] for k in w.table()}), MAPS, "but no rows"),
    "parquet: ragged inside": (parquet(state_1=[[[1.0], [1.0, 2.0]]] * 6), MAPS, "2 numbers in"),
    "parquet: structures": (parquet(state_1=[{"x": 1.0}] * 6), MAPS, "holds struct"),
    "parquet: gaps in vectors": (
        parquet(state_1=[[1.0, 1.0]] * 3 + [[1.0, None]] * 3),
        MAPS,
        "NaN in row 3",
    ),
    "parquet: ragged below": (
        parquet(state_1=[[[1.0], [1.0]]] * 5 + [[[1.0], []]]),
        MAPS,
        "0 numbers in row 5",
    ),
    "the home of nobody": (lambda root: Path("~no such user/a.npz"), {}, "home of nobody"),
    "a name too long": (lambda root: root / ("a" * 300), {}, "cannot be opened"),
    "a link to itself": (loop, {}, "There is no file"),
    "a file in a file": (lambda root: raw("a.csv", b"a")(root) / "b.csv", {}, "There is no file"),
    # anything else
    "nothing there": (lambda root: root / "no.csv", {}, "There is no file"),
    "another kind": (raw("a.xlsx", b"x"), {}, "no layout that is known"),
    "the root of all": (lambda root: Path("/proc/self/fd"), {}, "no layout that is known"),
    "an empty folder": (lambda root: root, {}, "no layout that is known"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_has_its_one_clear_error(name: str, tmp_path: Path) -> None:
    write, options, says = CASES[name]
    source = write(tmp_path)
    with pytest.raises(DataError) as refused:
        load(source, **options)
    message = str(refused.value)
    assert says in message
    assert "\n" not in message and message.endswith((".", "?"))
    assert type(refused.value) is DataError


@pytest.mark.parametrize("name", ["a.csv", "a.npz", "a.h5", "a.parquet", "a.npy"])
def test_a_file_that_may_not_be_read_says_so(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text("closed")

    def refuse(path: Path, *how: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"cannot be opened \(Permission denied\)"):
        load(tmp_path / name)


def test_nothing_is_named() -> None:
    with pytest.raises(DataError, match="No data are named"):
        load("")


DAMAGED: dict[str, tuple[Callable[[Path], Path], str, dict[str, Any]]] = {
    "npz": (npz(), "", {}),
    "hdf5": (hdf5(), "", {}),
    "csv": (csv(), "", {"mapping": MAP}),
    "parquet": (parquet(), "", {"mapping": MAP}),
    "minari": (minari(lambda file: None), "data/main_data.hdf5", {}),
    "lerobot": (lerobot(), "data/chunk-000/file-000.parquet", {}),
    "pickle": (pickled([w.expert(3, (2,)), w.trajectory(4, (1,))]), "", {"view": "cal-ql"}),
    "folder": (folder(lambda made: None), "data.npz", {}),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_anywhere_is_refused_in_words_or_harmless(name: str, tmp_path: Path) -> None:
    write, inside, options = DAMAGED[name]
    source = write(tmp_path)
    path, rng, refused = source / inside if inside else source, np.random.default_rng(0), 0
    whole = path.read_bytes()
    for trial in range(40):
        content = bytearray(whole)
        if trial % 3 == 0:
            content = content[: rng.integers(len(content))]
        for _ in range(rng.integers(1, 6) if content and trial % 3 else 0):
            content[rng.integers(len(content))] = rng.integers(256)
        path.write_bytes(bytes(content))
        try:
            load(source, **options)
        except DataError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused >= 10
