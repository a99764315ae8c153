"""Anybody's own methods x tasks x seeds: one table, one figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from warmstart.api.given import check_seeds
from warmstart.api.own import short_name
from warmstart.errors import RunError
from warmstart.studies.arm_tables import Row, rows
from warmstart.studies.curves import curves
from warmstart.studies.evidence import Evidence, gather
from warmstart.studies.executors.protocol import make_executor
from warmstart.studies.fingerprint import digest, numerics
from warmstart.studies.runner import StudyRunner, StudyStopped, Where
from warmstart.studies.store import Store, plain
from warmstart.studies.study import Arm, Study
from warmstart.studies.study_page import arm_table, drawing, notes
from warmstart.studies.work import plan
from warmstart.tasks import Task

Method = str | Arm | Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Methods side by side; shows itself in a notebook.

    Attributes:
        study: what was run, arms by the methods' names.
        evidence: the results, by task and seed.
        failed: what failed -> one sentence; the same call tries it again.
    """

    study: Study
    evidence: Evidence
    failed: Mapping[str, str]

    @property
    def rows(self) -> list[Row]:
        """One row for each method on each task; `Row.gap` is against the first method."""
        return rows(self.evidence.units, self.study.everything)

    @property
    def figure(self) -> Figure | None:
        """The curves, one panel a task; None before the first result."""
        return curves(self.evidence.units, self.study.everything)

    def _repr_html_(self) -> str:
        units = self.evidence.units
        tables = "".join(arm_table(t, {t: u}, self.study.everything) for t, u in units.items())
        said = [*self.evidence.said, *(f"{where}: {why}" for where, why in self.failed.items())]
        return drawing(units, self.study.everything) + tables + notes(said)


def compare(
    methods: Sequence[str] | Mapping[str, Method],
    tasks: str | Task | Sequence[str | Task],
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    *,
    steps: int | None = None,
    pretrain_steps: int | None = None,
    preset: str | None = None,
    schedule: Mapping[str, Any] | None = None,
    holdout: float = 0.05,
    workers: int = 1,
    on: str = "local",
    folder: Path | str = "studies",
    tell: Callable[[str], None] = print,
) -> Comparison:
    """Run methods on tasks for some seeds, each whole, and set them side by side.

    What was run before with the same numbers is not run again. Ctrl-C saves everything, and the
    same call goes on.

    Args:
        methods: names or `my_method.py:recipe`; or names of your own to a method, to a mapping of
            changes with the method's name under "method" (`{"method": "wsrl",
            "replay.warmup.steps": 0}`), or to an `Arm`.
        tasks: names, or tasks as `custom_task` makes them.
        steps: online steps; None: each method's own.
        pretrain_steps: gradient steps of pre-training; None: each method's own.
        schedule: see `warmstart.declare`.
        on: "local", "ray" or "slurm".
        folder: receives `runs/` and `results/`.
        tell: takes a line of progress now and then.

    Raises:
        RunError, RecipeError, TaskError: something named that does not exist or cannot be.
        StudyStopped: by Ctrl-C, everything saved.
    """
    arms = _arms(methods, pretrain_steps)
    chosen: list[str | Task] = [tasks] if isinstance(tasks, str | Task) else list(tasks)
    if not chosen:
        raise RunError("no task is named; give a name, a Task, or several")
    names = tuple(t if isinstance(t, str) else t.name for t in chosen)
    if len(set(names)) < len(names):
        raise RunError(f"two tasks have one name among {', '.join(names)}; rename one")
    said = {name: [a.method, dict(a.changes), a.preset] for name, a in arms.items()}
    mark = digest([said, steps, pretrain_steps, preset])[:6]
    study = Study(
        f"compare-{mark}", "Methods side by side.", {}, arms, names, preset, steps,
        dict(schedule or {}), holdout,
    )  # fmt: skip
    where = Where(Path(folder) / "runs", Path(folder) / "results")
    wanted = check_seeds(seeds)
    driver = StudyRunner(study, chosen, (), wanted, where, make_executor(on, workers), tell)
    failed = driver.run()
    found, left_out = Store(where.results).read(study.name)
    protocols = {plan(study, t, 0, runs=where.runs, results=where.results).protocol for t in chosen}
    mine = [r for r in found if r.protocol in protocols and r.task in names and r.seed in wanted]
    evidence = gather(mine, numerics())
    ordered = {name: evidence.units[name] for name in names if name in evidence.units}
    return Comparison(study, Evidence(ordered, (*left_out, *evidence.said)), failed)


def _arms(
    methods: Sequence[str] | Mapping[str, Method], pretrain_steps: int | None
) -> dict[str, Arm]:
    if isinstance(methods, str):
        methods = [methods]
    given = methods if isinstance(methods, Mapping) else {short_name(m): m for m in methods}
    if not given or len(given) < len(methods):
        raise RunError("give methods of different names, or a mapping from names to methods")
    arms: dict[str, Arm] = {}
    for name, method in given.items():
        if isinstance(method, Arm):
            arms[name] = method
            continue
        if isinstance(method, str):
            method = {"method": method}
        changes = dict(method)
        if "method" not in changes:
            raise RunError(f"'{name}' names no method; put its name under \"method\"")
        who = str(changes.pop("method"))
        arms[plain(name)] = Arm(
            who, None, {k: str(v) for k, v in changes.items()}, None, pretrain_steps
        )
    return arms


__all__ = ["Comparison", "StudyStopped", "compare"]
