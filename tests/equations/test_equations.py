"""Every equation against float64 NumPy or numbers worked out by hand."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from warmstart.equations import bellman, conservative, ensemble, gaussian, policy

FLOATS = st.floats(-4, 4, width=32)
VECTORS = arrays(np.float32, 5, elements=FLOATS)


def test_td_target_is_masked() -> None:
    got = bellman.td_target(
        jnp.array([1.0, 1.0]), jnp.array([1.0, 0.0]), 0.9, jnp.array([2.0, 2.0])
    )
    np.testing.assert_allclose(got, [2.8, 1.0], rtol=1e-6)


def test_squared_td_is_the_mean_over_ensemble_and_batch() -> None:
    q = jnp.array([[1.0, 2.0], [3.0, 4.0]])
    assert bellman.squared_td(q, jnp.array([1.0, 1.0])) == (0 + 1 + 4 + 9) / 4


def test_soft_value_smoothing_and_polyak() -> None:
    assert bellman.soft_value(jnp.float32(2.0), jnp.float32(-3.0), jnp.float32(0.5)) == 3.5
    noise = bellman.smoothing_noise(jnp.array([-9.0, 0.5, 9.0]), 0.2, 0.5)
    np.testing.assert_allclose(noise, [-0.5, 0.1, 0.5], rtol=1e-6)
    np.testing.assert_allclose(bellman.polyak(1.0, 3.0, 0.25), 1.5)


def test_the_minimum_over_critics_pulls_at_one_of_them() -> None:
    q = jnp.array([[3.0, 1.0, 2.0], [1.0, 1.0, 4.0], [2.0, 5.0, jnp.inf]])
    np.testing.assert_array_equal(ensemble.smallest(q), np.min(q, axis=0))
    np.testing.assert_array_equal(ensemble.smallest(q, axis=1), np.min(q, axis=1))
    pull = jax.grad(lambda q: jnp.sum(jnp.array([1.0, 2.0, 3.0]) * ensemble.smallest(q)))(q)
    np.testing.assert_array_equal(pull, [[0.0, 2.0, 3.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])


@settings(max_examples=25, deadline=None)
@given(VECTORS, VECTORS, arrays(np.float32, 5, elements=st.floats(-3, 1, width=32)))
def test_gaussian_density_is_scipy_s(x: np.ndarray, mean: np.ndarray, log_std: np.ndarray) -> None:
    want = stats.norm.logpdf(x.astype(float), mean, np.exp(log_std.astype(float))).sum()
    np.testing.assert_allclose(gaussian.gaussian_log_prob(x, mean, log_std), want, rtol=2e-4)


@pytest.mark.parametrize("u", [-20.0, -3.0, 0.0, 0.7, 5.0])
def test_log_determinant_of_tanh(u: float) -> None:
    # log(1 - tanh^2 u) = -2 log cosh u, and log cosh u = |u| + log1p(exp(-2|u|)) - log 2.
    want = -2 * (abs(u) + math.log1p(math.exp(-2 * abs(u))) - math.log(2))
    np.testing.assert_allclose(gaussian.tanh_log_det(jnp.array([u])), want, rtol=1e-5, atol=1e-6)


def test_a_squashed_density_integrates_to_one() -> None:
    action = np.linspace(-0.999999, 0.999999, 200_001).astype(np.float32)[:, None]
    u = np.arctanh(action)
    density = np.exp(gaussian.squashed_log_prob(u, jnp.array([0.4]), jnp.array([-0.5])))
    np.testing.assert_allclose(np.trapezoid(density, action[:, 0]), 1.0, atol=1e-3)


def test_given_actions_are_taken_for_at_most_ninety_nine_hundredths() -> None:
    got = gaussian.unsquash(jnp.array([1.0, -0.995, 0.98, -0.5]))
    np.testing.assert_allclose(got, np.arctanh([0.99, -0.99, 0.98, -0.5]), rtol=1e-5)


def test_actions_on_the_border_have_finite_densities_and_gradients() -> None:
    def density(action: jax.Array) -> jax.Array:
        return gaussian.squashed_log_prob(gaussian.unsquash(action), jnp.zeros(2), jnp.zeros(2))

    border = jnp.array([1.0, -1.0])
    assert np.isfinite(density(border)) and np.all(np.isfinite(jax.grad(density)(border)))
    assert np.isfinite(gaussian.squashed_log_prob(jnp.array([60.0]), jnp.zeros(1), jnp.zeros(1)))


def test_kl_of_gaussians() -> None:
    mean, log_std, mean0, log_std0 = (np.array(x) for x in ([1.0], [0.2], [0.5], [-0.1]))
    want = (log_std0 - log_std) + (np.exp(2 * log_std) + 0.25) / (2 * np.exp(2 * log_std0)) - 0.5
    np.testing.assert_allclose(
        gaussian.gaussian_kl(mean, log_std, mean0, log_std0), want, rtol=1e-5
    )
    assert gaussian.gaussian_kl(mean, log_std, mean, log_std) == 0


@settings(max_examples=25, deadline=None)
@given(arrays(np.float32, 7, elements=FLOATS), st.floats(0.25, 4, width=32))
def test_soft_maximum_is_a_sum_in_the_logarithm(q: np.ndarray, temperature: float) -> None:
    want = temperature * np.log(np.sum(np.exp(q.astype(float) / temperature)))
    got = conservative.soft_maximum(jnp.asarray(q), temperature, 0)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
    assert got >= q.max() - 1e-5


def test_uniform_density() -> None:
    assert conservative.uniform_log_density(3) == pytest.approx(math.log(0.5**3))


def test_calibration_is_off_where_the_return_is_unknown() -> None:
    q, g = jnp.array([1.0, -2.0, 3.0]), jnp.array([2.0, -jnp.inf, -jnp.inf])
    np.testing.assert_array_equal(conservative.calibrate(q, g), [2.0, -2.0, 3.0])
    assert conservative.below_bound(q, g) == 1.0  # of the one known row
    assert conservative.below_bound(q, jnp.full(3, -jnp.inf)) == 0.0


def test_policy_losses() -> None:
    log_prob, q = jnp.array([1.0, 3.0]), jnp.array([2.0, 0.0])
    assert policy.soft_policy_loss(log_prob, q, jnp.float32(0.5)) == 0.0
    assert policy.deterministic_policy_loss(q) == -1.0
    assert policy.cloning_error(jnp.array([[1.0, 0.0]]), jnp.array([[0.0, 2.0]])) == 2.5
    assert policy.regression_loss(jnp.array([2.0, 0.0]), log_prob) == -1.0


def test_expectile_loss_is_lopsided() -> None:
    got = policy.expectile_loss(jnp.array([2.0, -2.0]), 0.9)
    np.testing.assert_allclose(got, (0.9 * 4 + 0.1 * 4) / 2, rtol=1e-6)


def test_the_expectile_of_a_coin() -> None:
    """tau (1 - m) = (1 - tau) m, so that the tau-expectile of {0, 1} is tau."""
    coin = jnp.array([0.0, 1.0])
    slope = jax.grad(lambda m: policy.expectile_loss(coin - m, 0.8))(0.8)
    np.testing.assert_allclose(slope, 0.0, atol=1e-6)


@pytest.mark.parametrize(("advantage", "want"), [(1.0, math.exp(3)), (1e4, 100.0), (-1e4, 0.0)])
def test_advantage_weights_are_cut_without_overflow(advantage: float, want: float) -> None:
    got = policy.advantage_weight(jnp.float32(advantage), 3.0, 100.0)
    np.testing.assert_allclose(got, want, rtol=1e-5)
