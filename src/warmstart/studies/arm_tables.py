"""Arms in rows: before, right after, lowest, area, end; and against a first arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from warmstart.reports.statistics import iqm
from warmstart.studies.effects import Interval, interval
from warmstart.studies.leaf import Unit

SHOWN = ("before", "after", "dip", "dip beyond noise", "early area", "area", "final")
HEADS = (
    "arm",
    "seeds",
    "before",
    "right after",
    "dip",
    "beyond noise",
    "early area",
    "area",
    "end",
    "95 % interval",
)


@dataclass(frozen=True)
class Row:
    """An arm on a task: interquartile means over its seeds, by measure; None where unknown.

    `end` is the interval of the score at the end, `gap` that of the paired difference to the
    first arm there; both None with fewer than two seeds.
    """

    task: str
    arm: str
    seeds: tuple[int, ...]
    means: Mapping[str, float | None]
    end: Interval | None
    gap: Interval | None

    def cells(self) -> list[str]:
        """The row in words, as `HEADS`."""
        words = [_number(self.means[name]) for name in SHOWN]
        return [self.arm, str(len(self.seeds)), *words, span(self.end)]


def rows(units: Mapping[str, Mapping[int, Unit]], arms: Sequence[str]) -> list[Row]:
    """A row for each arm of each task that has results."""
    found = []
    for task, seeds in units.items():
        there = [a for a in arms if any(a in u.results for u in seeds.values())]
        for arm in there:
            own = {s: u for s, u in sorted(seeds.items()) if arm in u.results}
            means: dict[str, float | None] = {}
            for name in SHOWN:
                values = [v for u in own.values() if (v := u.number(name, arm)) is not None]
                means[name] = float(iqm(np.array(values))) if values else None
            ends = {s: v for s, u in own.items() if (v := u.number("final", arm)) is not None}
            gaps = [
                v - w
                for s, v in ends.items()
                if arm != there[0] and (w := seeds[s].number("final", there[0])) is not None
            ]
            found.append(Row(task, arm, tuple(own), means, _of([*ends.values()]), _of(gaps)))
    return found


def _of(values: Sequence[float]) -> Interval | None:
    return interval(np.array(values)) if len(values) >= 2 else None


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def span(found: Interval | None) -> str:
    """An interval in words."""
    return "–" if found is None else f"{float(found.low):.1f} to {float(found.high):.1f}"
