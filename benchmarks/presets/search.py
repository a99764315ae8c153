"""Trials of the search, their lines, and who goes on."""

from __future__ import annotations

import dataclasses
import functools
import json
import logging
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks.presets.panel import PANEL, Place, task_of
from benchmarks.presets.settings import REFERENCES, SAME, SETTINGS
from warmstart.api.declare import Declared, declare
from warmstart.api.prepare import problem_of
from warmstart.engine import Problem, Trainer
from warmstart.errors import RunError, did_you_mean
from warmstart.methods import METHODS

TRIALS = Path(__file__).parent / "trials.jsonl"
ENOUGH, STEADY = 0.9, 10.0
"""A preset learns where it reaches this share of the reference, and its curve moves by no more than
this many points of the score where it stops."""

Trial = dict[str, Any]


def trials(isa: str) -> list[Trial]:
    """Every line that was written under an instruction set."""
    if not TRIALS.exists():
        return []
    lines = [json.loads(line) for line in TRIALS.read_text().splitlines()]
    return [line for line in lines if line["isa"] == isa]


def search(
    methods: Sequence[str] | None,
    tasks: Sequence[str] | None,
    budget: int,
    seeds: int,
    isa: str,
) -> None:
    """Run what is missing. Raises RunError for a method or task that is not listed."""
    places = [place for place in PANEL if place.task in _known(tasks, [p.task for p in PANEL])]
    names = _known(methods, list(SETTINGS))
    for place in places:
        for name in REFERENCES:
            _tried(name, "quick", place, seeds, isa)
    for name in names:
        left = list(SETTINGS[name])[:budget]
        seen: list[Place] = []
        for place in places:
            for setting in left:
                _tried(name, setting, place, seeds, isa)
            seen.append(place)
            standing = {setting: _standing(name, setting, seen, isa) for setting in left}
            ranked = sorted(left, key=standing.__getitem__, reverse=True)
            left = ranked[: max(2, -(-len(left) // 2))]


def _known(chosen: Sequence[str] | None, known: list[str]) -> list[str]:
    chosen = [SAME.get(name, name) for name in chosen or ()]
    for name in chosen:
        if name not in known:
            raise RunError(f"the search has no '{name}'. {did_you_mean(name, known)}")
    return [name for name in known if not chosen or name in chosen]


def _standing(method: str, setting: str, places: Sequence[Place], isa: str) -> float:
    """Mean share of the reference over the places."""
    return float(np.mean([share(find(method, setting, p.task, isa), isa) for p in places]))


def find(method: str, setting: str, task: str, isa: str) -> Trial | None:
    """The newest line of a trial."""
    wanted = (method, setting, task)
    same = [t for t in trials(isa) if (t["method"], t["setting"], t["task"]) == wanted]
    return same[-1] if same else None


def final(trial: Trial) -> float:
    """Mean score of the seeds where the curve stops."""
    return float(np.mean(trial["curve"][-1][1]))


def share(trial: Trial | None, isa: str) -> float:
    """Of the reference on the trial's task; nan where something was not run."""
    if trial is None:
        return float("nan")
    rivals = [find(name, "quick", trial["task"], isa) for name in REFERENCES]
    known = [final(rival) for rival in rivals if rival is not None]
    return final(trial) / max(max(known), 1.0) if known else float("nan")


def steady(trial: Trial) -> bool:
    """Whether the mean curve is flat where it stops: over a fifth of its length, or more."""
    end = trial["curve"][-1][0]
    earlier = [point for point in trial["curve"] if point[0] <= 0.8 * end]
    before, after = (float(np.mean(scores)) for _, scores in (earlier[-1], trial["curve"][-1]))
    return abs(after - before) <= STEADY


def _tried(method: str, setting: str, place: Place, seeds: int, isa: str) -> None:
    """Run one trial, unless its line is there."""
    changes = SETTINGS[method][setting]
    if find(method, setting, place.task, isa) is not None:
        return
    declared, problem = _ground(place)
    recipe = METHODS[method].recipe("quick", **changes).with_discount(declared.task.discount)
    stages = list(recipe.pretrain)
    before = sum(stage.updates for stage in stages[:-1])
    stages[-1] = dataclasses.replace(stages[-1], updates=place.updates - before)
    recipe = dataclasses.replace(recipe, pretrain=tuple(stages))
    every = place.updates // (4 if place.updates % 3 else 3)
    schedule = dataclasses.replace(
        declared.schedule,
        episodes=place.episodes,
        fixed_episodes=place.episodes,
        offline_every=every,
        log_every=every,
    )
    began = time.perf_counter()
    curve: dict[int, list[float]] = {}
    trainer = Trainer(recipe, problem, range(seeds), schedule, lambda: False)
    try:
        for event in trainer.run("pretrained"):
            if event.kind == "eval":
                done = event.updates + (before if event.stage == len(stages) - 1 else 0)
                curve.setdefault(done, []).append(round(event.values["score"], 1))
    finally:
        trainer.close()
        jax.clear_caches()  # a hundred trials' programs are gigabytes
    line = {
        "method": method,
        "setting": setting,
        "changes": changes,
        "task": place.task,
        "updates": place.updates,
        "episodes": place.episodes,
        "seeds": seeds,
        "data_score": problem.data_score,
        "curve": sorted(curve.items()),
        "seconds": round(time.perf_counter() - began),
        "isa": isa,
        "commit": _commit(),
    }
    with TRIALS.open("a") as file:
        file.write(json.dumps(line) + "\n")
    print(method, "|", setting, "|", place.task, line["curve"], f"{line['seconds']} s", flush=True)


@functools.lru_cache(maxsize=1)
def _ground(place: Place) -> tuple[Declared, Problem]:
    """What every trial on a task shares: its declaration and its rows."""
    logging.getLogger("warmstart").setLevel(logging.ERROR)
    declared = declare("bc", task_of(place), preset="quick")
    return declared, problem_of(declared, examine=False)


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def table(isa: str) -> str:
    """Every trial, and what it reached of its task's reference."""
    lines = []
    for trial in sorted(trials(isa), key=lambda t: (t["task"], t["method"])):
        curve = "  ".join(
            f"{done:,}: {' '.join(f'{score:.0f}' for score in scores)}"
            for done, scores in trial["curve"]
        )
        reached = share(trial, isa)
        word = "learns" if reached >= ENOUGH and steady(trial) else ""
        lines.append(
            f"{trial['task']:<24} {trial['method']:<8} {trial['setting']:<50} {curve}  "
            f"({reached:.2f}) {word}"
        )
    return "\n".join(lines)
