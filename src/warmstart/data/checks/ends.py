"""How episodes end: terminals that are time limits, and the reverse, by their lengths."""

from __future__ import annotations

import numpy as np

from warmstart.data.checks.case import Case
from warmstart.data.checks.finding import Finding, Grade, found

ENDLESS = 10_000
"""One single episode of more rows than this is odd."""


def at_limit(case: Case) -> list[Finding]:
    """terminals-at-time-limit."""
    lengths = case.lengths
    if len(lengths) < 5 or lengths.max() <= 1:
        return []
    limit = case.spec.horizon if case.spec is not None else 0
    known = bool(limit) and int(np.sum(lengths == limit)) > 0
    length = limit if known else int(lengths.max())
    hit = case.dead & (lengths == length)
    if np.sum(hit) <= max(2, 0.2 * len(lengths)):
        return []
    grade: Grade = "error" if known else "warning"
    by = ", the environment's time limit" if known else ""
    what = f"{np.sum(hit):,} episodes terminate after exactly {length:,} steps{by}"
    rows = case.stops[hit] - 1
    fix = None
    if case.info.get("mapping", {}).get("done") == "last":
        fix = (
            "If the log just stops there, say done=never for done=last. If the task ends there by "
            "itself, go on with --ignore terminals-at-time-limit."
        )
    numbers = {"length": length, "limit": limit or None}
    return [found("terminals-at-time-limit", grade, what, rows, fix, **numbers)]


def done_and_truncated(case: Case) -> list[Finding]:
    """done-and-truncated: a warning where half of the rows that were cut are also done."""
    told = case.info.get("done_and_truncated")
    if told is None:
        return []
    rows, cut = told["rows"], told["truncated"]
    what = f"{rows:,} of the {cut:,} rows that are truncated are also done, and count as real ends"
    grade: Grade = "warning" if rows >= 0.5 * cut else "note"
    return [found("done-and-truncated", grade, what, "last rows", count=rows, **told)]


def early_cuts(case: Case) -> list[Finding]:
    """cuts-without-limit."""
    lengths = case.lengths
    if len(lengths) < 5 or np.any(case.dead):
        return []
    limit = case.spec.horizon if case.spec is not None else 0
    limit = limit or int(lengths.max())
    # A file without next observations loses the last row of an episode that was cut.
    early = lengths < limit - 1
    kinds = len(np.unique(lengths[early]))
    if np.mean(early) <= 0.5 or kinds < 3:
        return []
    what = (
        f"{np.sum(early):,} of {len(lengths):,} episodes are cut before step {limit:,}, at "
        f"{kinds:,} different lengths, and none terminates"
    )
    rows = case.stops[early] - 1
    return [found("cuts-without-limit", "warning", what, rows, limit=limit, lengths=kinds)]


def too_long(case: Case) -> list[Finding]:
    """longer-than-limit."""
    limit = case.spec.horizon if case.spec is not None else 0
    over = case.lengths > limit
    if not limit or not np.any(over):
        return []
    longest = int(case.lengths.max())
    what = f"{np.sum(over):,} episodes are longer than the time limit of {limit:,} steps"
    return [
        found("longer-than-limit", "warning", what, case.starts[over], limit=limit, longest=longest)
    ]


def endless(case: Case) -> list[Finding]:
    """one-endless-episode."""
    if len(case.lengths) != 1 or len(case.data) <= ENDLESS:
        return []
    where = f"{len(case.data):,} rows"
    return [found("one-endless-episode", "warning", "all rows are one episode", where)]


def no_terminals(case: Case) -> list[Finding]:
    """no-terminals."""
    if np.any(case.dead):
        return []
    where = f"{len(case.dead):,} episodes"
    return [found("no-terminals", "note", "no episode terminates", where, count=len(case.dead))]
