"""Each file of a run, cut, altered, exchanged or of another version: one sentence, or no change."""

from __future__ import annotations

import hashlib
import json
import logging
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
from tiny import SPEC

import warmstart as ws
from tests.test_trust import logged
from warmstart.api import Declared, Interrupted
from warmstart.api.driver import Driver
from warmstart.api.policies import find_policies, stored
from warmstart.api.prepare import problem_of
from warmstart.api.reread import require_metrics, rows_of
from warmstart.errors import WarmstartError
from warmstart.files.durable import sealed
from warmstart.reports.run import load_runs
from warmstart.runs.checkpoints import Checkpoints
from warmstart.runs.folder import FORMAT, read_run
from warmstart.runs.records import MetricWriter, comparable, read
from warmstart.runs.segments import Segments
from warmstart.runs.summary import summarise

SEED = 3
METHODS: dict[str, dict[str, Any]] = {
    "td3_bc": {"changes": {"nets.hidden": "4", "finetune.learner.batch": 4}},
    "odt": {
        "changes": {
            "pretrain.0.learner.policy.width": 8, "finetune.learner.policy.width": 8,
            "pretrain.0.learner.batch": 4, "finetune.learner.batch": 4,
            "pretrain.0.learner.policy.layers": 1, "finetune.learner.policy.layers": 1,
        }
    },
}  # fmt: skip
LOOKS = {"episodes": 1, "fixed_episodes": 1, "offline_every": 2, "online_every": 10,
         "early": (), "films": False, "compare": False, "log_every": 2}  # fmt: skip


class Made(NamedTuple):
    """Folders of one method: a finished run, an interrupted one, and another run."""

    finished: Path
    stopped: Path
    other: Path


def make(method: str, root: Path, name: str, data: str, stop: int | None, lr: float) -> Path:
    task = ws.custom_task("Pendulum-v1", horizon=5, data_path=data, reward_scale=1.0)

    def watch(event: Any) -> None:
        if event.kind == "eval" and event.phase == "online" and event.env_steps == stop:
            signal.raise_signal(signal.SIGINT)

    rate = {"learner.critic_optimiser.lr": lr} if method == "td3_bc" else {
        "learner.optimiser.lr": lr}  # fmt: skip
    changes = METHODS[method]["changes"] | rate
    try:
        ws.run(method, task, seeds=[SEED], pretrain_steps=4, steps=40, root=root, name=name,
               schedule=LOOKS, observe=watch, changes=changes)  # fmt: skip
    except Interrupted:
        assert stop is not None
    return root / name


@pytest.fixture(scope="module", params=["td3_bc", pytest.param("odt", marks=pytest.mark.laws)])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp(request.param)
    data = logged(root / "logged.npz")
    finished, stopped, other = (
        make(request.param, root, name, data, stop, lr)
        for name, stop, lr in (
            ("finished", None, 1e-3), ("stopped", 30, 1e-3), ("other", None, 2e-3),
        )
    )  # fmt: skip
    return Made(finished, stopped, other)


DRIVERS: dict[str, Driver] = {}


def driver_of(declared: Declared, folder: Path) -> Driver:
    """One for each recipe: its programs are traced once."""
    key = json.dumps(declared.recipe.to_json())
    if key not in DRIVERS:
        driver = Driver(folder, declared, problem_of(declared, examine=False))
        known: dict[str, Any] = {}
        look = driver.model

        def model(meta: dict[str, Any]) -> Any:
            key = json.dumps([meta["trainer"]["position"], meta["rows"]])
            if key not in known:
                known[key] = look(meta)
            return known[key]

        driver.model = model
        DRIVERS[key] = driver
    return DRIVERS[key]


