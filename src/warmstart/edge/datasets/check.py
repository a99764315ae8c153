"""Floor 7: what is wrong, odd or worth knowing about a dataset, before hours go into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from warmstart.errors import DataError
from warmstart.types import Dataset, Spec

Grade = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One remark: how bad, what, where (columns and rows), and what to do."""

    grade: Grade
    what: str
    where: str
    fix: str

    def __str__(self) -> str:
        return f"{self.grade}: {self.what} ({self.where}). {self.fix}"


def check(dataset: Dataset, spec: Spec | None = None) -> list[Finding]:
    """All findings, errors first.

    Args:
        dataset: as `load` gives it.
        spec: of the environment it is meant for; None: sizes are not compared.
    """
    shapes = _shapes(dataset, spec)
    if any(finding.grade == "error" for finding in shapes):
        return shapes
    found = list(shapes)
    for look in _LOOKS:
        found += look(dataset)
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda finding: order[finding.grade])


def require_clean(dataset: Dataset, spec: Spec | None = None) -> list[Finding]:
    """The findings if none is an error; else DataError with the first error and their number."""
    found = check(dataset, spec)
    errors = [finding for finding in found if finding.grade == "error"]
    if errors:
        more = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
        first, name = errors[0], dataset.info.get("source", "The dataset")
        raise DataError(f"{name}: {first.what} ({first.where}){more}. {first.fix}")
    return found


def _shapes(data: Dataset, spec: Spec | None) -> list[Finding]:
    if len(data) == 0:
        return [Finding("error", "there are no rows", "whole dataset", "Log at least one episode.")]
    found = []
    for name in ("obs", "actions", "next_obs", "terminated", "truncated"):
        column = getattr(data, name)
        axes = 1 if name in ("terminated", "truncated") else 2
        if column.ndim != axes or len(column) != len(data):
            where = f"{name} has shape {column.shape}, rewards {data.rewards.shape}"
            fix = f"Give {name} one row a step and {axes} axes."
            found.append(Finding("error", "columns do not fit together", where, fix))
    if found or spec is None:
        return found
    sizes = (
        ("observations", data.obs.shape[1], spec.obs_dim),
        ("actions", data.actions.shape[1], spec.action_dim),
    )
    for name, have, want in sizes:
        if have != want:
            what = f"{name} have {have} numbers, the environment's have {want}"
            fix = "Use the environment, version and keyword arguments that the data were logged in."
            found.append(Finding("error", what, "every row", fix))
    return found


def _finite(data: Dataset) -> list[Finding]:
    found = []
    for name in ("obs", "actions", "rewards", "next_obs"):
        column = getattr(data, name).reshape(len(data), -1)
        bad = np.flatnonzero(~np.all(np.isfinite(column), axis=1))
        if len(bad):
            what = f"{name} hold NaN or infinite numbers"
            fix = "Remove the episodes with these rows and look for the cause in the logger."
            found.append(Finding("error", what, _rows(bad), fix))
    return found


def _actions(data: Dataset) -> list[Finding]:
    outside = data.info.get("actions_outside")
    if outside:
        share = outside["rows"] / max(len(data), 1)
        where = f"{outside['rows']} rows, first {outside['first']}"
        what = f"actions leave the action box, up to {outside['largest']:.3g} where 1 is the limit"
        fix = "They were clipped. Pass bounds=(low, high) of the action box if it is not [-1, 1]."
        return [Finding("error" if share > 0.01 else "warning", what, where, fix)]
    still = np.all(data.actions == data.actions[0], axis=0)
    if len(data) > 1 and np.any(still):
        axes = ", ".join(map(str, np.flatnonzero(still)))
        fix = "Nothing can be learned about them: check the logger, or drop them from the task."
        return [Finding("warning", "actions never change", f"axes {axes}", fix)]
    return []


def _rewards(data: Dataset) -> list[Finding]:
    if len(data) > 1 and np.ptp(data.rewards) == 0:
        what = f"every reward is {float(data.rewards[0]):g}"
        fix = "Without contrast there is nothing to prefer: relabel the rewards for your task."
        return [Finding("warning", what, "rewards", fix)]
    return []


def _sequence(data: Dataset) -> list[Finding]:
    inside = ~data.ends[:-1]
    gap = np.abs(data.next_obs[:-1] - data.obs[1:]) > 1e-5 + 1e-5 * np.abs(data.obs[1:])
    bad = np.flatnonzero(inside & np.any(gap, axis=1))
    if not len(bad):
        return []
    fix = "Keep rows in the order of time and mark episode ends in terminated or truncated."
    return [Finding("error", "next_obs is not the next row's obs", _rows(bad), fix)]


def _ends(data: Dataset) -> list[Finding]:
    spans = data.episodes()
    lengths = np.array([stop - start for start, stop in spans])
    dead = np.array([data.terminated[stop - 1] for _, stop in spans])
    found = []
    if len(spans) >= 5 and lengths.max() > 1:
        at_limit = dead & (lengths == lengths.max())
        if np.sum(at_limit) > max(2, 0.2 * len(spans)):
            what = f"{np.sum(at_limit)} episodes terminate after exactly {lengths.max()} steps"
            rows = np.array([stop - 1 for _, stop in spans])[at_limit]
            fix = "That looks like a time limit: mark these ends truncated, not terminated."
            found.append(Finding("warning", what, _rows(rows), fix))
    if len(spans) == 1 and len(data) > 10_000:
        fix = "If it holds several episodes, mark where each ends in truncated."
        found.append(Finding("warning", "all rows are one episode", f"{len(data)} rows", fix))
    if not dead.any():
        fix = "Right for tasks without an end; else mark the ends in terminated."
        found.append(Finding("note", "no episode terminates", f"{len(spans)} episodes", fix))
    return found


def _twins(data: Dataset) -> list[Finding]:
    rows = np.ascontiguousarray(np.hstack([data.obs, data.actions, data.next_obs]))
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    seen, first = np.unique(keys, return_index=True)
    if len(seen) == len(data):
        return []
    again = np.setdiff1d(np.arange(len(data)), first)
    what = f"{len(again)} rows repeat an earlier one"
    fix = "A file may have been joined twice: remove the copies unless they are meant as weights."
    return [
        Finding("warning" if len(again) > 0.01 * len(data) else "note", what, _rows(again), fix)
    ]


_LOOKS: tuple[Callable[[Dataset], list[Finding]], ...] = (
    _finite,
    _actions,
    _rewards,
    _sequence,
    _ends,
    _twins,
)


def _rows(rows: np.ndarray) -> str:
    shown = ", ".join(map(str, rows[:5].tolist()))
    if len(rows) == 1:
        return f"row {shown}"
    return f"{len(rows)} rows: {shown}" + (", ..." if len(rows) > 5 else "")
