"""The dataset in one picture: returns, lengths, rewards, actions, returns-to-go, places."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from warmstart.data.checks.case import Case
from warmstart.data.checks.episode_returns import to_go
from warmstart.data.checks.mazes import place_of
from warmstart.errors import DataError, RunError
from warmstart.files.durable import write_atomic
from warmstart.files.render import PALETTE, STYLE, png
from warmstart.tasks import Task
from warmstart.types import Dataset, HostEnv

CUT, DEAD, PLAIN = PALETTE["c0"], PALETTE["c1"], PALETTE["c6"]
SHADES = LinearSegmentedColormap.from_list("rows", ["#cfe2f2", CUT, "#0d2f4f"])
WALLS = LinearSegmentedColormap.from_list("walls", ["#c9d1d8", "#c9d1d8"])
FEW = 6
"""Up to so many different numbers get a bar each instead of a histogram."""
MOST_POINTS = 200_000
"""Rows that are drawn one by one; of more, an even selection."""


def draw(dataset: Dataset, env: HostEnv | None = None, task: Task | None = None) -> Figure:
    """Six small panels.

    Args:
        dataset: numbers may be missing (NaN): they are left out.
        env: its time limit and, in mazes, its walls and goal are drawn.
        task: discount, reward transform and return rule of the returns-to-go.

    Raises:
        DataError: there are no rows.
    """
    if len(dataset) == 0:
        raise DataError("There are no rows to draw: log at least one episode.")
    case = Case(dataset, env, task)
    last = _course if place_of(env) is None else _map
    panels: tuple[Callable[[Axes, Case], None], ...] = (
        _returns, _lengths, _rewards, _actions, _to_go, last
    )  # fmt: skip
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 6.2), layout="constrained")
        figure.get_layout_engine().set(wspace=0.05, hspace=0.07)  # type: ignore[union-attr]
        name = str(dataset.info.get("name") or Path(str(dataset.info.get("source", ""))).name)
        size = f"{len(dataset):,} rows in {len(case.lengths):,} episodes"
        figure.suptitle(
            f"{name}: {size}" if name else size, x=0.01, ha="left", fontsize=12, fontweight="bold"
        )
        for index, panel in enumerate(panels):
            panel(figure.add_subplot(2, 3, index + 1), case)
        return figure


def write_figure(figure: Figure, path: Path) -> Path:
    """Write it as PNG or SVG, whole or not at all.

    Raises:
        RunError: another ending, or a place that cannot be written.
    """
    if path.suffix == ".png":
        image = png(figure)
    elif path.suffix == ".svg":
        out = io.BytesIO()
        with matplotlib.rc_context(STYLE):
            figure.savefig(out, format="svg", metadata={"Date": None})
        image = out.getvalue()
    else:
        raise RunError(f"A figure cannot be written as '{path.name}': end it in .png or .svg.")
    write_atomic(path, lambda file: file.write(image), "check again")
    return path


def _kinds(case: Case) -> list[tuple[np.ndarray, str, str]]:
    """(which episodes [E], colour, name): those that are cut, and those that terminate."""
    kinds = ((~case.dead, CUT, "cut"), (case.dead, DEAD, "terminated"))
    return [
        (mask, color, f"{name} ({np.sum(mask):,})") for mask, color, name in kinds if mask.any()
    ]


def _split(axes: Axes, case: Case, values: np.ndarray, bins: np.ndarray) -> None:
    """Histograms of a number [E] of each episode, its two kinds stacked."""
    kinds = _kinds(case)
    axes.hist(
        [values[mask] for mask, _, _ in kinds],
        bins=bins.tolist(),
        stacked=True,
        color=[color for _, color, _ in kinds],
        label=[name for _, _, name in kinds],
        edgecolor="white",
        linewidth=0.5,
    )


def _returns(axes: Axes, case: Case) -> None:
    axes.set_title("Return of an episode")
    axes.set_ylabel("episodes")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    known = np.isfinite(case.returns)
    if not np.any(known):
        axes.set_xlabel("no finite return")
        return
    values = np.where(known, case.returns, np.median(case.returns[known]))
    different = np.unique(values)
    if len(different) <= FEW:
        bottom = np.zeros(len(different))
        for mask, color, _ in _kinds(case):
            count = np.array([np.sum(mask & (values == one)) for one in different])
            labels = [f"{one:.4g}" for one in different]
            axes.bar(labels, count, bottom=bottom, color=color, width=0.6)
            bottom += count
        _heights(axes, bottom)
        axes.set_ylim(top=1.1 * bottom.max())
    else:
        _split(axes, case, values, _bins(values))
        axes.axvline(float(np.median(values)), color=PALETTE["ink"], lw=1, ls=(0, (4, 2)))
    axes.set_xlabel(f"sum of raw rewards (median {np.median(values):.4g})")


def _lengths(axes: Axes, case: Case) -> None:
    axes.set_title("Length of an episode")
    limit = case.spec.horizon if case.spec is not None else 0
    top = max(int(case.lengths.max()), limit)
    edges = np.unique(np.linspace(0, top + 1, min(top + 2, 31)).round())
    _split(axes, case, case.lengths, edges)
    axes.set_ylabel("episodes")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlabel("steps")
    axes.set_ylim(top=axes.get_ylim()[1] * 1.3)
    if limit:
        axes.axvline(
            limit, color=PALETTE["ink"], lw=1, ls=(0, (1, 2)), label=f"time limit {limit:,}"
        )
    axes.legend(loc="upper left", fontsize=8.5, borderaxespad=0.2, handlelength=1.2)


def _rewards(axes: Axes, case: Case) -> None:
    axes.set_title("Reward of a row")
    rewards = case.data.rewards[np.isfinite(case.data.rewards)]
    kinds, counts = np.unique(rewards, return_counts=True)
    if len(kinds) <= FEW:
        axes.bar([f"{kind:.4g}" for kind in kinds], counts, color=PLAIN, width=0.6)
        _heights(axes, counts)
    else:
        axes.hist(rewards, bins=_bins(rewards, 40).tolist(), color=PLAIN)
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.set_ylim(bottom=0.5, top=axes.get_ylim()[1] * 2)
    axes.set_ylabel("rows (log)")
    axes.set_xlabel("raw reward")


def _actions(axes: Axes, case: Case) -> None:
    """One histogram an axis, above one another, all on one scale."""
    axes.set_title("Actions, axis by axis")
    actions = np.nan_to_num(case.data.actions)
    edges = np.linspace(-1, 1, 42)
    share = np.stack([np.histogram(axis, edges)[0] for axis in actions.T]) / len(actions)
    width, top = actions.shape[1], max(float(share.max()), 1e-9)
    for axis, heights in enumerate(share):
        base = width - 1 - axis
        axes.stairs(base + 0.85 * heights / top, edges, baseline=base, fill=True, color=PLAIN)
    every = -(-width // 12)
    shown = range(0, width, every)
    box = getattr(case.env, "action_box", None)
    names = [str(axis) for axis in shown]
    if box is not None and np.any(np.abs(box) != 1.0):  # an axis begins and ends at its own limits
        names = [f"{axis}: {box[0][axis]:.3g} to {box[1][axis]:.3g}" for axis in shown]
    axes.set_yticks([width - 0.6 - axis for axis in shown], labels=names)
    axes.grid(False)
    axes.set_ylim(-0.02 * width, width)
    axes.set_ylabel("axis")
    axes.set_xlabel(
        f"share of the action box, from low to high; highest bar: {top:.0%} of the rows"
    )


def _to_go(axes: Axes, case: Case) -> None:
    """Quantiles of the return-to-go over the steps of an episode."""
    axes.set_title("Return-to-go (Cal-QL's bound)")
    bound = to_go(case)
    step = np.arange(len(bound)) - np.repeat(case.starts, case.lengths)
    edges = np.unique(np.linspace(0, step.max() + 1, min(int(step.max()) + 2, 41)).astype(int))
    known = np.isfinite(bound)
    where = np.digitize(step, edges) - 1
    groups = [bound[(where == k) & known] for k in range(len(edges) - 1)]
    kept = [k for k, group in enumerate(groups) if len(group)]
    if not kept:
        axes.set_xlabel("no finite return-to-go")
        return
    table = np.array([np.quantile(groups[k], [0.05, 0.25, 0.5, 0.75, 0.95]) for k in kept])
    x = (edges[kept] + edges[np.array(kept) + 1] - 1) / 2
    axes.fill_between(x, table[:, 0], table[:, 4], color=PLAIN, alpha=0.2, lw=0, label="90 %")
    axes.fill_between(x, table[:, 1], table[:, 3], color=PLAIN, alpha=0.4, lw=0, label="50 %")
    axes.plot(x, table[:, 2], color=PLAIN, lw=2, label="median")
    axes.set_xlabel("step of the episode")
    axes.set_ylabel("discounted, transformed")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.22 * (high - low))
    axes.legend(loc="upper center", ncols=3, fontsize=8.5, borderaxespad=0.2, handlelength=1.2)


def _course(axes: Axes, case: Case) -> None:
    """Returns in the order of the file: mixtures of policies show as steps."""
    axes.set_title("Returns in the order of the file")
    pick = slice(None, None, max(1, len(case.returns) // MOST_POINTS))
    order, dead = np.arange(len(case.returns))[pick], case.dead[pick]
    values = case.returns[pick]
    for mask, color in ((~dead, CUT), (dead, DEAD)):
        axes.plot(order[mask], values[mask], "o", ms=3.5, color=color, alpha=0.6, mew=0)
    axes.set_xlabel("episode")
    axes.set_ylabel("sum of raw rewards")


def _map(axes: Axes, case: Case) -> None:
    """Where the rows are, seen from above."""
    axes.set_title("Places")
    place = place_of(case.env)
    assert place is not None
    left, right, bottom, top = place.extent
    at = case.data.obs[:, :2]
    at = at[np.all(np.isfinite(at), axis=1)]
    rows, columns = place.walls.shape
    bins, area = [columns * 5, rows * 5], ((left, right), (bottom, top))
    count, _, _ = np.histogram2d(at[:, 0], at[:, 1], bins=bins, range=area)
    image = axes.imshow(
        np.log10(np.where(count.T > 0, count.T, np.nan)), origin="lower", extent=place.extent,
        cmap=SHADES, interpolation="nearest",
    )  # fmt: skip
    walls = np.where(place.walls, 1.0, np.nan)
    axes.imshow(walls, extent=place.extent, cmap=WALLS, interpolation="nearest")
    if place.goal is not None:
        axes.plot(
            *place.goal, marker="*", ms=15, color=PALETTE["c1"], mec="white", ls="none",
            label="goal",
        )  # fmt: skip
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.02), fontsize=8.5, borderaxespad=0)
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = axes.figure.colorbar(image, ax=axes, fraction=0.04, pad=0.02, shrink=0.8)
    ticks = [t for t in range(7) if t <= np.log10(max(count.max(), 1))]
    bar.set_ticks(ticks, labels=[f"{10**t:,}" for t in ticks])
    bar.set_label("rows", color=PALETTE["muted"])
    bar.outline.set_visible(False)  # type: ignore[operator]


def _heights(axes: Axes, heights: np.ndarray) -> None:
    """The number above each bar."""
    for place, height in enumerate(heights):
        axes.annotate(
            f"{int(height):,}", (place, height), xytext=(0, 3), textcoords="offset points",
            ha="center", fontsize=8.5, color=PALETTE["muted"],
        )  # fmt: skip


def _bins(values: np.ndarray, most: int = 30) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.array([low - 0.5, high + 0.5])
    return np.linspace(low, high, most + 1)