def stands(folder: Path) -> Any:
    """Where `resume` would go on, down to the bits of state, rows and lines."""
    run = read_run(folder)
    declared = Declared.from_json(run)
    driver, rows = driver_of(declared, folder), None
    segments = Segments(folder / "replay")

    def also(meta: dict[str, Any]) -> None:
        nonlocal rows
        rows = rows_of(meta, segments, declared.recipe.replay.capacity)

    kept = Checkpoints(folder / "checkpoints", run=run.get("id"))
    found = kept.restore_newest(driver.model, also)
    assert found is not None
    step, tree, meta = found
    with MetricWriter(folder) as recorder:
        recorder.cut_back(meta["metrics"], meta.get("metrics_crc32"))
    return [step, kept.best(), _bits([tree, rows]), json.dumps(meta), declared.to_json(),
            (folder / "metrics.jsonl").read_bytes()]  # fmt: skip


def branches(folder: Path) -> Any:
    """What `finetune --from` would begin with."""
    run = read_run(folder)
    driver = driver_of(Declared.from_json(run), folder)
    kept = Checkpoints(folder / "pretrained", run=run.get("id")).restore_newest(driver.model)
    assert kept is not None
    return [_bits(kept[1]), json.dumps(kept[2])]


def _bits(tree: Any) -> str:
    total = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        total.update(np.ascontiguousarray(leaf).tobytes())
    return total.hexdigest()


def told(folder: Path) -> Any:
    """What `report` would tell."""
    read_run(folder)
    require_metrics(folder)
    records = read(folder)
    assert load_runs([folder])[0].status
    return [comparable(records), str(summarise(records))]


def acts(folder: Path) -> Any:
    """What `evaluate` and `actor` would act by."""
    declared, found = Declared.from_json(read_run(folder)), []
    for which in ("latest", "best"):
        at, _, states = stored(folder, find_policies(folder, [SEED], which), declared, SPEC)
        found.append([at, [np.asarray(x).tobytes() for x in jax.tree.leaves(states)]])
    ws.actor(folder, SEED)
    return found


READERS: dict[str, Callable[[Path], Any]] = {
    "stands": stands, "branches": branches, "told": told, "acts": acts,
}  # fmt: skip


def copied(folder: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to)
    return to


def expected(folder: Path, at: Path) -> dict[str, list[Any]]:
    """What each reader says of the whole folder; of `stands` also from every older checkpoint."""
    found = {name: [reader(copied(folder, at))] for name, reader in READERS.items()}
    steps = Checkpoints(copied(folder, at) / "checkpoints").steps()
    for step in steps[:-1]:
        path = copied(folder, at)
        Checkpoints(path / "checkpoints").discard_after(step)
        found["stands"].append(stands(path))
    return found


def flipped(data: bytes, number: int, of: int) -> bytes:
    place = number * len(data) // of
    return data[:place] + bytes([data[place] ^ (1 << random.Random(place).randrange(8))]) + \
        data[place + 1:]  # fmt: skip


def other_content(path: Path, folder: Path, other: Path) -> bytes | None:
    """Another run's file in the same place, or in the place of its kind."""
    same = other / path.relative_to(folder)
    if same.is_file():
        return same.read_bytes()
    kind = [p for p in sorted((other / path.parent.relative_to(folder)).glob("*"))
            if p.suffix == path.suffix and p.is_file()]  # fmt: skip
    return kind[0].read_bytes() if kind else None


