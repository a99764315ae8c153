"""How sure a handful of seeds lets us be.

The definitions follow Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical
Precipice" (NeurIPS 2021): interquartile mean, stratified bootstrap percentile intervals, and the
probability of improvement. Scores are arrays [S, K]: S seeds (runs) of K tasks; [S] is one task.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy  # its parts are imported where they are first used

Statistic = Callable[..., Any]
"""`statistic(scores, axis=-1)`: for example `iqm`, `numpy.mean` or `numpy.median`."""


def iqm(scores: np.ndarray, axis: int | None = None) -> Any:
    """Interquartile mean: the mean of the middle half, a quarter cut off at either end.

    Of n numbers floor(n / 4) are cut at each end, so fewer than four give the plain mean.

    Args:
        scores: any shape.
        axis: the axis to reduce; None takes all numbers together, seeds and tasks alike.
    """
    scores = np.asarray(scores, float)
    if axis is None:
        scores, axis = scores.ravel(), 0
    return scipy.stats.trim_mean(scores, 0.25, axis=axis)


def bootstrap_interval(
    scores: np.ndarray,
    statistic: Statistic = iqm,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of `statistic` under the stratified bootstrap.

    Seeds are drawn with replacement inside each task, so that every task keeps its weight.

    Args:
        scores: [S, K] or [S].
        statistic: reduces the seeds and tasks together, see `Statistic`.
        confidence: the share of resamples inside the interval.
        resamples: how many resamples; the same `seed` gives the same interval.

    Returns:
        The lower and the upper end.
    """
    table = _table(scores)
    drawn = _resample(table, resamples, np.random.default_rng(seed))
    return _percentiles(statistic(drawn.reshape(resamples, -1), axis=-1), confidence)


def curve_band(
    curves: np.ndarray, confidence: float = 0.95, resamples: int = 1000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Point-by-point bootstrap interval of the mean over seeds.

    Args:
        curves: [S, P], one learning curve a row; a whole curve is drawn at a time. NaN where a
            seed has no value at that point.

    Returns:
        The lower and the upper edge, [P] each; NaN where no seed has a value.
    """
    curves = np.asarray(curves, float)
    picks = np.random.default_rng(seed).integers(len(curves), size=(resamples, len(curves)))
    # How often each seed was drawn turns the resampled means into one matrix product.
    counts = np.stack([(picks == row).sum(axis=1) for row in range(len(curves))], axis=1)
    known = np.isfinite(curves)
    total = counts @ np.where(known, curves, 0.0)
    weight = (counts @ known).astype(float)
    means = np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0)
    low, high = np.full((2, curves.shape[1]), np.nan)
    some = known.any(axis=0)
    tail = 50 * (1 - confidence)
    low[some], high[some] = np.nanpercentile(means[:, some], [tail, 100 - tail], axis=0)
    return low, high


def probability_of_improvement(x: np.ndarray, y: np.ndarray) -> float:
    """How likely a random run of X beats a random run of Y, averaged over tasks.

    For each task this is the Mann-Whitney U statistic over the number of pairs: ties count half.

    Args:
        x, y: [S, K] and [S', K], or [S] and [S'] for one task.
    """
    return float(_improvement(_table(x)[None], _table(y)[None])[0])


def improvement_interval(
    x: np.ndarray,
    y: np.ndarray,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Stratified bootstrap interval of `probability_of_improvement`; X and Y drawn apart."""
    rng = np.random.default_rng(seed)
    drawn_x = _resample(_table(x), resamples, rng)
    drawn_y = _resample(_table(y), resamples, rng)
    return _percentiles(_improvement(drawn_x, drawn_y), confidence)


def _table(scores: np.ndarray) -> np.ndarray:
    """[S] or [S, K] as [S, K]."""
    scores = np.asarray(scores, float)
    if scores.ndim not in (1, 2) or not scores.size:
        raise ValueError(
            f"Scores must be [seeds] or [seeds, tasks] and not empty, got shape {scores.shape}: "
            "give one row for each seed."
        )
    return scores[:, None] if scores.ndim == 1 else scores


def _resample(table: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """[R, S, K]: seeds drawn with replacement, for each task apart."""
    picks = rng.integers(len(table), size=(resamples, *table.shape))
    return np.take_along_axis(table[None], picks, axis=1)


def _improvement(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[R]: from [R, S, K] and [R, S', K]."""
    gap = np.sign(x[:, :, None, :] - y[:, None, :, :])
    return (0.5 * (gap + 1)).mean(axis=(1, 2, 3))


def _percentiles(values: np.ndarray, confidence: float) -> tuple[float, float]:
    low, high = np.percentile(values, [50 * (1 - confidence), 50 * (1 + confidence)])
    return float(low), float(high)
