"""The axis that runs across the switch, and the metric lines laid along it.

Left of zero lies pre-training, measured in gradient steps; right of zero the online phase, in
environment steps. Both parts are scaled to fixed widths: LEFT and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator

from warmstart.reports.run import LoadedRun
from warmstart.runs.records import Record

LEFT = 0.45
MOST_POINTS = 300
"""A line with more points than this is averaged in groups: a page is no place for millions."""


@dataclass(frozen=True)
class SwitchAxis:
    """`offline` gradient steps end at 0, `online` environment steps at 1."""

    offline: int
    online: int

    def at(self, record: Record) -> float:
        """Where a metric line lies."""
        if record["phase"] == "pretrain":
            return LEFT * (record["updates"] / max(1, self.offline) - 1.0)
        return record["env_steps"] / max(1, self.online)

    def ticks(self) -> list[tuple[float, str]]:
        """Positions and labels; the offline end is left to the online zero."""
        marks = []
        if self.offline:
            end = 0.9 * self.offline if self.online else self.offline
            for value in MaxNLocator(3).tick_values(0, self.offline):
                if 0 <= value <= end:
                    marks.append((LEFT * (value / self.offline - 1.0), short(value)))
        if self.online:
            for value in MaxNLocator(6).tick_values(0, self.online):
                if 0 <= value <= self.online:
                    marks.append((value / self.online, short(value)))
        return marks


@dataclass(frozen=True)
class Lines:
    """One curve a seed: x [P] ascending, y [S, P] with NaN where a seed has no value."""

    x: np.ndarray
    y: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """[P], over the seeds that have a value."""
        return _known_mean(self.y, 0)


def gather(
    run: LoadedRun,
    axis: SwitchAxis,
    key: str,
    phase: str,
    kinds: Sequence[str],
    tags: Sequence[str] | None = None,
) -> Lines | None:
    """The values `key` of one phase; None where there is none.

    Where two lines of a seed fall on the same place, the later one counts: the final evaluation,
    with more episodes, replaces the scheduled one.
    """
    points: dict[int, dict[float, float]] = {}
    for record in run.records:
        if record["phase"] != phase or record["kind"] not in kinds or record["seed"] is None:
            continue
        value = record["values"].get(key)
        if isinstance(value, (int, float)) and (tags is None or record.get("tag") in tags):
            points.setdefault(record["seed"], {})[axis.at(record)] = float(value)
    if not points:
        return None
    x = np.array(sorted({place for line in points.values() for place in line}))
    y = np.array([[points[seed].get(place, np.nan) for place in x] for seed in sorted(points)])
    return _thin(Lines(x, y))


def _thin(lines: Lines) -> Lines:
    count = len(lines.x)
    if count <= MOST_POINTS:
        return lines
    groups = np.array_split(np.arange(count), MOST_POINTS)
    x = np.array([lines.x[group].mean() for group in groups])
    y = np.stack([_known_mean(lines.y[:, group], 1) for group in groups], axis=1)
    return Lines(x, y)


def _known_mean(values: np.ndarray, axis: int) -> np.ndarray:
    """The mean without NaN; NaN where nothing is known (numpy.nanmean would warn there)."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def short(value: float) -> str:
    """20000 as 20k, 1500000 as 1.5M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
