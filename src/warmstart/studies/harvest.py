"""From a run folder to a result."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from warmstart.api.reread import require_metrics
from warmstart.files.machine import instruction_set
from warmstart.runs.folder import read_finished, read_run
from warmstart.runs.records import Record, read
from warmstart.studies.fingerprint import checkpoint_digest
from warmstart.studies.result import Points, Result
from warmstart.studies.work import Step, Work

CURVE = ("switch", "curve", "final")


def harvest(work: Work, step: Step, folder: Path, source: Path | None) -> Result:
    """The result of a finished run, and of the pre-training that it went on from.

    Raises:
        RunError: a folder that is no run, or is damaged.
    """
    facts, task = read_run(folder), json.loads(work.task)
    records = _of_seed(read(folder), work.seed)
    before = _of_seed(read(source), work.seed) if source is not None else records
    online = [r for r in records if r["phase"] == "online"]
    offline = [r for r in before if r["phase"] == "pretrain"]
    finished = read_finished(folder)
    require_metrics(folder)
    return Result(
        study=work.study,
        arm=step.arm,
        task=task["name"],
        seed=work.seed,
        pretraining=step.source,
        pretrained=checkpoint_digest((source or folder) / "pretrained"),
        declared=step.declared,
        protocol=work.protocol,
        numerics=work.numerics,
        isa=_ran_on(work.folder / step.device),
        success=bool(task["success"]),
        before=_last(_scores(offline, ("pretrained",), "updates")),
        curve=_scores(online, CURVE, "env_steps"),
        frozen=_scores(online, ("frozen",), "env_steps"),
        offline=_scores(offline, ("curve", "pretrained"), "updates") if step.pretrains else (),
        diagnose=_diagnosed(offline if step.pretrains else online, step.pretrains),
        value_range=_value_range([*offline, *online]),
        steps=online[-1]["env_steps"] if online else 0,
        warmup=0 if step.pretrains else int(facts.get("warmup_steps", 0)),
        seconds=float(finished.get("wall_seconds") or 0.0),
        memory_mb=finished.get("peak_memory_mb"),
        method=str(facts["method"]),
        source_hash=step.code,
        versions=facts["versions"],
        commit=work.commit or facts.get("commit"),
        created=str(facts["created"]),
    )


def _ran_on(device: Path) -> str:
    """The accelerator that the run named, or this machine's instruction set."""
    named = device.read_text().strip() if device.exists() else "cpu"
    return instruction_set() if named == "cpu" else named


def _of_seed(records: Iterable[Record], seed: int) -> list[Record]:
    return [r for r in records if r["seed"] == seed]


def _scores(records: Iterable[Record], tags: tuple[str, ...], counter: str) -> Points:
    """The later one of two scores at one place counts: it has more episodes."""
    found: dict[int, float] = {}
    offset, stage, last = 0, 0, 0
    for r in records:
        if r["kind"] != "eval" or r.get("tag") not in tags or r["values"].get("score") is None:
            continue
        if counter == "updates" and r["stage"] != stage:
            offset, stage = offset + last, r["stage"]  # stages count their updates again
        last = r[counter]
        found[offset + last] = float(r["values"]["score"])
    return tuple(sorted(found.items()))


def _last(points: Points) -> float | None:
    return points[-1][1] if points else None


def _diagnosed(records: Iterable[Record], pretrains: bool) -> dict[str, Points]:
    """Measurements by name and online step; of a pre-training the last ones alone, at 0."""
    found: dict[str, dict[int, float]] = {}
    for r in records:
        if r["kind"] == "diagnose":
            for name, value in r["values"].items():
                if isinstance(value, (int, float)) and name != "value_range":
                    at = 0 if pretrains else r["env_steps"]
                    found.setdefault(name, {})[at] = float(value)
    return {name: tuple(sorted(points.items())) for name, points in sorted(found.items())}


def _value_range(records: Iterable[Record]) -> float | None:
    values: list[Any] = [r["values"].get("value_range") for r in records if r["kind"] == "diagnose"]
    return next((float(v) for v in values if v), None)
