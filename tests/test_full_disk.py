"""A disk that is full at any write: one sentence, and equal bits once there is room again."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import warmstart as ws
from tests.test_trust import logged
from warmstart.api import films
from warmstart.cli import main
from warmstart.errors import RunError, WarmstartError
from warmstart.runs.records import comparable, read
from warmstart.tasks import get_maze

LOOKS = {"episodes": 1, "fixed_episodes": 1, "offline_every": 2, "online_every": 10,
         "early": (), "films": False, "compare": False, "log_every": 2}  # fmt: skip


@contextmanager
def largest(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes, as on a disk that is full then."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return logged(tmp_path_factory.mktemp("data") / "logged.npz")


def run(data: str, root: Path, observe: Any = lambda event: None) -> Path:
    task = ws.custom_task("Pendulum-v1", horizon=5, data_path=data, reward_scale=1.0)
    ws.run("td3_bc", task, seeds=[3], pretrain_steps=4, steps=40, root=root, name="run",
           schedule=LOOKS, changes={"nets.hidden": "4"}, observe=observe)  # fmt: skip
    return root / "run"


@pytest.fixture(scope="module")
def unbroken(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(data, tmp_path_factory.mktemp("whole"))


def test_every_size_at_which_a_file_of_a_run_can_stop(
    unbroken: Path, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """From the second checkpoint on, so that what is compiled is not written in between."""
    sizes = sorted({p.stat().st_size for p in unbroken.rglob("*") if p.is_file()})
    told: dict[str, str] = {}
    for size in (sizes[-1] - 1, 20_000, 3_000, 400):
        root = tmp_path / str(size)
        limit: list[Any] = []

        def full(event: Any, size: int = size, limit: list[Any] = limit) -> None:
            if event.phase == "online" and event.env_steps == 10 and not limit:
                limit.append(largest(size))
                limit[0].__enter__()

        try:
            with pytest.raises(RunError) as refused:
                run(data, root, full)
        finally:
            limit[0].__exit__(None, None, None)
        said = str(refused.value)
        assert said.startswith("Cannot write '") and "What was saved before is intact" in said
        assert "\n" not in said
        told[said.partition("'")[2].partition("'")[0].replace(str(root), "")] = said
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err + caplog.text, out + err
        ws.resume(root / "run", progress=False)
        assert comparable(read(root / "run")) == comparable(read(unbroken))
    assert len(told) >= 3, told


@contextmanager
def small_disk(path: Path) -> Iterator[bool]:
    """A disk of 64 MB at `path`; False, and no disk, for a user who may not mount one."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(path)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(path)], check=True)


