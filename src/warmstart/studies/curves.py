"""The curves of arms on tasks, with bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from warmstart.files.render import COLORS, PALETTE, STYLE
from warmstart.reports.axis import short
from warmstart.reports.statistics import curve_band
from warmstart.studies.leaf import Unit

MOST = len(COLORS)
"""Arms in one panel: as many as there are colours."""
COLUMNS = 2


def panels(
    units: Mapping[str, Mapping[int, Unit]], arms: Sequence[str]
) -> list[tuple[str, tuple[str, ...]]]:
    """(task, arms) of every panel: those that have a curve, at most `MOST` together."""
    found = []
    for task in units:
        there = [
            a
            for a in arms
            if any(a in u.results and u.results[a].curve for u in units[task].values())
        ]
        for first in range(0, len(there), MOST):
            found.append((task, tuple(there[first : first + MOST])))
    return found


def curves(units: Mapping[str, Mapping[int, Unit]], arms: Sequence[str]) -> Figure | None:
    """Means over seeds; from three seeds on a band, the 95 % bootstrap interval of the mean.

    The frozen policies' own scores are dotted, in the colour of the first arm that branched from
    them where there are several. None where nothing has a curve.
    """
    shown = panels(units, arms)
    if not shown:
        return None
    rows = -(-len(shown) // COLUMNS)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 3.6 * rows), layout="constrained")
        for number, (task, some) in enumerate(shown):
            axes = figure.add_subplot(rows, min(COLUMNS, len(shown)), number + 1)
            _panel(axes, units[task], some)
            axes.set_title(task)
        return figure


def _panel(axes: Axes, units: Mapping[int, Unit], arms: Sequence[str]) -> None:
    for number, arm in enumerate(arms):
        x, y = lines(units, arm)
        color = COLORS[number % len(COLORS)]
        if len(y) >= 3:
            low, high = curve_band(y)
            axes.fill_between(x, low, high, color=color, alpha=0.16, lw=0)
        axes.plot(x, np.nanmean(y, axis=0), color=color, lw=1.8, label=arm)
    starts: dict[str, str] = {}
    for number, arm in enumerate(arms):
        for unit in units.values():
            source = unit.results[arm].pretraining if arm in unit.results else None
            if source is not None:
                starts.setdefault(source, COLORS[number % len(COLORS)])
    for source, color in starts.items():
        frozen = [u.frozen[source] for u in units.values() if u.frozen.get(source)]
        if not frozen:
            continue
        steps = sorted({s for p in frozen for s, _ in p})
        means = [np.mean([v for p in frozen for s, v in p if s == step]) for step in steps]
        alone = len(starts) == 1
        style = {"color": PALETTE["muted"] if alone else color, "lw": 1, "ls": (0, (1, 2))}
        axes.plot(steps, means, label="frozen" if alone else None, **style)
    axes.set_xlabel("online environment steps")
    axes.set_ylabel("score")
    axes.xaxis.set_major_formatter(lambda value, _: short(value))
    axes.legend(loc="best", fontsize=7.5, handlelength=1.4)


def lines(units: Mapping[int, Unit], arm: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps [P] and scores [S, P] of an arm; NaN where a seed has none."""
    found = [dict(u.results[arm].curve) for u in units.values() if arm in u.results]
    found = [points for points in found if points]
    x = sorted({step for points in found for step in points})
    y = [[points.get(step, np.nan) for step in x] for points in found]
    return np.array(x), np.array(y)
