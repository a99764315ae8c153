"""Actions: outside the box, on its border, in a corner of it, never moving."""

from __future__ import annotations

import numpy as np

from warmstart.data.checks.case import Case
from warmstart.data.checks.finding import Finding, Grade, found
from warmstart.equations.gaussian import CLAMP

BORDER = 0.999
"""Beyond this an action counts as lying on the border of the box [-1, 1]."""
BINS = 20
"""Bins an axis in which coverage is counted."""


def outside(case: Case) -> list[Finding]:
    """actions-outside: what loading had to clip, or what was never loaded through it."""
    beyond = case.info.get("actions_outside")
    if beyond is None:
        size = np.max(np.abs(case.data.actions), axis=1, initial=0.0)
        rows = np.flatnonzero(size > 1.0 + 1e-3)
        if not len(rows):
            return []
        beyond = {"rows": len(rows), "first": int(rows[0]), "largest": float(size[rows].max())}
    share = beyond["rows"] / len(case.data)
    grade: Grade = "error" if share > 0.01 else "warning"
    what = f"actions leave the action box, up to {beyond['largest']:.3g} where 1 is the limit"
    where = f"{beyond['rows']:,} rows, first {beyond['first']}"
    numbers = {"share": share, "largest": beyond["largest"]}
    return [found("actions-outside", grade, what, where, count=beyond["rows"], **numbers)]


def saturated(case: Case) -> list[Finding]:
    """actions-saturated."""
    share = np.mean(np.abs(case.data.actions) >= BORDER, axis=0)
    worst = float(share.max(initial=0.0))
    if worst < 0.25:
        return []
    axes = np.flatnonzero(share >= (0.9 if worst >= 0.9 else 0.25))
    what = f"up to {worst:.0%} of the actions lie on the border of the box"
    grade: Grade = "warning" if worst >= 0.9 else "note"
    return [found("actions-saturated", grade, what, _axes(axes), share_by_axis=share)]


def still(case: Case) -> list[Finding]:
    """actions-still."""
    actions = case.data.actions
    axes = np.flatnonzero(np.all(actions == actions[:1], axis=0))
    if not len(axes) or len(actions) < 2:
        return []
    return [found("actions-still", "warning", "actions never change", _axes(axes), axes=axes)]


def tiny(case: Case) -> list[Finding]:
    """actions-tiny."""
    actions = case.data.actions
    largest = np.max(np.abs(actions), axis=0, initial=0.0)
    moving = np.any(actions != actions[:1], axis=0)
    axes = np.flatnonzero((largest < 0.2) & moving)
    if not len(axes):
        return []
    what = f"actions never pass {largest[axes].max():.2g} where 1 is the limit"
    return [found("actions-tiny", "warning", what, _axes(axes), largest_by_axis=largest)]


def coverage(case: Case) -> list[Finding]:
    """action-coverage."""
    actions = case.data.actions
    filled = [
        np.count_nonzero(np.histogram(axis, BINS, (-1.0, 1.0))[0]) / BINS for axis in actions.T
    ]
    at_border = np.abs(actions) >= CLAMP
    what = (
        f"actions fill {min(filled):.0%} to {max(filled):.0%} of the box, axis by axis; "
        f"{np.mean(np.any(at_border, axis=1)):.0%} of the rows have one beyond {CLAMP}, "
        "which likelihoods of squashed policies take for that"
    )
    return [
        found(
            "action-coverage",
            "note",
            what,
            f"{actions.shape[1]} axes",
            filled_by_axis=filled,
            at_border_by_axis=at_border.mean(axis=0),
            mean_by_axis=actions.mean(axis=0, dtype=np.float64),
            std_by_axis=actions.std(axis=0, dtype=np.float64),
        )
    ]


def _axes(axes: np.ndarray) -> str:
    shown = ", ".join(map(str, axes[:8])) + (", ..." if len(axes) > 8 else "")
    return f"axis {shown}" if len(axes) == 1 else f"axes {shown}"
