"""Intervals cover, verdicts err as seldom as they say, and the stopping rule sees lengths alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from warmstart.reports.statistics import iqm
from warmstart.studies.effects import BLOCKS, enough, interval, judged, outcome

RNG = np.random.default_rng(0)
MANY = 1500


def test_the_interval_is_that_of_resampled_interquartile_means() -> None:
    values = np.array([3.0, -1.0, 8.0, 4.0, 5.0, 1.0, 2.0])
    found = interval(values)
    drawn = values[np.random.default_rng(5).integers(7, size=(40_000, 7))]
    tail = stats.norm.cdf(np.sqrt(7 / 6) * stats.t.ppf(0.025, 6))
    low, high = np.quantile(iqm(drawn, axis=-1), [tail, 1 - tail])
    assert found.effect == iqm(values)
    assert abs(found.low - low) < 0.15 and abs(found.high - high) < 0.15
    assert (interval(values[::-1]).low, interval(values + 10).low) == (found.low, found.low + 10)
    assert interval(values[None])[1].shape == (1,)


@pytest.mark.parametrize("n", BLOCKS)
def test_normal_differences_are_covered_where_the_plain_interval_falls_short(n: int) -> None:
    found = interval(RNG.normal(size=(MANY, n)), resamples=2_000)
    covered = np.mean((found.low <= 0) & (found.high >= 0))
    assert 0.92 <= covered <= 0.985


def _stopped(values: np.ndarray, least: float) -> np.ndarray:
    """The outcome of each row of numbers [M, 15] under the stopping rule."""
    said = np.full(len(values), "", dtype="<U8")
    for n in BLOCKS:
        found = interval(values[:, :n], resamples=2_000)
        over = (said == "") & ((found.half_width <= least) | (n == BLOCKS[-1]))
        said[over] = judged(found, least)[over]
    return said


@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
def test_without_an_effect_at_most_one_in_twenty_holds(spread: float) -> None:
    said = _stopped(spread * RNG.normal(size=(MANY, BLOCKS[-1])), 1.0)
    assert np.mean(said == "holds") <= 0.05


def test_twice_the_smallest_effect_is_found() -> None:
    said = _stopped(2.0 + RNG.normal(size=(MANY, BLOCKS[-1])), 1.0)
    assert np.mean(said == "holds") >= 0.80
    assert np.mean(said == "does not") <= 0.01


def test_equal_and_not_less_err_as_seldom_at_the_border() -> None:
    draws = RNG.normal(size=(MANY, 10)) * 0.7
    assert np.mean(judged(interval(draws + 1.0, resamples=2_000), 1.0, "equal") == "holds") <= 0.05
    border = judged(interval(draws - 1.0, resamples=2_000), 1.0, "not less")
    assert np.mean(border == "holds") <= 0.05
    level = judged(interval(draws * 0.5, resamples=2_000), 1.0, "equal")
    assert np.mean(level == "holds") >= 0.9


@pytest.mark.parametrize(
    ("values", "relation", "says"),
    [
        ([6.0, 7.0, 8.0, 7.0, 6.5], "more", "holds"),
        ([3.0, 3.1, 3.2, 3.1, 3.0], "more", "does not"),  # above 0, and below the least
        ([4.9, 5.2, 4.8, 5.4, 4.7], "more", "unclear"),
        ([-3.0, 1.0, 0.0, 2.0, -1.0], "not less", "holds"),
        ([-6.0, -7.0, -8.0, -7.0, -6.5], "not less", "does not"),
        ([0.5, -0.5, 0.2, 0.1, 0.0], "equal", "holds"),
        ([16.0, 17.0, 18.0, 17.0, 16.5], "equal", "does not"),
        ([9.0, 9.0, 9.0, 9.0], "more", "unclear"),  # four seeds are too few
        ([9.0], "more", "unclear"),
        ([], "more", "not run"),
    ],
)
def test_what_a_handful_of_numbers_says(values: list[float], relation: str, says: str) -> None:
    said, found = outcome(values, 5.0, relation)  # type: ignore[arg-type]
    assert said == says
    assert (found is None) == (len(values) < 2)


def test_seeds_are_enough_by_the_intervals_length_alone() -> None:
    near = np.array([1.0, 1.2, 0.9, 1.1, 1.0])
    assert enough(near, 1.0) and enough(near + 100, 1.0)
    assert not enough(10 * near * [1, -1, 1, -1, 1], 1.0)
    assert not enough(near[:4], 1.0)
    assert enough(np.tile(10 * near * [1, -1, 1, -1, 1], 3), 1.0)  # the last block


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        interval(np.array([1.0, np.nan, 2.0]))
    with pytest.raises(ValueError, match="two seeds"):
        interval(np.array([1.0]))
