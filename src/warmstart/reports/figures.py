"""The two figures of the report: the curve across the switch, and the learner's diagnostics."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from warmstart.files.render import COLORS, PALETTE, STYLE
from warmstart.reports.axis import LEFT, Lines, SwitchAxis, gather
from warmstart.reports.run import LoadedRun
from warmstart.reports.statistics import curve_band

ORDER = (
    "mean",
    "single seeds",
    "95 % interval",
    "score before",
    "frozen policy",
    "floor",
    "warm-up",
)
EVALS = ("curve", "pretrained", "switch", "final")

# title, kind of y axis, and (value, name, line style)
PANELS = (
    ("Mean Q", "linear", (("q_offline", "dataset", "-"), ("q_online", "fresh", "--"))),
    (
        "Temporal-difference error",
        "log",
        (("td_offline", "dataset", "-"), ("td_online", "fresh", "--")),
    ),
    ("Q minus obtained return", "zero", (("q_minus_return", "", "-"),)),
    ("Drift from the pre-trained policy", "linear", (("drift", "", "-"),)),
    ("Share of online rows", "share", (("online_share", "", "-"),)),
    ("Bound rate", "linear", (("bound_rate", "", "-"),)),
)


def curve_figure(runs: Sequence[LoadedRun]) -> Figure | None:
    """The learning curve across the switch; None before the first evaluation.

    One run shows its seeds thin and their mean thick; several runs show one mean each. From three
    seeds on, a band gives the 95 % bootstrap interval of the mean.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 4.5), layout="constrained")
        axes = figure.add_subplot()
        axis = _axis(runs)
        drawn = False
        for index, run in enumerate(runs):
            drawn |= _draw_course(axes, axis, run, COLORS[index % len(COLORS)], len(runs) == 1)
        if not drawn:
            return None
        _draw_floor(axes, runs)
        _across(axes, axis, runs, words=True)
        axes.set_ylabel(str(runs[0].facts.get("score_label") or "score"))
        handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        names = sorted(handles, key=_place)
        axes.legend(
            [handles[name] for name in names],
            names,
            loc="lower left",
            bbox_to_anchor=(0, 1.06),
            ncols=6 if len(runs) == 1 else 4,
            borderaxespad=0,
            handlelength=1.5,
            columnspacing=1.6,
        )
        return figure


def _place(name: str) -> int:
    """Where an entry of the legend stands: courses first."""
    kind = "floor" if name.startswith("floor (") else name
    return ORDER.index(kind) if kind in ORDER else -1


def diagnostics_figure(runs: Sequence[LoadedRun]) -> Figure | None:
    """The panels that have something to show; None where none has."""
    axis = _axis(runs)
    panels = [
        (panel, found)
        for panel in PANELS
        if (found := [_diagnosis(run, _own(axis, run), panel[2]) for run in runs]) and any(found)
    ]
    if not panels:
        return None
    columns = 3
    rows = -(-len(panels) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 2.55 * rows + 0.2), layout="constrained")
        figure.get_layout_engine().set(wspace=0.06, hspace=0.08)  # type: ignore[union-attr]
        for index, ((title, scale, _), found) in enumerate(panels):
            axes = figure.add_subplot(rows, columns, index + 1)
            axes.set_title(title)
            _draw_panel(axes, scale, found)
            _across(axes, axis, runs, words=False)
            axes.set_xlabel(
                "gradient | environment steps" if axis.offline and axis.online else "steps"
            )
        if len(runs) > 1:
            figure.legend(
                [Line2D([], [], color=COLORS[i % len(COLORS)], lw=2) for i in range(len(runs))],
                [run.label for run in runs],
                loc="outside upper left",
                ncols=4,
            )
        return figure


def _axis(runs: Sequence[LoadedRun]) -> SwitchAxis:
    return SwitchAxis(
        max(run.offline_updates for run in runs), max(run.online_steps for run in runs)
    )


def _own(axis: SwitchAxis, run: LoadedRun) -> SwitchAxis:
    """Pre-training ends at the switch for every run, however long it was."""
    return SwitchAxis(run.offline_updates, axis.online)


def _draw_course(axes: Axes, shared: SwitchAxis, run: LoadedRun, color: str, alone: bool) -> bool:
    axis = _own(shared, run)
    parts = [
        gather(run, axis, "score", phase, ("eval",), EVALS) for phase in ("pretrain", "online")
    ]
    frozen = gather(run, axis, "score", "online", ("eval",), ("frozen",)) if alone else None
    if frozen is not None:
        axes.plot(
            frozen.x, frozen.mean, color=PALETTE["muted"], lw=1, alpha=0.7, label="frozen policy"
        )
    before = run.overall["score_before"]
    if before is not None:
        label = "score before" if alone else None
        shade = PALETTE["ink"] if alone else color
        axes.axhline(before, color=shade, lw=1.1, ls=(0, (1, 2)), label=label, zorder=2.5)
    label = "mean" if alone and len(run.seeds) > 1 else run.label
    for lines in parts:
        if lines is None:
            continue
        seeds = len(lines.y)
        if alone and seeds > 1:
            for seed, y in enumerate(lines.y):
                known = np.isfinite(y)
                first = "single seeds" if label and seed == 0 else None
                axes.plot(lines.x[known], y[known], color=color, lw=0.8, alpha=0.4, label=first)
        if seeds >= 3:
            low, high = curve_band(lines.y)
            shown = "95 % interval" if alone and label else None
            axes.fill_between(lines.x, low, high, color=color, alpha=0.16, lw=0, label=shown)
        axes.plot(lines.x, lines.mean, color=color, lw=2.4, label=label, solid_capstyle="round")
        if len(lines.x) == 1:
            axes.plot(lines.x, lines.mean, "o", color=color, ms=5)
        label = None
    return any(part is not None for part in parts)