def damages(path: Path, folder: Path, other: Path) -> Iterator[tuple[str, bytes]]:
    data = path.read_bytes()
    yield "emptied", b""
    if data:
        yield "cut", data[: len(data) // 2]
        yield "cut at the end", data[:-1]
        for number in range(10):
            yield f"flipped {number}", flipped(data, number, 10)
    if (foreign := other_content(path, folder, other)) is not None and foreign != data:
        yield "another run's", foreign
    if path.suffix == ".json":
        yield "a list", b"[1]"
        yield "nothing in it", b"{}"
        yield "deep", b"[" * 100_000
        content = json.loads(data)
        for key, value in content.items():
            wrong = 7 if isinstance(value, str | dict | list) or value is None else "ab"
            yield f"{key} of another type", json.dumps({**content, key: wrong}).encode()
    if path.suffix == ".jsonl":
        first, *rest = data.splitlines(keepends=True)
        yield "a line of garbage", b'{"a": 1}\n' + b"".join(rest)
        line = json.loads(first)
        line["values"] = dict.fromkeys(line["values"], "ab")
        yield "words for numbers", json.dumps(line).encode() + b"\n" + b"".join(rest)


HARMLESS = {"report.html", "summary.json", "lock"}
"""What is written for people and never read again."""


def looks_right(
    reader: str, folder: Path, wanted: list[Any], file: Path, log: pytest.LogCaptureFixture
) -> None:
    """Either the same as before, or a sentence that names the file."""
    log.clear()
    try:
        found = READERS[reader](folder)
    except WarmstartError as error:
        said = str(error)
        part = file.parent if "checkpoints" in file.parts or "pretrained" in file.parts else file
        names = {file.name, part.name, *(p.name for p in file.parents if p != folder)}
        assert "\n" not in said and any(name in said for name in names), said
        assert said.rstrip()[-1] in ".)" or ";" in said, said
        return
    if found in wanted:
        if found != wanted[0]:
            assert any("goes on" in r.getMessage() for r in log.records)
        return
    gone = any("has no lines" in r.getMessage() for r in log.records)
    assert reader == "stands" and gone and found[:-1] == wanted[0][:-1]


@pytest.mark.parametrize("kind", ["finished", "stopped"])
def test_every_file_damaged_in_every_way(
    made: Made, kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "warmstart")
    whole, other, at = getattr(made, kind), made.other, tmp_path / "run"
    wanted = expected(whole, at)
    files = [p.relative_to(whole) for p in sorted(whole.rglob("*")) if p.is_file()]
    newest = max(p.parts[1] for p in files if p.parts[0] == "checkpoints" and len(p.parts) > 2)
    files = [p for p in files if p.parts[0] != "checkpoints" or p.parts[1] in (newest, "best.json")]
    copied(whole, at)
    kinds = {p.suffix for p in files}
    assert {".json", ".jsonl", ".npy", ".safetensors"} <= kinds
    tried = 0
    for file in files:
        if file.name in HARMLESS or file.parts[0] == "tensorboard":
            continue
        for what, data in damages(whole / file, whole, other):
            for reader in readers_of(file):
                (at / file).write_bytes(data)
                try:
                    looks_right(reader, at, wanted[reader], at / file, caplog)
                except Exception as error:
                    raise AssertionError(f"{reader}: {file}: {what}: {error!r}") from error
                for changed in (file, Path("metrics.jsonl")):
                    (at / changed).write_bytes((whole / changed).read_bytes())
                tried += 1
    assert tried > 200


def readers_of(file: Path) -> list[str]:
    """Who reads a file at all; of a new kind of file, everybody."""
    if file.parts[0] in ("checkpoints", "replay"):
        return ["stands"]
    if file.parts[0] == "pretrained":
        return ["branches"]
    if file.parts[0] == "policies":
        return ["acts"]
    if file.name == "metrics.jsonl":
        return ["stands", "told"]
    if file.name == "finished.json":
        return ["told"]
    return list(READERS)


def sentence(call: Callable[[], Any]) -> str:
    with pytest.raises(WarmstartError) as refused:
        call()
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.fixture
def stopped(made: Made, tmp_path: Path) -> Path:
    return copied(made.stopped, tmp_path / "run")


def test_an_older_checkpoint_ends_where_the_unbroken_run_does(
    made: Made, stopped: Path, caplog: pytest.LogCaptureFixture
) -> None:
    newest = max((stopped / "checkpoints").glob("0*"))
    record = newest / "checkpoint.json"
    record.write_bytes(flipped(record.read_bytes(), 3, 10))
    with caplog.at_level(logging.WARNING, "warmstart"):
        ws.resume(stopped, progress=False)
    assert newest.name in caplog.text and "goes on from the checkpoint before" in caplog.text
    assert comparable(read(stopped)) == comparable(read(made.finished))


def test_a_run_without_its_metrics_goes_on_and_says_so(
    made: Made, stopped: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = (stopped / "metrics.jsonl").read_bytes()
    (stopped / "metrics.jsonl").write_bytes(lines.replace(b"1", b"2", 1))
    assert "move it away" in sentence(lambda: ws.resume(stopped, progress=False))
    (stopped / "metrics.jsonl").unlink()
    with caplog.at_level(logging.WARNING, "warmstart"):
        done = ws.resume(stopped, progress=False)
    assert "has no lines" in caplog.text and done.report is not None
    late = comparable(read(made.finished))
    assert comparable(read(stopped)) == late[len(late) - len(read(stopped)) :]


def as_before(folder: Path) -> None:
    """The folder as the version before this one wrote it: no checksums, no names of runs."""
    for path in [*folder.rglob("checkpoint.json"), *folder.glob("*.json"),
                 *folder.rglob("best.json")]:  # fmt: skip
        record = json.loads(path.read_text())
        for key in ("checksum", "id", "run"):
            record.pop(key, None)
        for key in ("metrics_crc32", "replay"):
            record.get("meta", {}).pop(key, None)
        if path.name == "finished.json":
            record.pop("metrics")
        for key in ("format", "version"):
            if key in record:
                record[key] = 1
        path.write_text(json.dumps(record))
    for path in (folder / "replay").iterdir():
        path.rename(path.with_name(path.name.rpartition("-")[0] + ".npy"))


def test_what_an_older_version_wrote_opens_and_goes_on(made: Made, stopped: Path) -> None:
    as_before(stopped)
    assert told(stopped) == told(made.stopped) and acts(stopped) == acts(made.stopped)
    ws.resume(stopped, progress=False)
    assert comparable(read(stopped)) == comparable(read(made.finished))


def test_a_damaged_run_of_an_older_version_is_a_sentence_too(made: Made, stopped: Path) -> None:
    as_before(stopped)
    path = stopped / "run.json"
    record = json.loads(path.read_text())
    wrong: list[dict[str, Any]] = [
        {"seeds": "ab"}, {"until": "never"}, {"schedule": {**record["schedule"], "later": 1}},
        {"recipe": []}, {"recipe": {**record["recipe"], "later": 1}}, {"task_facts": 7},
        {"changes": [["a"]]}, {"holdout": "ab"}, {"source": 7}, {"preset": None},
        {"method_source": ["a"]}, {"task_facts": {**record["task_facts"], "horizon": "ab"}},
        {"task_facts": {**record["task_facts"], "reward": 7}}, {"format": [1]},
    ]  # fmt: skip
    for change in wrong:
        path.write_text(json.dumps({**record, **change}))
        assert sentence(lambda: Declared.from_json(read_run(stopped)))
    path.write_text(json.dumps(record))
    newest = max((stopped / "checkpoints").glob("0*")) / "checkpoint.json"
    kept = json.loads(newest.read_text())
    for key in ("trainer", "rows", "metrics", "wall"):
        meta = {("x" + k if k == key else k): v for k, v in kept["meta"].items()}
        newest.write_text(json.dumps({**kept, "meta": meta}))
        assert stands(stopped)[0] < kept["step"]
        (stopped / "metrics.jsonl").write_bytes((made.stopped / "metrics.jsonl").read_bytes())


def test_what_a_later_version_wrote_is_said_to_be_that(stopped: Path) -> None:
    path = stopped / "run.json"
    record = json.loads(path.read_text())
    later = {**record, "versions": {**record["versions"], "warmstart": "99.1"}}
    path.write_text(json.dumps(sealed({**later, "format": FORMAT + 1})))
    assert "version of warmstart that wrote it, 99.1" in sentence(lambda: read_run(stopped))
    for key in ("schedule", "recipe", "task_facts"):
        path.write_text(json.dumps(sealed({**later, key: {**record[key], "later": 1}})))
        said = sentence(lambda: Declared.from_json(read_run(stopped)))
        assert "'later'" in said and "written by warmstart 99.1" in said
    path.write_text(json.dumps(record))
    newest = max((stopped / "checkpoints").glob("0*")) / "checkpoint.json"
    newest.write_text(json.dumps(sealed({**json.loads(newest.read_text()), "version": 9})))
    assert "has version 9" in sentence(lambda: stands(stopped))
