"""The examination: every check in its order, and the one place that stops a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from warmstart.data.checks import actions, ends, mazes, order, replay, rewards, scale, shapes
from warmstart.data.checks import episode_returns as returns
from warmstart.data.checks import numbers as values
from warmstart.data.checks import row_order as sequence
from warmstart.data.checks.case import Case
from warmstart.data.checks.finding import GRADES, Finding
from warmstart.data.checks.findings import ISSUES
from warmstart.errors import DataError, RunError, did_you_mean
from warmstart.recipe import Recipe
from warmstart.tasks import Task
from warmstart.types import Dataset, HostEnv

Look = Callable[[Case], list[Finding]]

FIRST: tuple[Look, ...] = (shapes.columns, shapes.sizes, shapes.types)
"""Where one of these finds an error, nothing further can be computed."""

BEFORE_RUNS: tuple[Look, ...] = (
    shapes.environment,
    shapes.few,
    values.finite,
    values.wild,
    values.rounded,
    values.outside,
    actions.outside,
    actions.saturated,
    actions.still,
    actions.tiny,
    rewards.contrast,
    rewards.outliers,
    rewards.dropped,
    sequence.across_borders,
    sequence.turns,
    sequence.next_row,
    sequence.not_moving,
    sequence.copies,
    sequence.short_pieces,
    ends.at_limit,
    ends.done_and_truncated,
    ends.early_cuts,
    ends.too_long,
    ends.endless,
    ends.no_terminals,
    returns.success,
    returns.success_partly,
    returns.too_high,
    scale.observations,
    scale.rewards,
    mazes.places,
    order.other_order,
    replay.replay,
)
"""Cheap enough for every run."""

AT_LEISURE: tuple[Look, ...] = (
    values.still,
    actions.coverage,
    returns.returns,
    returns.calibration,
)
"""Only when asked for."""

NEED_NUMBERS = {
    values.wild,
    values.outside,
    rewards.outliers,
    rewards.dropped,
    sequence.across_borders,
    sequence.turns,
    returns.too_high,
    scale.observations,
    scale.rewards,
    mazes.places,
    order.other_order,
    replay.replay,
    *AT_LEISURE,
}
"""These compute with every number, and say nothing where some are not finite."""


@dataclass(frozen=True)
class Examination:
    """What was found, errors first.

    Attributes:
        findings: in the order of their grades.
        source: where the data came from.
        facts: rows, episodes, and what the data were compared with.
    """

    findings: tuple[Finding, ...]
    source: str
    facts: dict[str, Any]

    def of(self, *grades: str) -> list[Finding]:
        """The findings of these grades."""
        return [finding for finding in self.findings if finding.grade in grades]

    @property
    def errors(self) -> list[Finding]:
        """The findings that stop a run."""
        return self.of("error")

    def to_json(self) -> dict[str, Any]:
        """What `data check --json` prints; see docs/schema.md."""
        rows = [
            {**asdict(finding), "rows": list(finding.rows), "numbers": dict(finding.numbers)}
            for finding in self.findings
        ]
        counts = {f"{grade}s": len(self.of(grade)) for grade in GRADES}
        return {"data": self.source, **self.facts, **counts, "findings": rows}


def examine(
    dataset: Dataset,
    env: HostEnv | None = None,
    task: Task | None = None,
    short: bool = False,
    recipe: Recipe | None = None,
) -> Examination:
    """Look for everything that is wrong, odd or worth knowing about a dataset.

    Args:
        dataset: as `load` gives it.
        env: an open environment that the data are meant for; it is reset and stepped, unless
            `task` is physical. None: nothing is compared with it.
        task: discount, reward transform, return rule and success; None: plain ones.
        recipe: the method that shall learn from them; None: what any method may stumble over.
        short: leave out what takes long, and replay fewer rows.
    """
    case = Case(dataset, env, task, recipe, short)
    findings: list[Finding] = []
    for look in FIRST:
        findings += look(case)
        if any(finding.grade == "error" for finding in findings):
            return _report(case, findings)
    broken = False
    for look in BEFORE_RUNS if short else BEFORE_RUNS + AT_LEISURE:
        if broken and look in NEED_NUMBERS:
            continue
        findings += look(case)
        broken = broken or any(finding.name == "not-finite" for finding in findings)
    return _report(case, findings)


def _report(case: Case, findings: Iterable[Finding]) -> Examination:
    task = case.task
    name = None if task is None or case.env is None else task.env_id or task.jax_env
    facts = {
        "rows": len(case.data),
        "episodes": len(case.data.episodes()) if case.data.terminated.ndim == 1 else None,
        "environment": name,
    }
    ordered = tuple(sorted(findings, key=lambda finding: GRADES.index(finding.grade)))
    return Examination(ordered, str(case.info.get("source", "the dataset")), facts)


def check_ignored(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each once. Raises RunError for one that is unknown or cannot be ignored."""
    for name in names:
        if name not in ISSUES:
            raise RunError(f"there is no finding '{name}' to ignore. {did_you_mean(name, ISSUES)}")
        if ISSUES[name].fatal:
            raise RunError(
                f"'{name}' cannot be ignored, nothing can be learnt from such data. "
                f"{ISSUES[name].fix}"
            )
    return tuple(dict.fromkeys(names))


def require_clean(
    dataset: Dataset,
    env: HostEnv | None = None,
    task: Task | None = None,
    ignore: Sequence[str] = (),
    recipe: Recipe | None = None,
) -> list[Finding]:
    """The warnings of the short examination, if it finds no error but ignored ones.

    Raises:
        DataError: the first error, its fix, and the name that lets a run go on all the same.
    """
    report = examine(dataset, env, task, short=True, recipe=recipe)
    errors = [finding for finding in report.errors if finding.name not in ignore]
    if errors:
        first, others = errors[0], [finding.name for finding in errors[1:]]
        more = f" (further errors: {', '.join(dict.fromkeys(others))})" if others else ""
        way_out = (
            f" To go on all the same: --ignore {first.name} (in Python ignore=['{first.name}'])"
        )
        if ISSUES[first.name].fatal:
            way_out = ""
        raise DataError(
            f"{report.source}: {first.what} ({first.where}){more}. {first.fix}{way_out}"
        )
    return [finding for finding in report.of("warning") if finding.name not in ignore]
