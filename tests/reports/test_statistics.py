from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from warmstart.reports.statistics import (
    bootstrap_interval,
    curve_band,
    improvement_interval,
    iqm,
    probability_of_improvement,
)


def test_iqm_is_the_mean_of_the_middle_half() -> None:
    assert iqm(np.array([0.0, 1.0, 3.0, 100.0])) == 2.0
    assert iqm(np.arange(8.0)) == np.mean([2, 3, 4, 5])
    assert iqm(np.array([1.0, 2.0, 6.0])) == 3.0, "three numbers: nothing is cut"
    table = np.arange(12.0).reshape(3, 4)
    assert iqm(table) == np.mean(np.arange(3, 9)), "seeds and tasks are taken together"
    np.testing.assert_allclose(iqm(table, axis=1), [1.5, 5.5, 9.5])


def test_iqm_of_a_normal_sample_is_near_its_mean() -> None:
    assert abs(iqm(np.random.default_rng(0).normal(5.0, 1.0, 20_000)) - 5.0) < 0.03


def test_interval_of_the_mean_matches_the_normal_approximation() -> None:
    scores = np.random.default_rng(1).normal(50.0, 10.0, 400)
    low, high = bootstrap_interval(scores, np.mean)
    half = 1.96 * scores.std() / np.sqrt(len(scores))
    assert low == pytest.approx(scores.mean() - half, abs=0.15)
    assert high == pytest.approx(scores.mean() + half, abs=0.15)


def test_strata_keep_the_difference_between_tasks_out_of_the_interval() -> None:
    # Two tasks, each the same for every seed: no doubt is left, though the tasks differ widely.
    scores = np.tile([0.0, 100.0], (5, 1))
    assert bootstrap_interval(scores, np.mean) == (50.0, 50.0)
    assert bootstrap_interval(scores) == (50.0, 50.0)


def test_interval_for_two_seeds_in_closed_form() -> None:
    # The resampled mean of {0, 1} is 0, 1/2, 1 with probability 1/4, 1/2, 1/4.
    scores = np.array([0.0, 1.0])
    assert bootstrap_interval(scores, np.mean) == (0.0, 1.0)
    assert bootstrap_interval(scores, np.mean, confidence=0.4) == (0.5, 0.5)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8), st.integers(0, 5))
def test_interval_lies_within_the_scores_and_repeats(scores, seed) -> None:
    values = np.array(scores)
    low, high = bootstrap_interval(values, resamples=50, seed=seed)
    assert values.min() - 1e-6 <= low <= high <= values.max() + 1e-6
    assert (low, high) == bootstrap_interval(values, resamples=50, seed=seed)


def test_improvement_known_values() -> None:
    assert probability_of_improvement(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1.0
    assert probability_of_improvement(np.array([1.0]), np.array([1.0])) == 0.5
    assert probability_of_improvement(np.array([1.0, 3.0]), np.array([2.0])) == 0.5
    x, y = np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([[0.0, 1.0]])
    assert probability_of_improvement(x, y) == 0.5, "the mean of 1 and 0 over the two tasks"


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=7),
    st.lists(st.integers(0, 6), min_size=1, max_size=7),
)
def test_improvement_is_mann_whitney_and_antisymmetric(x, y) -> None:
    x, y = np.array(x, float), np.array(y, float)
    p = probability_of_improvement(x, y)
    assert p == pytest.approx(stats.mannwhitneyu(x, y).statistic / (len(x) * len(y)))
    assert p + probability_of_improvement(y, x) == pytest.approx(1.0)


def test_improvement_of_normals_matches_its_closed_form() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(1.0, 1.0, 300), rng.normal(0.0, 1.0, 300)
    truth = stats.norm.cdf(1.0 / np.sqrt(2))
    assert probability_of_improvement(x, y) == pytest.approx(truth, abs=0.03)
    low, high = improvement_interval(x[:40], y[:40])
    assert low < truth < high


def test_curve_band() -> None:
    curves = np.array([[0.0, 5.0, np.nan, np.nan], [1.0, 5.0, np.nan, 7.0]])
    low, high = curve_band(curves)
    np.testing.assert_array_equal(low, [0.0, 5.0, np.nan, 7.0])
    np.testing.assert_array_equal(high, [1.0, 5.0, np.nan, 7.0])


def test_empty_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="one row for each seed"):
        iqm_of_nothing = np.zeros((0, 2))
        bootstrap_interval(iqm_of_nothing)
