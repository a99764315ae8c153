"""A run folder that somebody sent or altered: what is no file, leads elsewhere or is another's."""

from __future__ import annotations

import json
import os
import shlex
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import SPEC

import warmstart as ws
from warmstart.api import Declared
from warmstart.api.declare import declare
from warmstart.api.policies import find_policies, stored
from warmstart.api.reread import require_metrics, rows_of
from warmstart.errors import WarmstartError
from warmstart.files.durable import Damaged, sealed
from warmstart.policy.folder import write_policy
from warmstart.reports.run import load_runs
from warmstart.runs.checkpoints import Checkpoints
from warmstart.runs.find_policy import find_policy
from warmstart.runs.folder import RunLock, create_run, finish_run, open_run, read_run
from warmstart.runs.records import METRICS, MetricWriter, mark, read
from warmstart.runs.segments import Segments


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    """What `run.json` says of a run that nobody has begun."""
    task = ws.custom_task("Pendulum-v1", horizon=5, data_path="/nowhere.npz")
    return declare("td3_bc", task, seeds=(3, 4), ignore=["rewards-dropped"]).to_json()


@pytest.fixture
def run(record: dict[str, Any], tmp_path: Path) -> Path:
    return create_run(tmp_path, "run", record)


def sentence(call: Callable[[], Any]) -> str:
    with pytest.raises(WarmstartError) as refused:
        call()
    assert "\n" not in str(refused.value)
    return str(refused.value)


@contextmanager
def in_time() -> Iterator[None]:
    """A pipe that is opened is waited for until somebody writes into it."""

    def late(*_: Any) -> None:
        raise AssertionError("it waits for ever")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(10)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    "name",
    ["a\nb", "a\tb", "\x1b[31m", "\u202eb", "\udcff", "a\0b", " ", "a ", " a", "a.", "...", "-x",
     "~", "con", "NUL.txt", "com1", "a:b", "a*", 'a"b', "a<b", "a|b", "a?", 7, True, b"x"],
)  # fmt: skip
def test_a_name_that_is_none_on_some_system_or_in_a_shell(name: Any, tmp_path: Path) -> None:
    assert "cannot have the name" in sentence(lambda: create_run(tmp_path, name, {}))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a b", "Größe", "a.b", "console", ".a", "x", "a-~'", "nul1"])
def test_a_plain_name_is_taken_and_said_so_that_a_shell_reads_it(name: str, tmp_path: Path) -> None:
    folder = create_run(tmp_path, name, {"method": "m"})
    finish_run(folder, {})
    told = sentence(lambda: open_run(folder))
    command = told[told.index("(") + 1 : told.index(" --steps")]
    assert shlex.split(command) == ["warmstart", "resume", str(folder)]


def test_a_fact_of_another_type_is_named_whoever_reads(run: Path) -> None:
    whole = json.loads((run / "run.json").read_text())
    for key in whole.keys() - {"checksum", "format"}:
        for wrong in ({"a": 1}, ["a"], 1.5, "ab", None, [["a", 1]]):
            (run / "run.json").write_text(json.dumps(sealed({**whole, key: wrong})))
            try:
                Declared.from_json(read_run(run))
            except WarmstartError as error:
                assert "run.json" in str(error) and "\n" not in str(error), (key, wrong, error)
            try:
                shown = load_runs([run])[0]
            except WarmstartError:
                continue
            assert shown.seeds and shown.warmup >= 0 and shown.status
            assert all(isinstance(shown.facts[k], str) for k in ("method", "task", "created"))
    (run / "run.json").write_text(json.dumps(sealed({**whole, "versions": {"jax": [1]}})))
    assert "versions.jax is [1]" in sentence(lambda: read_run(run))


@pytest.mark.parametrize(
    ("key", "wrong"), [("holdout", 7), ("data_seed", -1), ("preset", "../x"), ("source", "")]
)
def test_a_number_that_cannot_be_is_said_of_run_json(run: Path, key: str, wrong: Any) -> None:
    whole = {**json.loads((run / "run.json").read_text()), key: wrong}
    whole["schedule"] = {**whole["schedule"], "films": "maybe"}
    assert "what run.json says" in sentence(lambda: Declared.from_json(whole))


