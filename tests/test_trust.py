"""A folder that a stranger sent runs no code: whatever it names, wherever it names it."""

from __future__ import annotations

import ast
import hashlib
import json
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import warmstart as ws
from warmstart.api import Declared, report
from warmstart.cli import main
from warmstart.data import load, save_folder
from warmstart.envs.make import make_env
from warmstart.errors import RunError, WarmstartError
from warmstart.files.durable import sealed
from warmstart.reports.run import known_floor
from warmstart.runs.checkpoints import Checkpoints
from warmstart.runs.folder import open_run, read_finished, read_run
from warmstart.runs.records import read
from warmstart.runs.summary import summarise
from warmstart.studies import child
from warmstart.studies.evidence import gather
from warmstart.studies.fingerprint import numerics
from warmstart.studies.store import Store
from warmstart.studies.study import Arm, Study
from warmstart.studies.work import Work, plan
from warmstart.user_code import trust

ROOT = Path(ws.__file__).parent
EVIL = """
from pathlib import Path
import gymnasium
with open(MARKER, "a") as file:
    file.write(__name__)
gymnasium.register("Foo-v0", entry_point="gymnasium.envs.classic_control:PendulumEnv",
                   max_episode_steps=5)
def recipe(preset="quick"):
    from warmstart.methods import METHODS
    return METHODS["td3_bc"].recipe("quick")
PRESETS = {"quick": {}}
"""
SMALL: dict[str, Any] = {
    "changes": {"nets.hidden": "8"},
    "schedule": {"episodes": 1, "fixed_episodes": 1, "offline_every": 0, "online_every": 8,
                 "early": (), "films": False, "compare": False},
}  # fmt: skip


