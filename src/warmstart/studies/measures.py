"""Numbers of one result: the dip, areas, and what the critic and the policy did.

Steps of 20,000 bound the early ones: the dip lives there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from warmstart.studies.result import Points, Result

EARLY = 20_000

Scale = Literal["score", "share", "factor", "value", "rank"]
"""What a number is counted in, which says what the smallest effect of interest is."""
LEAST = {"share": 0.10, "factor": math.log(1.5), "value": 0.10, "rank": 0.3}
"""Smallest effects of interest beside those of scores: tenths; a factor of 1.5, as a logarithm; a
tenth of the value range; a rank correlation of 0.3, below which order explains under a tenth."""
LEAST_WORDS = {
    "score": "5 points of normalised return, 10 of success",
    "share": "0.10",
    "factor": "a factor of 1.5",
    "value": "a tenth of the range of returns",
    "rank": "a rank correlation of 0.3",
}


@dataclass(frozen=True)
class Measure:
    """A number of one result, None where the result cannot say it.

    `of(result, frozen)`: `frozen` are the unchanged policy's scores on the same schedule.
    """

    scale: Scale
    words: str
    of: Callable[[Result, Points], float | None]


def smallest(scale: Scale, success: bool) -> float:
    """The smallest effect of interest on a scale; `success`: scores are success rates."""
    if scale == "score":
        return 10.0 if success else 5.0
    return LEAST[scale]


def early(points: Points) -> Points:
    """The points of the first 20,000 steps."""
    return tuple(point for point in points if point[0] <= EARLY)


def lowest(points: Points) -> float | None:
    """The lowest value of the first 20,000 steps."""
    return min((value for _, value in early(points)), default=None)


def area(points: Points, until: int | None = None) -> float | None:
    """Mean height of the curve by trapezia, up to `until` steps (None: all).

    None where the curve does not begin at 0 or does not reach `until`.
    """
    x = np.array([at for at, _ in points], float)
    y = np.array([value for _, value in points])
    end = x[-1] if until is None and len(x) else until
    if len(x) < 2 or x[0] != 0 or end is None or x[-1] < end:
        return None
    grid = np.append(x[x < end], end)
    return float(np.trapezoid(np.interp(grid, x, y), grid) / end)


def at(points: Points, step: int) -> float | None:
    """The value at a step, between two points by a straight line; None beyond the last."""
    if not points or points[-1][0] < step or points[0][0] > step:
        return None
    return float(np.interp(step, [x for x, _ in points], [y for _, y in points]))


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _dip(r: Result, _: Points) -> float | None:
    return _minus(r.before, lowest(r.curve))


def _beyond(r: Result, frozen: Points) -> float | None:
    """The noise floor is never above the score before, as in `summary.json`."""
    floor = lowest(frozen)
    if floor is None or r.before is None:
        return None
    return _minus(min(floor, r.before), lowest(r.curve))


def _recovered(r: Result, _: Points) -> float | None:
    if r.before is None or not r.curve:
        return None
    return float(max(value for step, value in r.curve if step > 0 or len(r.curve) == 1) >= r.before)


def _reached(share: float) -> Callable[[Result, Points], float | None]:
    """Log of the steps to that share of 100; a run that never gets there counts as twice its
    length."""

    def of(r: Result, _: Points) -> float | None:
        if not r.curve or not r.steps:
            return None
        first = next((step for step, value in r.curve if value >= 100 * share), 2 * r.steps)
        return math.log(max(first, 1))

    return of


def _back(r: Result, _: Points) -> float | None:
    """Log of the steps to the first look at or above the score before, from the lowest of the
    first 20,000 on; a run that never gets there counts as twice its length."""
    looks = early(r.curve)
    if not looks or not r.steps or r.before is None:
        return None
    low = min(looks, key=lambda point: point[1])[0]
    back = (step for step, value in r.curve if step >= low and value >= r.before)
    return math.log(max(next(back, 2 * r.steps), 1))


def _peak(name: str) -> Callable[[Result, Points], float | None]:
    """Log of the highest value of the first 20,000 steps."""

    def of(r: Result, _: Points) -> float | None:
        values = [value for _, value in early(r.diagnose.get(name, ()))]
        return math.log(max(values)) if values and max(values) > 0 else None

    return of


def _growth(name: str) -> Callable[[Result, Points], float | None]:
    """Log of the highest value of the first 20,000 steps over the one at the switch."""

    def of(r: Result, _: Points) -> float | None:
        values = [value for _, value in early(r.diagnose.get(name, ()))]
        return math.log(max(values) / values[0]) if values and min(values) > 0 else None

    return of


def _growth_over(a: str, b: str) -> Callable[[Result, Points], float | None]:
    """How much more, as a logarithm, the first grows than the second."""

    def of(r: Result, frozen: Points) -> float | None:
        return _minus(_growth(a)(r, frozen), _growth(b)(r, frozen))

    return of


def _in_range(value: float | None, r: Result) -> float | None:
    return None if value is None or not r.value_range else value / r.value_range


def _fall(name: str) -> Callable[[Result, Points], float | None]:
    """From the switch to the lowest of the first 20,000 steps, in value ranges."""

    def of(r: Result, _: Points) -> float | None:
        points = early(r.diagnose.get(name, ()))
        return _in_range(points[0][1] - min(v for _, v in points), r) if points else None

    return of


def _bias(name: str, first: int, last: int) -> Callable[[Result, Points], float | None]:
    """Mean over a span of steps, in value ranges."""

    def of(r: Result, _: Points) -> float | None:
        found = [v for step, v in r.diagnose.get(name, ()) if first <= step <= last]
        return _in_range(float(np.mean(found)), r) if found else None

    return of


def _last_bias(r: Result, _: Points) -> float | None:
    points = r.diagnose.get("q_minus_return", ())
    return _in_range(points[-1][1], r) if points else None


def _score_when_q_is_back(r: Result, _: Points) -> float | None:
    """Score before minus the score where Q is first back at its value of the switch after its
    lowest; None where it never is."""
    q = early(r.diagnose.get("q_online", ()))
    if len(q) < 3 or r.before is None:
        return None
    low = min(range(len(q)), key=lambda i: q[i][1])
    back = next((step for step, value in q[low:] if value >= q[0][1]), None)
    return None if back is None else _minus(r.before, at(r.curve, back))


def _before(r: Result, _: Points) -> float | None:
    return r.before


MEASURES: dict[str, Measure] = {
    "before": Measure("score", "score before the switch", _before),
    "after": Measure("score", "score right after the handover", lambda r, _: at(r.curve, 0)),
    "final": Measure("score", "score at the end", lambda r, _: r.final),
    "gain": Measure("score", "end minus before", lambda r, _: _minus(r.final, r.before)),
    "loss": Measure("score", "before minus end", lambda r, _: _minus(r.before, r.final)),
    "dip": Measure("score", "before minus the lowest of the first 20,000 steps", _dip),
    "dip beyond noise": Measure(
        "score", "the frozen policy's lowest minus the lowest, in the first 20,000 steps", _beyond
    ),
    "negative dip beyond noise": Measure(
        "score", "the same with its sign turned",
        lambda r, frozen: None if (found := _beyond(r, frozen)) is None else -found,
    ),
    "area": Measure("score", "mean height of the curve", lambda r, _: area(r.curve)),
    "early area": Measure(
        "score", "mean height of the first 20,000 steps", lambda r, _: area(r.curve, EARLY)
    ),
    "score at 5,000": Measure("score", "score at 5,000 steps", lambda r, _: at(r.curve, 5_000)),
    "recovered": Measure("share", "whether any look is at or above the score before", _recovered),
    "steps to 50": Measure("factor", "steps to a score of 50", _reached(0.5)),
    "steps to 80": Measure("factor", "steps to a score of 80", _reached(0.8)),
    "steps to recover": Measure(
        "factor", "steps from the switch to the score before, behind the lowest look", _back
    ),
    "peak offline TD error": Measure(
        "factor", "highest TD error on held-out logged rows", _peak("td_offline")
    ),
    "growth of offline over online TD error": Measure(
        "factor", "rise of the TD error since the switch, held-out rows over fresh rollouts",
        _growth_over("td_offline", "td_online"),
    ),
    "fall of Q": Measure("value", "fall of mean Q on fresh rollouts", _fall("q_online")),
    "fall of offline Q": Measure("value", "fall of mean Q on held-out rows", _fall("q_offline")),
    "loss when Q is back": Measure(
        "score", "score lost by the time that Q is back", _score_when_q_is_back
    ),
    "bias at the switch": Measure(
        "value", "Q minus obtained return at the switch", _bias("q_minus_return", 0, 0)
    ),
    "early bias": Measure(
        "value", "Q minus obtained return, steps 250 to 5,000", _bias("q_minus_return", 250, 5_000)
    ),
    "size of the early bias": Measure(
        "value", "the same without its sign",
        lambda r, f: None if (bias := _bias("q_minus_return", 250, 10_000)(r, f)) is None
        else abs(bias),
    ),
    "last bias": Measure("value", "Q minus obtained return where the run ends", _last_bias),
    "unfamiliar bias at the switch": Measure(
        "value", "Q minus obtained return on unfamiliar pairs, up to step 1,000",
        _bias("q_minus_return_unfamiliar", 0, 1_000),
    ),
    "early unfamiliar bias": Measure(
        "value", "Q minus obtained return on unfamiliar pairs, steps 250 to 5,000",
        _bias("q_minus_return_unfamiliar", 250, 5_000),
    ),
    "familiar bias at the switch": Measure(
        "value", "Q minus obtained return on familiar pairs, up to step 1,000",
        _bias("q_minus_return_familiar", 0, 1_000),
    ),
    "drift": Measure(
        "factor", "highest distance of the policy from the pre-trained one", _peak("drift")
    ),
    "seconds": Measure("factor", "wall clock", lambda r, _: math.log(max(r.seconds, 1e-9))),
}  # fmt: skip
