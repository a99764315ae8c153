"""An effect, its interval, what they amount to, and when there are seeds enough.

The effect is the interquartile mean of one number a seed (of paired differences, mostly), the
interval Hesterberg's expanded percentile bootstrap ("What Teachers Should Know About the
Bootstrap", The American Statistician 2015, sec. 3.4): the percentile interval of a resampled
statistic is too short by sqrt(1 - 1/n) and has the normal's tails, so the percentiles are moved to
Phi(sqrt(n / (n - 1)) t). With 5 pairs the plain percentile interval of 95 % covers 90 % (normal
differences) and 88 % (differences of success rates), the expanded one 94 % and 93 %: see
`python -m benchmarks.coverage`, whose table stands in docs/studies.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import scipy

from warmstart.reports.statistics import iqm

CONFIDENCE = 0.95
RESAMPLES = 10_000
BLOCKS = (5, 10, 15)
"""Seeds after which it is asked whether there are enough; the first number is the least for any
verdict, the last the most that the rule ever asks for."""

Relation = Literal["more", "not less", "equal"]
Outcome = Literal["holds", "does not", "unclear", "void", "not run"]


class Interval(NamedTuple):
    """An effect with its 95 % interval; arrays of one shape, or numbers."""

    effect: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def half_width(self) -> np.ndarray:
        """Half of the interval's length."""
        return (self.high - self.low) / 2


def interval(
    values: np.ndarray, confidence: float = CONFIDENCE, resamples: int = RESAMPLES
) -> Interval:
    """Interquartile mean of the last axis and its expanded percentile bootstrap interval.

    Args:
        values: [..., N], one number a seed, N >= 2, all finite.

    Returns:
        Effect, lower and upper end, [...] each. The resamples depend on N alone, so that the same
        numbers give the same interval everywhere.
    """
    values = np.asarray(values, float)
    n = values.shape[-1]
    if n < 2:
        raise ValueError(f"an interval needs two seeds or more, not {n}")
    if not np.isfinite(values).all():
        raise ValueError("an interval needs finite numbers; leave seeds without one out")
    drawn = np.sort(values, -1) @ _weights(n, resamples)
    tail = scipy.stats.norm.cdf(
        np.sqrt(n / (n - 1)) * scipy.stats.t.ppf((1 - confidence) / 2, n - 1)
    )
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=-1)
    return Interval(iqm(values, axis=-1), low, high)


@lru_cache(maxsize=8)
def _weights(n: int, resamples: int) -> np.ndarray:
    """[N, R]: what each sorted number weighs in the interquartile mean of each resample.

    The order of a resample is that of the ranks drawn, so that resampling is one matrix product.
    """
    ranks = np.sort(np.random.default_rng(n).integers(n, size=(resamples, n)), axis=1)
    cut = n // 4
    middle = ranks[:, cut : n - cut]
    counts = (middle[:, :, None] == np.arange(n)).sum(axis=1)
    return counts.T / (n - 2 * cut)


def outcome(
    values: Sequence[float] | np.ndarray, least: float, relation: Relation = "more"
) -> tuple[Outcome, Interval | None]:
    """What one number a seed says about a claim whose smallest effect of interest is `least`.

    - "more": holds where the interval lies above 0 and the effect reaches `least`; does not where
      the interval lies wholly below `least`.
    - "not less": holds where the interval lies above -`least`; does not where it lies below 0 and
      the effect reaches -`least`.
    - "equal": holds where the interval lies within +-`least`; does not where it lies wholly
      outside.

    Else it is unclear, as it is with fewer seeds than `BLOCKS[0]`; without any it is "not run".
    The interval is None with fewer than two seeds.
    """
    values = np.asarray(values, float)
    if not len(values):
        return "not run", None
    if len(values) < 2:
        return "unclear", None
    found = interval(values)
    if len(values) < BLOCKS[0]:
        return "unclear", found
    return judged(found, least, relation).item(), found


def judged(found: Interval, least: float, relation: Relation = "more") -> np.ndarray:
    """The outcomes [...] of intervals [...]; see `outcome`."""
    effect, low, high = (np.asarray(part) for part in found)
    if relation == "more":
        holds, fails = (low > 0) & (effect >= least), high < least
    elif relation == "not less":
        holds, fails = low > -least, (high < 0) & (effect <= -least)
    else:
        holds, fails = (low > -least) & (high < least), (low >= least) | (high <= -least)
    return np.where(holds, "holds", np.where(fails, "does not", "unclear"))


def enough(values: Sequence[float] | np.ndarray, least: float) -> bool:
    """The stopping rule: whether no further block of seeds is asked for.

    Written before any run: seeds come in blocks up to 5, 10, 15 (`BLOCKS`). After a block it ends
    where half of the interval's length is at most the smallest effect of interest, else after the
    last. It looks at the interval's length alone and never at the effect.
    """
    n = len(values)
    if n < BLOCKS[0]:
        return False
    return n >= BLOCKS[-1] or bool(interval(np.asarray(values, float)).half_width <= least)
