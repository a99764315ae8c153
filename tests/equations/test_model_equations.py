"""Models of the world against float64 numbers worked out by hand."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.equations.dynamics import (
    faded_share,
    largest_deviation,
    log_likelihood,
    model_loss,
    squared_error,
)
from warmstart.equations.endings import ENDINGS

RNG = np.random.default_rng(0)
MEAN, LOG_VAR = RNG.normal(size=(2, 3, 5, 4))
TARGET = RNG.normal(size=(5, 4))


def test_the_loss_is_the_doubled_negative_log_likelihood_without_its_constant() -> None:
    weight = RNG.uniform(size=(3, 5))
    want = 0.0
    for i in range(3):
        each = ((MEAN[i] - TARGET) ** 2 / np.exp(LOG_VAR[i]) + LOG_VAR[i]).mean(-1)
        want += np.average(each, weights=weight[i])
    target = np.broadcast_to(TARGET, MEAN.shape)
    got = model_loss(*map(jnp.asarray, (MEAN, LOG_VAR, target, weight)))
    assert float(got) == pytest.approx(want, rel=1e-5)
    likelihood = log_likelihood(jnp.asarray(MEAN), jnp.asarray(LOG_VAR), jnp.asarray(TARGET))
    even = model_loss(*map(jnp.asarray, (MEAN, LOG_VAR, target, np.ones((3, 5)))))
    constant = 4 * np.log(2 * np.pi)
    assert -2 * float(likelihood.sum()) == pytest.approx(4 * float(even) + 3 * constant, rel=1e-5)


def test_likelihood_and_error_of_each_network() -> None:
    density = -0.5 * ((MEAN - TARGET) ** 2 / np.exp(LOG_VAR) + LOG_VAR + np.log(2 * np.pi))
    got = log_likelihood(jnp.asarray(MEAN), jnp.asarray(LOG_VAR), jnp.asarray(TARGET))
    np.testing.assert_allclose(got, density.sum(-1).mean(-1), rtol=1e-5)
    error = squared_error(jnp.asarray(MEAN), jnp.asarray(TARGET))
    np.testing.assert_allclose(error, ((MEAN - TARGET) ** 2).mean((1, 2)), rtol=1e-5)


def test_the_penalty_is_the_largest_norm_of_any_networks_deviations() -> None:
    want = np.linalg.norm(np.exp(LOG_VAR / 2), axis=-1).max(axis=0)
    np.testing.assert_allclose(largest_deviation(jnp.asarray(LOG_VAR)), want, rtol=1e-5)


def test_the_datasets_share_fades_as_its_formula_says() -> None:
    """At t = 30, 30,000 online rows and 1,000,000 offline: 47 % online."""
    share = faded_share(jnp.float32(1e6), jnp.float32(3e4), 1.0, jnp.int32(30))
    assert 1 - float(share) == pytest.approx(30_000 / (30_000 + 1_000_000 / 30), rel=1e-5)
    assert 1 - float(share) == pytest.approx(0.47, abs=0.01)
    assert float(faded_share(jnp.float32(10), jnp.float32(0), 2.0, jnp.int32(1))) == 1.0


@pytest.mark.parametrize(
    ("robot", "alive", "over"),
    [
        ("hopper", [1.0, 0.1, 5.0], [[0.6, 0.1, 5.0], [1.0, 0.3, 5.0], [1.0, 0.1, -101.0]]),
        ("hopper", [0.71, -0.19, 99.0], [[1.0, 0.1, np.nan], [np.inf, 0.1, 0.0]]),
        ("walker2d", [1.0, 0.5, 500.0], [[0.8, 0.0, 0.0], [2.0, 0.0, 0.0], [1.0, -1.0, 0.0]]),
        ("ant", [0.2, 9.0, 9.0], [[0.19, 0.0, 0.0], [1.1, 0.0, 0.0], [0.5, np.nan, 0.0]]),
    ],
)
def test_robots_fall_where_their_rule_says(
    robot: str, alive: list[float], over: list[list[float]]
) -> None:
    ended = ENDINGS[robot](jnp.asarray([alive, *over]))
    assert ended.tolist() == [False] + [True] * len(over)
    assert not ENDINGS["never"](jnp.asarray([alive, *over])).any()