@pytest.mark.parametrize(
    "name",
    ["lock", METRICS, "checkpoints", "pretrained", "replay", "policies", "policies/seed-3",
     "policies/seed-3/latest", "videos", "tensorboard"],
)  # fmt: skip
def test_nothing_is_written_behind_a_link(run: Path, name: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("no newline at the end")
    (run / name).parent.mkdir(parents=True, exist_ok=True)
    (run / name).symlink_to(mine)

    def go_on() -> None:
        with RunLock(run), MetricWriter(run):
            pass

    told = sentence(go_on)
    assert str(run / name) in told and str(mine) in told
    assert mine.read_text() == "no newline at the end"


def odd(path: Path, kind: str) -> None:
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    else:
        path.mkdir()


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop"])
def test_what_is_no_file_is_said_to_be_none(run: Path, kind: str) -> None:
    (run / METRICS).write_text("")
    kept = Checkpoints(run / "checkpoints")
    for step in (1, 2):
        kept.save(step, {"x": np.zeros(2)}, {})
    odd(run / "checkpoints" / "000000000002.1" / "checkpoint.json", kind)
    rows = Segments(run / "replay")
    rows.append(0, np.zeros((1, 2, 3), np.float32))
    odd(next((run / "replay").iterdir()), kind)
    odd(run / METRICS, kind)
    with in_time():
        assert "replay" in sentence(lambda: Segments(run / "replay").read(2))
        found = kept.restore_newest({"x": np.zeros(2)})
        assert found is not None and found[0] == 1
        for reader in (read, mark, lambda at: MetricWriter(at).close(), load_runs_of):
            assert METRICS in sentence(lambda reader=reader: reader(run))
        odd(run / "run.json", kind)
        assert "run.json" in sentence(lambda: read_run(run))


def load_runs_of(folder: Path) -> Any:
    return load_runs([folder])


@pytest.mark.parametrize("metrics", [7, "ab", [], {}, {"bytes": "a", "crc32": 1}, {"bytes": 1}])
def test_the_mark_of_a_finished_run_is_numbers(run: Path, metrics: Any) -> None:
    finish_run(run, {"metrics": metrics})
    assert "finished.json" in sentence(lambda: require_metrics(run))


def test_the_policy_of_another_run_or_seed_is_not_this_one(run: Path) -> None:
    own, path = read_run(run)["id"], run / "policies" / "seed-3" / "latest"
    for card, told in (
        ({"run": own, "seed": 3}, ""), ({"seed": 3}, ""), ({"run": None, "seed": 3}, ""),
        ({"run": "f00", "seed": 3}, "another run"), ({"run": own, "seed": 4}, "seed 4"),
    ):  # fmt: skip
        write_policy(path, card, {"x": np.zeros(1, np.float32)})
        if told:
            said = sentence(lambda: find_policy(run, 3, "latest"))
            assert str(path) in said and told in said
        else:
            assert find_policy(run, 3, "latest").card["seed"] == 3
        assert find_policy(path, None, "latest").card["seed"] == card["seed"]  # by itself
    write_policy(path, {"seed": 3}, {"x": np.zeros(1, np.float32)})
    found = find_policies(run, [3], "latest")
    assert "policy.json" in sentence(
        lambda: stored(run, found, Declared.from_json(read_run(run)), SPEC)
    )


@pytest.mark.parametrize("folder", ["x" * 5000, "a\0b", "\ud800", "y/" * 3000])
def test_a_name_that_no_folder_can_have(folder: str) -> None:
    for call in (ws.resume, ws.evaluate, ws.actor, ws.report, ws.Agent.load, ws.Agent.open):
        said = sentence(lambda call=call: call(folder))
        assert len(said) < 400


@pytest.mark.parametrize("rows", [-1, "ab", None, 1e308])
def test_a_number_of_rows_that_cannot_be_is_damage(run: Path, rows: Any) -> None:
    meta = {"trainer": {}, "rows": rows, "metrics": 0, "wall": 0.0}
    with pytest.raises(Damaged):
        rows_of(meta, Segments(run / "replay"), 10)


def test_a_place_that_the_trainer_does_not_know_is_damage(run: Path) -> None:
    kept = Checkpoints(run / "checkpoints")
    kept.save(1, {"x": np.zeros(2)}, {"stage": 10**30})
    said = sentence(lambda: kept.restore(1, lambda meta: [{"x": np.zeros(2)}][meta["stage"]]))
    assert "checkpoint.json" in said
