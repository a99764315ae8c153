"""One remark of the data check, and what each kind of remark means and asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from warmstart.data.checks.findings import ISSUES

Grade = Literal["error", "warning", "note"]
GRADES: tuple[Grade, ...] = ("error", "warning", "note")
SHOWN_ROWS = 20
"""Rows that a finding names one by one; `count` has how many there are."""


@dataclass(frozen=True)
class Finding:
    """One remark.

    Attributes:
        name: stable, a key of `ISSUES`; what `--ignore` takes.
        grade: "error" stops a run, "warning" is said before it, "note" only in the full check.
        what: the remark, a sentence without its full stop.
        where: rows, columns or episodes, in words.
        fix: what to do, a sentence.
        rows: the first few rows that it is about; empty where it is not about single rows.
        count: how many rows or episodes it is about; None where that makes no sense.
        numbers: what was measured, by name; plain numbers, texts and lists of them.
    """

    name: str
    grade: Grade
    what: str
    where: str
    fix: str
    rows: tuple[int, ...] = ()
    count: int | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.grade} {self.name}: {self.what} ({self.where}). {self.fix}"


def found(
    name: str,
    grade: Grade,
    what: str,
    where: str | np.ndarray,
    fix: str | None = None,
    *,
    count: int | None = None,
    **numbers: Any,
) -> Finding:
    """A finding with the fix of its issue.

    Args:
        name: a key of `ISSUES`.
        grade: how bad it is here.
        what: without a full stop.
        where: words, or the rows [K] themselves.
        fix: where this case has one of its own.
        count: where `where` are words.
        numbers: NumPy numbers become plain ones.
    """
    rows: tuple[int, ...] = ()
    if isinstance(where, np.ndarray):
        rows, count = tuple(int(row) for row in where[:SHOWN_ROWS]), len(where)
        where = rows_in_words(where)
    plain = {key: _plain(value) for key, value in numbers.items()}
    return Finding(name, grade, what, where, fix or ISSUES[name].fix, rows, count, plain)


def rows_in_words(rows: np.ndarray) -> str:
    """`row 4`, or `7 rows: 0, 2, 3, 5, 6, ...`."""
    shown = ", ".join(map(str, rows[:5].tolist()))
    if len(rows) == 1:
        return f"row {shown}"
    return f"{len(rows):,} rows: {shown}" + (", ..." if len(rows) > 5 else "")


def _plain(value: Any) -> Any:
    """Numbers as JSON knows them: what is not finite becomes None."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return value
