"""Sizes and types, alone and against the environment."""

from __future__ import annotations

import numpy as np

from warmstart.data.checks.case import Case
from warmstart.data.checks.finding import Finding, Grade, found

FEW, VERY_FEW = 1_000, 50
"""Fewer rows than these are worth a note, or a warning."""
AXES = {"obs": 2, "actions": 2, "rewards": 1, "next_obs": 2, "terminated": 1, "truncated": 1}


def columns(case: Case) -> list[Finding]:
    """no-rows, unequal-columns, wrong-types."""
    data = case.data
    if len(data) == 0:
        return [found("no-rows", "error", "there are no rows", "whole dataset")]
    findings = []
    for name, axes in AXES.items():
        column = getattr(data, name)
        if column.ndim != axes or len(column) != len(data):
            what = "columns do not fit together"
            where = f"{name} has shape {column.shape}, rewards {data.rewards.shape}"
            findings.append(found("unequal-columns", "error", what, where))
    if data.next_obs.shape != data.obs.shape and not findings:
        where = f"next_obs has shape {data.next_obs.shape}, obs {data.obs.shape}"
        findings.append(found("unequal-columns", "error", "columns do not fit together", where))
    return findings


def types(case: Case) -> list[Finding]:
    """wrong-types."""
    findings = []
    for name in AXES:
        kind = getattr(case.data, name).dtype
        wanted = np.dtype(bool if name in ("terminated", "truncated") else np.float32)
        if kind != wanted:
            grade = "warning" if kind.kind in "biuf" else "error"
            what = f"{name} are {kind}, not {wanted}"
            findings.append(found("wrong-types", grade, what, f"column {name}"))
    return findings


def few(case: Case) -> list[Finding]:
    """few-rows."""
    rows = len(case.data)
    if rows >= FEW:
        return []
    what = f"there are only {rows:,} rows"
    grade: Grade = "warning" if rows < VERY_FEW else "note"
    where = f"{len(case.lengths):,} episodes"
    return [found("few-rows", grade, what, where, count=rows)]


def sizes(case: Case) -> list[Finding]:
    """other-observation-size, other-action-size."""
    if case.spec is None:
        return []
    rows = (
        ("other-observation-size", "observations", case.data.obs.shape[1], case.spec.numbers),
        ("other-action-size", "actions", case.data.actions.shape[1], case.spec.action_dim),
    )
    return [
        found(
            name,
            "error",
            f"{column} have {have} numbers, the environment's have {want}",
            "every row",
            data=have,
            environment=want,
        )
        for name, column, have, want in rows
        if have != want
    ]


def environment(case: Case) -> list[Finding]:
    """no-environment, other-environment."""
    if case.env is None:
        why = case.info.get("no_environment")
        what = (
            f"no environment to compare with ({why})" if why else "no environment to compare with"
        )
        return [found("no-environment", "note", what, "whole dataset")]
    named = case.info.get("env_id")
    if case.task is None or not named or case.task.env_id in (None, named):
        return []
    what = f"the data were logged in {named}, the task has {case.task.env_id}"
    return [found("other-environment", "warning", what, "whole dataset")]