def logged(path: Path) -> str:
    """An NPZ file as logged in Pendulum-v1."""
    rng = np.random.default_rng(0)
    walk = rng.normal(size=(81, 3)).astype(np.float32)
    ends = np.zeros(80, bool)
    ends[9::10] = True
    np.savez(
        path, observations=walk[:-1], actions=rng.uniform(-2, 2, (80, 1)).astype(np.float32),
        rewards=rng.normal(size=80).astype(np.float32), terminals=np.zeros(80, bool),
        timeouts=ends, next_observations=walk[1:],
    )  # fmt: skip
    return str(path)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that somebody made elsewhere."""
    home = tmp_path_factory.mktemp("stranger")
    task = ws.custom_task("Pendulum-v1", horizon=5, data_path=logged(home / "logged.npz"))
    run = ws.run("td3_bc", task, pretrain_steps=4, steps=8, root=home, name="run",
                 progress=False, **SMALL)  # fmt: skip
    return run.folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's working folder, in which the stranger's file lies too; nothing is trusted yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WARMSTART_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(trust, "_NAMED", set())
    looked_in, known = list(sys.path), set(sys.modules)
    (tmp_path / "evil.py").write_text(EVIL.replace("MARKER", repr(str(tmp_path / "marker"))))
    yield tmp_path
    sys.path[:] = looked_in
    gymnasium.registry.pop("Foo-v0", None)
    for name in set(sys.modules) - known:
        if name.startswith("warmstart_own_") or name.split(".")[0] in ("evil", "bad"):
            del sys.modules[name]


def copied(sent: Path, here: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    folder = here / "run"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sent, folder)
    record = json.loads((folder / "run.json").read_text())
    change(record)
    (folder / "run.json").write_text(json.dumps(sealed(record)))
    return folder


def names(where: str, word: str) -> Callable[[dict[str, Any]], None]:
    """A change of `run.json`: the method or the environment is this one."""

    def change(record: dict[str, Any]) -> None:
        if where == "method":
            record["method_source"] = word
        elif where == "argument":
            record["task_facts"]["env_kwargs"] = {"deep": [{"env_id": word}]}
        else:
            record["task_facts"]["env_id"] = word

    return change


COMMANDS = {
    "evaluate": ["evaluate", "run", "--episodes", "1"],
    "resume": ["resume", "run"],
    "longer": ["resume", "run", "--steps", "16"],
    "finetune": ["finetune", "td3_bc", "--from", "run", "--steps", "8"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("where", "word", "code"),
    [
        ("method", "{here}/evil.py:recipe", "{here}/evil.py"),
        ("method", "evil.py:recipe", "{here}/evil.py"),
        ("environment", "{here}/evil.py:Foo-v0", "{here}/evil.py"),
        ("environment", "evil:Foo-v0", "evil"),
        ("environment", "evil.deeper:Foo-v0", "evil.deeper"),
        ("argument", "evil:Foo-v0", "evil"),
    ],
)
def test_a_command_names_the_file_and_runs_nothing(
    sent: Path, here: Path, capsys: pytest.CaptureFixture[str],
    command: str, where: str, word: str, code: str,
) -> None:  # fmt: skip
    folder = copied(sent, here, names(where, word.format(here=here)))
    if command == "resume":
        (folder / "finished.json").unlink()
    assert main(COMMANDS[command]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and f"--allow-code {code.format(here=here)} " in err
    assert not (here / "marker").exists() and not (here / "state").exists()


@pytest.mark.parametrize("word", ["{here}/evil.py:Foo-v0", "evil:Foo-v0"])
def test_named_on_the_command_line_it_runs(
    sent: Path, here: Path, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    copied(sent, here, names("environment", word.format(here=here)))
    allowed = word.format(here=here).rpartition(":")[0].replace(f"{here}/", "")
    assert main([*COMMANDS["evaluate"], "--allow-code", allowed]) == 0, capsys.readouterr().err
    assert (here / "marker").exists()
    assert not (here / "state").exists()  # for this command alone


def _mine(here: Path) -> None:
    """A run that the user begins with the file himself, then another process."""
    mine = ["run", "evil.py:recipe", "--env", "evil.py:Foo-v0", "--horizon", "5", "--data",
            logged(here / "mine.npz"), "--steps", "8", "--pretrain-steps", "4", "--episodes", "1",
            "--fixed-episodes", "1", "--no-films", "--no-compare", "--early=", "--name", "mine",
            "--root", "."]  # fmt: skip
    assert main(mine) == 0
    _as_a_new_process()
    (here / "marker").unlink()


def _as_a_new_process() -> None:
    trust._NAMED.clear()
    for name in list(sys.modules):
        if name.startswith("warmstart_own_evil") or name == "evil":
            del sys.modules[name]
    gymnasium.registry.pop("Foo-v0", None)


def test_what_the_user_began_a_run_with_is_trusted_as_it_was(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _mine(here)
    assert main(["evaluate", "mine", "--episodes", "1"]) == 0
    assert (here / "marker").exists()
    (here / "marker").unlink()
    _as_a_new_process()
    with open("evil.py", "a") as file:
        file.write("# changed\n")
    assert main(["evaluate", "mine", "--episodes", "1"]) == 2
    assert f"--allow-code {here}/evil.py" in capsys.readouterr().err
    assert main(["evaluate", "mine", "--episodes", "1", "--allow-code", "evil.py"]) == 0
    _as_a_new_process()
    (here / "marker").unlink()
    os.rename("evil.py", "bad.py")  # the same bytes, elsewhere
    record = (here / "mine" / "run.json").read_text().replace("evil.py", "bad.py")
    (here / "mine" / "run.json").write_text(json.dumps(sealed(json.loads(record))))
    assert main(["evaluate", "mine", "--episodes", "1"]) == 2
    assert not (here / "marker").exists()


@pytest.mark.parametrize("named", ["{here}/arm.py", "arm", "kit.arm"])
def test_what_a_trusted_file_imports_from_beside_it_counts_too(here: Path, named: str) -> None:
    (here / "kit").mkdir()
    for path, text in {
        "arm.py": "import os, numpy\ndef late():\n    import kit.arm\n    from joints import limit",
        "joints.py": "from kit import deep as limit",
        "kit/__init__.py": "",
        "kit/arm.py": "from . import deep\nfrom .missing import nothing",
        "kit/deep.py": "import arm, joints  # in a circle",
        "stranger.py": "not imported",
        "late.py": "(",
    }.items():
        (here / path).write_text(text + "\n")
    code = named.format(here=here)
    trust.remember([code])
    trust.require_trusted([code])
    for path in ("arm.py", "joints.py", "kit/__init__.py", "kit/arm.py", "kit/deep.py"):
        before = (here / path).read_text()
        (here / path).write_text(before + "# changed\n")
        with pytest.raises(trust.UntrustedCode, match="the files beside it that it imports"):
            trust.require_trusted([code])
        (here / path).write_text(before)
        trust.require_trusted([code])
    (here / "stranger.py").write_text("changed")
    trust.require_trusted([code])


def test_a_file_without_imports_of_its_own_keeps_its_former_mark(here: Path) -> None:
    """Notes of earlier versions hold the sum of the file alone."""
    (here / "arm.py").write_text("import numpy, warmstart.nets\n")
    sum_ = hashlib.sha256((here / "arm.py").read_bytes()).hexdigest()
    assert trust.fingerprint(f"{here}/arm.py") == sum_
    (here / "arm.py").write_bytes(b"\0")  # no Python at all
    assert trust.fingerprint(f"{here}/arm.py") == hashlib.sha256(b"\0").hexdigest()


def test_a_compiled_copy_beside_the_file_is_not_run(here: Path) -> None:
    (here / "good.py").write_text("value = 1\n")
    import importlib._bootstrap_external as machinery

    evil = compile((here / "evil.py").read_text(), "good.py", "exec")
    at = int((here / "good.py").stat().st_mtime), (here / "good.py").stat().st_size
    pyc = Path(machinery.cache_from_source(str(here / "good.py")))  # pyright: ignore
    pyc.parent.mkdir()
    pyc.write_bytes(machinery._code_to_timestamp_pyc(evil, *at))  # pyright: ignore
    trust.name_code(["good.py"])
    from warmstart.api.own import load_file

    assert load_file(str(here / "good.py")).value == 1
    assert not (here / "marker").exists()


def test_a_state_folder_that_cannot_be_written_costs_no_run(
    here: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (here / "file").write_text("")
    monkeypatch.setenv("WARMSTART_STATE", str(here / "file"))
    with caplog.at_level(logging.WARNING, "warmstart"):
        trust.remember(["evil.py"])
    assert "could not be noted" in caplog.text and "--allow-code" in caplog.text


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a JSON document that holds no others."""
    if isinstance(value, dict | list) and value:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    else:
        yield path


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at the path."""
    value = json.loads(json.dumps(value))
    at = value
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = new
    return value


def test_no_field_of_no_file_runs_code(sent: Path, here: Path) -> None:
    folder = copied(sent, here, lambda record: None)
    evil = str(here / "evil.py")
    payloads = [f"{evil}:recipe", f"{evil}:Foo-v0", "evil:Foo-v0", {"is": "evil:recipe"}]
    files = sorted(p for p in folder.rglob("*.json") if "state" not in p.parts)
    assert {"run.json", "checkpoint.json", "best.json"} <= {p.name for p in files}
    for path in files:
        text = path.read_text()
        content = json.loads(text)
        places = list(leaves(content))
        if path.name == "checkpoint.json":  # one of its many leaves stands for all
            places = [p for p in places if p[:1] != ("leaves",) or p[1] == 0]
        for place in places:
            for payload in payloads:
                path.write_text(json.dumps(sealed(replaced(content, place, payload))))
                looked_at_one(folder, path)
                assert not (here / "marker").exists(), (path.name, place, payload)
        path.write_text(text)


def looked_at_one(folder: Path, path: Path) -> None:
    """What reads this file of a run."""
    with suppress(WarmstartError, TypeError, ValueError, KeyError, AttributeError, IndexError):
        if path.name == "run.json":
            record = read_run(folder)
            known_floor(record)
            make_env(Declared.from_json(record).task)().close()
        elif path.name in ("finished.json", "summary.json"):
            read_finished(folder)
            open_run(folder)
        elif "policies" in path.parts:
            ws.actor(path.parent)(np.zeros(3, np.float32))
        else:
            parts = Checkpoints(path.parent if path.name == "best.json" else path.parent.parent)
            parts.best()
            parts.restore_newest(lambda meta: {"x": np.zeros(1)})


def test_no_field_of_a_dataset_or_of_a_result_runs_code(here: Path, sent: Path) -> None:
    data = load(logged(here / "a.npz"))
    folder = save_folder(data, here / "data", {"env_id": "Pendulum-v1", "env_kwargs": {"g": 9.0}})
    manifest = next(folder.glob("*.json"))
    content = json.loads(manifest.read_text())
    for place in leaves(content):
        for payload in (f"{here}/evil.py:Foo-v0", "evil:Foo-v0"):
            manifest.write_text(json.dumps(replaced(content, place, payload)))
            with suppress(WarmstartError):
                load(folder)
            if place[-1] in ("env_id", "g"):
                assert main(["data", "check", str(folder), "--json"]) in (0, 1, 2)
    assert not (here / "marker").exists()


def test_no_field_of_a_metric_line_or_of_a_result_runs_code(here: Path, sent: Path) -> None:
    folder = copied(sent, here, lambda record: None)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    kinds = {line["kind"]: line for line in lines}
    for line in kinds.values():
        for place in leaves(line):
            spoilt = [*lines, replaced(line, place, "evil:Foo-v0")]
            text = "".join(json.dumps(each) + "\n" for each in spoilt)
            (folder / "metrics.jsonl").write_text(text)
            with suppress(WarmstartError):
                summarise(read(folder), None)
    made = next((ROOT.parents[1] / "studies" / "results").rglob("*-s*.json"))
    content, results = json.loads(made.read_text()), here / "results" / "first-run" / "two-rooms"
    results.mkdir(parents=True)
    for place in leaves(content):
        changed = json.dumps(replaced(content, place, "evil:Foo-v0"))
        (results / made.name).write_text(changed)
        with suppress(WarmstartError):
            gather(Store(here / "results").read("first-run")[0], numerics())
    assert not (here / "marker").exists()


def test_a_report_shows_texts_as_text(here: Path, sent: Path) -> None:
    folder = copied(sent, here, lambda record: None)
    said = "<script>evil()</script>"
    record = json.loads((folder / "run.json").read_text())
    for key, value in list(record.items()):
        if key not in ("format", "seeds", "recipe", "schedule", "until"):
            record[key] = _spoken(value, said)
    record["format"] = 1
    (folder / "run.json").write_text(json.dumps(sealed(record)))
    (folder / "finished.json").unlink()
    shutil.rmtree(folder / "checkpoints")
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    lines.append({**lines[0], "kind": "warning", "values": {"name": said, "text": said}})
    lines += [{**line, "values": {**line["values"], said: 1.0}} for line in lines[1:4]]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    page, _ = report([folder])
    assert "evil()" in page.read_text() and "<script>evil" not in page.read_text()


def _spoken(value: Any, said: str) -> Any:
    if isinstance(value, dict):
        return {key: _spoken(item, said) for key, item in value.items()}
    if isinstance(value, list):
        return [_spoken(item, said) for item in value]
    return said if isinstance(value, str) else value


def test_a_worker_of_a_study_runs_the_code_of_the_study_alone(here: Path, sent: Path) -> None:
    task = ws.custom_task(f"{here}/evil.py:Foo-v0", data_path=logged(here / "a.npz"))
    study = Study("own", "", {}, {"bc": Arm("bc")}, (task.name,), None, 8)
    work = plan(study, task, 0, runs=here / "runs", results=here / "results")
    sums = {f"{here}/evil.py": trust.fingerprint(f"{here}/evil.py")}
    assert Work.from_json(work.to_json()).code == sums and not (here / "marker").exists()
    _as_a_new_process()
    child._allow(dict(work.code))
    trust.require_trusted(work.code)
    _as_a_new_process()
    with open("evil.py", "a") as file:
        file.write("# changed\n")
    with pytest.raises(RunError, match="has changed since the study began"):
        child._allow(dict(work.code))
    with pytest.raises(trust.UntrustedCode):
        trust.require_trusted(work.code)


def test_code_is_imported_by_name_in_one_place() -> None:
    """Elsewhere only what the package itself names, and the catalogue's packages."""
    ours = {
        "user_code/load.py",
        "envs/registry.py",
        "envs/quirks.py",
        "data/tables.py",
        "data/ogbench.py",
        "data/pictures.py",
        "data/makers/table_top/oracles.py",
        "__init__.py",
    }
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = (
                    node.func.attr
                    if isinstance(node.func, ast.Attribute)
                    else (node.func.id if isinstance(node.func, ast.Name) else "")
                )
                if called in (
                    "import_module",
                    "exec_module",
                    "__import__",
                    "run_path",
                    "run_module",
                    "spec_from_file_location",
                ):
                    assert str(path.relative_to(ROOT)) in ours, path  # fmt: skip


def test_a_process_of_ours_does_not_look_in_the_working_folder() -> None:
    """`python -m` would: a `numpy.py` that lies there would then be imported."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.List):
                words = [e.value for e in node.elts if isinstance(e, ast.Constant)]
                assert "-m" not in words or "-P" in words, path