def _draw_floor(axes: Axes, runs: Sequence[LoadedRun]) -> None:
    """A line at the floor of the task that all runs have."""
    floors = {run.floor for run in runs}
    floor = floors.pop() if len(floors) == 1 else None
    if floor is not None:
        line = {"color": PALETTE["muted"], "lw": 1.0, "ls": (0, (5, 3)), "zorder": 1.5}
        axes.axhline(floor.score, label=f"floor ({floor.score:.1f})", **line)


def _diagnosis(
    run: LoadedRun, axis: SwitchAxis, values: Sequence[tuple[str, str, str]]
) -> list[tuple[str, str, list[Lines]]]:
    """(name, line style, its parts) for every value that the run has."""
    found = []
    for key, name, style in values:
        parts = [
            lines
            for phase in ("pretrain", "online")
            if (lines := gather(run, axis, key, phase, ("diagnose", "train"))) is not None
        ]
        if parts:
            found.append((name, style, parts))
    return found


def _draw_panel(
    axes: Axes, scale: str, found: Sequence[Sequence[tuple[str, str, list[Lines]]]]
) -> None:
    alone = len(found) == 1
    for index, lines_of_run in enumerate(found):
        for row, (name, style, parts) in enumerate(lines_of_run):
            color = COLORS[(row if alone else index) % len(COLORS)]
            label = name if name and index == 0 else None
            for lines in parts:
                y = np.where(lines.y > 0, lines.y, np.nan) if scale == "log" else lines.y
                drawn = Lines(lines.x, y)
                if alone and len(y) > 1:
                    axes.plot(drawn.x, y.T, color=color, lw=0.6, alpha=0.35)
                axes.plot(
                    drawn.x,
                    drawn.mean,
                    color=color,
                    lw=1.7,
                    ls="-" if alone else style,
                    label=label,
                    marker="o" if len(drawn.x) == 1 else "",
                    ms=3.5,
                )
                label = None
    if scale == "log":
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=9))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    elif scale == "zero":
        axes.axhline(0.0, color=PALETTE["ink"], lw=0.9, ls=(0, (1, 2)))
    elif scale == "share":
        axes.set_ylim(-0.03, 1.03)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="best", handlelength=1.4, fontsize=8.5)


def _across(axes: Axes, axis: SwitchAxis, runs: Sequence[LoadedRun], words: bool) -> None:
    """The switch itself: limits, ticks, the vertical line, what lies on either side."""
    left, right = (-LEFT if axis.offline else 0.0), (1.0 if axis.online else 0.0)
    if left == right:
        left, right = -0.5, 0.5
    pad = 0.015 * (right - left)
    axes.set_xlim(left - pad, right + pad)
    marks = axis.ticks()
    same = len({run.offline_updates for run in runs} - {0}) == 1
    if not same:
        marks = [mark for mark in marks if mark[0] >= 0]
    if not words:
        marks = [mark for i, mark in enumerate(marks) if i in (0, len(marks) - 1) or not mark[0]]
    axes.set_xticks([x for x, _ in marks], [text for _, text in marks])
    if axis.offline:
        axes.axvspan(left - pad, 0.0, color=PALETTE["shade"], lw=0, zorder=0)
    axes.axvline(0.0, color=PALETTE["ink"], lw=1.2, zorder=2)
    warmup = min(1.0, runs[0].warmup / axis.online) if axis.online and len(runs) == 1 else 0.0
    if warmup:
        label = "warm-up" if words else None
        axes.axvspan(0.0, warmup, color=PALETTE["warmup"], lw=0, alpha=0.6, zorder=0, label=label)
    if not words:
        return
    below = axes.get_xaxis_transform()
    note = {"transform": below, "ha": "center", "va": "top", "color": PALETTE["muted"]}
    if axis.offline:
        unit = "gradient steps" if same else "each run's gradient steps"
        axes.text(left / 2, -0.085, f"offline: {unit}", **note)
    if axis.online:
        axes.text(right / 2, -0.085, "online: environment steps", **note)
    if axis.offline:
        axes.text(0.0, 1.012, "the switch", transform=below, ha="center", va="bottom", fontsize=9)
