"""A working folder in which every command and call of the pages is short.

What would take minutes is replaced where it begins: the loop of training, data that are made,
probes and processes of studies. All else is real: the words, the method and the task, the files
that a command names (`belongings`), their reading and examination, the run's folder.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
import socketserver
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, get_type_hints

import gymnasium
import pytest

from warmstart import values
from warmstart.agent import Agent
from warmstart.api.declare import Declared
from warmstart.api.in_words import crossing
from warmstart.api.laws import Law
from warmstart.api.own import find_method
from warmstart.data import load
from warmstart.data.makers import MAKERS, TRAINING, make
from warmstart.runs.folder import finish_run, read_run
from warmstart.runs.records import MetricWriter, read
from warmstart.runs.summary import overall, summarise
from warmstart.studies.predict import Rates
from warmstart.studies.runner import StudyRunner
from warmstart.tasks import Task, get_task

RUN = importlib.import_module("warmstart.api.run")  # not its function `run`
CROSSING = functools.cache(crossing)
"""Found once for each recipe; the pages repeat them."""
BRANCHES = inspect.signature(Agent.finetune)


@pytest.fixture
def short_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder of its own, in which nothing takes long."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WARMSTART_DATA", str(tmp_path / "made"))
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    for module in [name for name in sys.modules if re.fullmatch(r"my_\w+", name)]:
        monkeypatch.delitem(sys.modules, module)  # another page's file
    for env_id in ("MyArm-v0", "Arm-v0"):
        monkeypatch.delitem(gymnasium.registry, env_id, raising=False)
    monkeypatch.setattr("warmstart.values._KNOWN", {**values._KNOWN})  # and its parts
    real = RUN.problem_of

    def problem_of(declared: Declared, **given: Any) -> Any:
        data = declared.task.data
        if declared.task.domain == "custom" or (data is not None and data.path is not None):
            return real(declared, **given)
        if declared.recipe.needs_dataset:
            assert data is not None and data.maker in {*MAKERS, TRAINING}
        return None

    monkeypatch.setattr(RUN, "problem_of", problem_of)
    monkeypatch.setattr(RUN, "_drive", _learnt)
    for user in ("declare", "in_words"):
        monkeypatch.setattr(importlib.import_module(f"warmstart.api.{user}"), "crossing", CROSSING)
    monkeypatch.setattr("warmstart.commands.data.make", _few)
    monkeypatch.setattr("warmstart.commands.data_check.dataset_for", lambda task: load(_few(task)))
    monkeypatch.setattr(
        importlib.import_module("warmstart.api.train_behaviour"),
        "make_replay",
        lambda task, observe: _few(get_task("jax-pointmass")),
    )
    monkeypatch.setattr("warmstart.api.check", _lawful)
    monkeypatch.setattr("warmstart.api.evaluate", _played)
    monkeypatch.setattr("warmstart.policy.server.Server.serve_forever", lambda server: None)
    monkeypatch.setattr("warmstart.policy.server.Server.server_bind", _unbound)
    monkeypatch.setenv("WARMSTART_TOKEN", "a-token-of-a-fair-length")
    monkeypatch.setattr("warmstart.link.actor.Actor.run", _acted)
    monkeypatch.setattr("warmstart.commands.learn._listens", _listened)
    monkeypatch.setattr("warmstart.commands.learn.Agent.finetune", _branched)
    monkeypatch.setattr("warmstart.studies.predict._time", _timed)
    monkeypatch.setattr("warmstart.studies.runner.StudyRunner.run", _planned)


def _learnt(folder: Path, declared: Declared, until: str, observe: Any, problem: Any = None) -> Any:
    """Stands for the training: the lines of a run that went well."""
    assert Declared.from_json(read_run(folder)) == declared
    with MetricWriter(folder) as out:
        for seed in declared.seeds:
            where = {"seed": seed, "stage": 0, "updates": 100, "wall": 1.0}
            for phase, tag, steps in (
                ("pretrain", "pretrained", 0),
                ("online", "switch", 0),
                ("online", "final", declared.recipe.finetune.steps),
            ):
                if phase == until[: len(phase)] or until == "done":
                    values = {"score": 50.0, "success": 0.5}
                    at = {**where, "phase": phase, "env_steps": steps}
                    out.write("eval", **at, values=values, tag=tag)
    summary = summarise(read(folder), 1.0)
    finish_run(folder, overall(summary))
    return RUN.Run(folder, declared, summary, None)


def _few(task: Task, *, seed: int = 0, **given: Any) -> Path:
    return make(task, seed=seed, size=3)


def _played(folder: Path, **given: Any) -> dict[int, dict[str, float]]:
    names = ("score", "success", "return_mean", "return_std", "length_mean", "episodes")
    return {seed: dict.fromkeys(names, 1.0) for seed in read_run(folder)["seeds"]}


def _unbound(server: Any) -> None:
    """Any free port, and this machine alone, whatever the words say."""
    server.server_address = ("127.0.0.1", 0)
    socketserver.TCPServer.server_bind(server)


def _acted(actor: Any, steps: int | None = None, go: Any = False) -> dict[str, Any]:
    """Stands for the robot's time."""
    counts = ("numbered", "sent", "safe", "weights", "refused_weights", "connections")
    assert go
    return {**actor.report(), **dict.fromkeys(counts, 0)}


def _listened(agent: Any, folder: Path, *given: Any) -> int:
    """Stands for the robot's learner."""
    assert folder.parent.is_dir()
    return 0


def _branched(source: Path, **given: Any) -> Any:
    """Stands for an agent on a pre-training, which was not really made."""
    BRANCHES.bind(source, **given)
    assert read_run(source)["seeds"]
    return nullcontext()


def _lawful(method: str, preset: str | None = None) -> Iterator[Law]:
    recipe = find_method(method).recipe(*[preset] if preset else [])
    yield Law("it has a recipe", bool(recipe.finetune), "it has")


def _timed(*given: Any) -> Rates:
    return Rates(**dict.fromkeys(get_type_hints(Rates), 1.0))


def _planned(driver: StudyRunner) -> dict[str, str]:
    for task in driver.tasks:
        driver._plan(task, 0)
    return {}
