"""NaN, infinities, numbers outside the bounds, and numbers that never change."""

from __future__ import annotations

from typing import Any

import numpy as np

from warmstart.data.checks.case import Case
from warmstart.data.checks.finding import Finding, Grade, found
from warmstart.types import TOO_LARGE

WILD = 1_000.0
"""An observation is wild so many times as far from the middle as 99 % of its column."""
SLACK = 1e-3
"""So far, as a share of the bounds' width, may a number lie outside: numbers were rounded."""


def finite(case: Case) -> list[Finding]:
    """not-finite."""
    findings = []
    for name in ("obs", "actions", "rewards", "next_obs"):
        column = getattr(case.data, name)
        # A sum is finite unless a number is not (or all are huge): one fast pass in the usual case.
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(np.sum(column)):
                continue
        bad = np.flatnonzero(~np.all(np.isfinite(column.reshape(len(column), -1)), axis=1))
        if len(bad):
            what = f"{name} hold numbers that are NaN, infinite or too large for float32"
            findings.append(found("not-finite", "error", what, bad, column=name))
    return findings


def wild(case: Case) -> list[Finding]:
    """wild-observations: an error where their squares are not finite in float32."""
    findings: dict[int, float] = {}
    beyond = np.zeros(len(case.data), bool)
    columns = (case.data.obs, case.data.next_obs)
    sampled = case.data.obs[case.sampled]
    middle = np.median(sampled, axis=0)
    usual = np.quantile(np.abs(sampled - middle), 0.99, axis=0)
    limits = np.where(usual > 0, WILD * usual, np.maximum(1e6, WILD * np.abs(middle)))
    for axis, limit in enumerate(limits):
        far = [np.abs(column[:, axis] - middle[axis]) for column in columns]
        if max(float(distance.max()) for distance in far) <= limit:
            continue
        rows = np.logical_or(*(distance > limit for distance in far))
        if np.mean(rows) < 0.01:
            beyond |= rows
            findings[axis] = max(float(np.abs(column[:, axis]).max()) for column in columns)
    for axis in range(sampled.shape[1]):
        if axis not in findings and (number := _stand_in(sampled[:, axis])) is not None:
            beyond |= np.logical_or(*(column[:, axis] == number for column in columns))
            findings[axis] = abs(number)
    huge = np.zeros(len(case.data), bool)
    for column in columns:
        huge |= np.any(column > TOO_LARGE, axis=1) | np.any(column < -TOO_LARGE, axis=1)
    if not findings and not huge.any():
        return []
    rows = np.flatnonzero(beyond | huge)
    largest = max(float(np.abs(column[rows]).max()) for column in columns)
    axes = np.array(sorted(findings), int)
    grade: Grade = "error" if huge.any() else "warning"
    what = f"observations reach {largest:.4g}, far beyond all others"
    return [found("wild-observations", grade, what, rows, axes=axes, largest=largest)]


def _stand_in(column: np.ndarray) -> float | None:
    """A number that stands for none (-9,999), in fewer than half of the rows: repeated exactly, and
    a thousand times as far from the middle as all others."""
    middle = np.median(column)
    far = np.abs(column - middle)
    number = column[np.argmax(far)]
    others = far[column != number]
    repeated = 1 < len(column) - len(others) < 0.5 * len(column)
    if not repeated or not 0 < WILD * others.max() < far.max():
        return None
    return float(number)


def rounded(case: Case) -> list[Finding]:
    """precision-lost: what loading found before it rounded."""
    told = case.info.get("rounded")
    if told is None:
        return []
    axes, before, after = (np.array(told[k]) for k in ("axes", "different", "left"))
    worst = int(np.argmin(after / before))
    what = (
        f"float32 leaves {after[worst]:,} different values of number {axes[worst]} of the "
        f"observation, of {before[worst]:,}"
    )
    already = np.array(case.info.get("obs_offset") or np.zeros(len(told["offset"])))
    offset = ",".join(
        f"{number:g}" if number == int(number) and abs(number) < 1e5 else repr(number)
        for number in (already + np.array(told["offset"])).tolist()
    )
    fix = (
        f"Take an offset away before numbers are rounded, with --obs-offset={offset} (in Python "
        "obs_offset= of the task's data), or log the difference to a place nearby."
    )
    if "manifest" in case.info:
        fix = f"Convert the original again, with --obs-offset={offset}."
    where = "axes " + ", ".join(map(str, axes[:8].tolist())) + (", ..." if len(axes) > 8 else "")
    numbers: dict[str, Any] = {"axes": axes, "different": before, "left": after}
    return [found("precision-lost", "warning", what, where, fix, **numbers)]


def outside(case: Case) -> list[Finding]:
    """observations-outside: of an environment that keeps to its own bounds."""
    box = getattr(case.env, "observation_box", None)
    if case.env is None or box is None or not np.any(np.isfinite(box)):
        return []
    low, high = box
    room = SLACK * np.maximum(1.0, np.where(np.isfinite(high - low), high - low, 0.0))
    low, high = low - room, high + room
    columns = (case.data.obs, case.data.next_obs)
    least = np.min([column.min(axis=0) for column in columns], axis=0)
    most = np.max([column.max(axis=0) for column in columns], axis=0)
    kept = np.ones(len(low), bool)
    if case.playable is not None:
        # Where the environment itself leaves its bounds, they say nothing about data.
        own = case.playable.reset(0)[: len(low)]
        kept = (own >= low) & (own <= high)
    axes = np.flatnonzero(((least < low) | (most > high)) & kept)
    if not len(axes):
        return []
    beyond = np.zeros(len(case.data), bool)
    for column in columns:
        beyond |= np.any((column[:, axes] < low[axes]) | (column[:, axes] > high[axes]), axis=1)
    first = axes[0]
    what = (
        f"{len(axes)} of {len(low)} numbers of the observation leave the environment's bounds; "
        f"number {first} lies between {least[first]:.4g} and {most[first]:.4g}, declared are "
        f"{box[0][first]:.4g} to {box[1][first]:.4g}"
    )
    numbers = {"axes": axes, "min": least[axes], "max": most[axes]}
    limits = {"low": box[0][axes], "high": box[1][axes]}
    rows = np.flatnonzero(beyond)
    return [found("observations-outside", "warning", what, rows, **numbers, **limits)]


def still(case: Case) -> list[Finding]:
    """still-observations."""
    obs = case.data.obs
    axes = np.flatnonzero(np.all(obs == obs[0], axis=0)) if len(obs) > 1 else []
    if not len(axes):
        return []
    what = f"{len(axes)} of {obs.shape[1]} numbers of the observation never change"
    where = "axes " + ", ".join(map(str, axes[:8])) + (", ..." if len(axes) > 8 else "")
    return [found("still-observations", "note", what, where, axes=axes)]