@pytest.mark.parametrize("left", [0, 8_192, 65_536])
def test_a_disk_that_is_full(
    unbroken: Path, data: str, tmp_path: Path, left: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk") as mounted:
        filler, limit = tmp_path / "disk" / "filler", largest(left)

        def full(event: Any) -> None:
            if event.phase != "online" or event.env_steps != 10 or filler.exists():
                return
            filler.touch()
            if not mounted:
                limit.__enter__()
                return
            free = shutil.disk_usage(filler.parent).free
            filler.write_bytes(bytes(max(0, free - left)))

        try:
            with pytest.raises(RunError, match="What was saved before is intact") as refused:
                run(data, tmp_path / "disk", full)
        finally:
            if not mounted:
                limit.__exit__(None, None, None)
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err and "\n" not in str(refused.value)
        filler.unlink()
        done = ws.resume(tmp_path / "disk" / "run", progress=False)
        assert comparable(read(done.folder)) == comparable(read(unbroken))


@pytest.mark.parametrize(
    "line",
    [
        "data make jax-pointmass --episodes 2",
        "data convert {data} --env Pendulum-v1 --out made",
        "data convert {data} --env Pendulum-v1 --minari own/x-v0",
        "report {run}",
        "data check {data} --figure figure.png",
    ],
)
def test_a_command_on_a_full_disk_is_one_sentence(
    unbroken: Path, data: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for name in ("WARMSTART_DATA", "MINARI_DATASETS_PATH"):
        monkeypatch.setenv(name, str(tmp_path / name))
    with largest(100):
        code = main(line.format(data=data, run=unbroken).split())
    out, err = capsys.readouterr()
    assert code == 2 and err.count("\n") == 1 and "size limit" in err, out + err
    assert "Traceback" not in out + err
    assert ("make the report again" in err) == line.startswith("report")
    assert "then resume." not in err


def test_pictures_on_a_full_disk_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = SimpleNamespace(obs=np.zeros((5, 4)), actions=np.zeros((5, 1)))
    monkeypatch.setattr(films, "_played", lambda *args: [played])
    maze, path = get_maze("umaze"), tmp_path / "videos" / "before.png"
    path.parent.mkdir()
    with largest(100), pytest.raises(RunError, match=r"Cannot write .*before\.png"):
        films._paths(None, maze, path, True)
    assert not list(path.parent.iterdir())
    films._paths(None, maze, path, True)
    assert path.stat().st_size > 1_000
    said = SimpleNamespace(stdout="Cannot write 'after.mp4': full.\n", stderr="", returncode=1)
    monkeypatch.setattr(films.subprocess, "run", lambda *args, **how: said)
    declared = SimpleNamespace(task=ws.custom_task("Pendulum-v1", horizon=5), seeds=[3])
    driver: Any = SimpleNamespace(trainer=None, declared=declared)
    with pytest.raises(RunError, match=r"^Cannot write 'after\.mp4': full\.$"):
        films._film(driver, path.with_name("after.mp4"), False)


def test_sigterm_while_the_page_is_written_ends_with_a_sentence(
    unbroken: Path, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from warmstart.api import reporting as page

    before = page.write_summary

    def struck(*args: Any) -> None:
        before(*args)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(page, "write_summary", struck)
    with pytest.raises(KeyboardInterrupt, match="go on with: warmstart resume"):
        run(data, tmp_path)
    assert not (tmp_path / "run" / "finished.json").exists()
    monkeypatch.setattr(page, "write_summary", before)
    ws.resume(tmp_path / "run", progress=False)
    assert comparable(read(tmp_path / "run")) == comparable(read(unbroken))


def test_a_second_ctrl_c_while_it_saves_is_heard_behind_it(
    unbroken: Path, data: str, tmp_path: Path
) -> None:
    from warmstart.api.driver import Driver

    with pytest.MonkeyPatch.context() as patched:
        save = Driver.save

        def struck(self: Driver, *args: Any) -> None:
            for _ in range(2):
                signal.raise_signal(signal.SIGINT)
            save(self, *args)

        patched.setattr(Driver, "save", struck)
        with pytest.raises(KeyboardInterrupt, match="go on with: warmstart resume"):
            run(data, tmp_path)
    assert list((tmp_path / "run" / "checkpoints").glob("0*"))
    ws.resume(tmp_path / "run", progress=False)
    assert comparable(read(tmp_path / "run")) == comparable(read(unbroken))


def test_a_file_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(WarmstartError, match="is a file, and no run folder"):
        ws.resume(tmp_path / "run")


@pytest.mark.parametrize("size", [1_024, 5_120, 100_000])
def test_a_conversion_to_minari_ends_with_a_sentence_wherever_the_disk_is_full(
    data: str, size: int, tmp_path: Path
) -> None:
    """In a process of its own: HDF5 that cannot close its file may end it."""
    line = ["data", "convert", data, "--env", "Pendulum-v1", "--minari", "own/x-v0"]
    program = (
        "import resource, sys; from warmstart.cli import main; import minari, h5py; "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); sys.exit(main({line!r}))"
    )
    where = {**os.environ, "MINARI_DATASETS_PATH": str(tmp_path / "minari")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=where, cwd=tmp_path
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert "size limit" in done.stderr and not list((tmp_path / "minari").iterdir())
