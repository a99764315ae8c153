"""The ensemble of Gaussian models against plain float64 networks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.errors import RecipeError
from warmstart.nets.dynamics import DynamicsSpec, soft_clamp
from warmstart.nets.spec import NetSpec

SPEC = DynamicsSpec(NetSpec((8, 6), "swish"), members=3, elites=2)
RNG = np.random.default_rng(0)
OBS, ACTION = RNG.normal(size=(5, 4)), RNG.normal(size=(5, 2))


def _rows(inputs: Any, reward: Any = 0.0, mask: Any = 1.0) -> Any:
    """What a model is told of a dataset: inputs [N, 4 + 2], rewards and masks."""
    reward, mask = (jnp.broadcast_to(jnp.asarray(x), len(inputs)) for x in (reward, mask))
    obs, action = jnp.asarray(inputs[:, :4]), jnp.asarray(inputs[:, 4:])
    return SimpleNamespace(obs=obs, action=action, reward=reward, mask=mask)


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, x)


def test_every_network_is_that_of_the_paper() -> None:
    inputs = np.concatenate([OBS, ACTION], -1)
    net = SPEC.build(jax.random.PRNGKey(0), 4, 2).fitted_to(_rows(inputs))
    mean, log_var = net(jnp.asarray(OBS, jnp.float32), jnp.asarray(ACTION, jnp.float32))
    x0 = (inputs - inputs.mean(0)) / inputs.std(0)
    for i in range(3):
        x = x0
        for layer in (net.trunk.first, *net.trunk.layers):
            w, b = (np.asarray(p[i], np.float64) for p in (layer.weight, layer.bias))
            x = x @ w + b
            x = x / (1 + np.exp(-x))
        out = x @ np.asarray(net.head.weight[i], np.float64) + np.asarray(net.head.bias[i])
        raw = 0.5 - _softplus(0.5 - out[:, 5:])
        np.testing.assert_allclose(mean[i], out[:, :5], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(log_var[i], -10.0 + _softplus(raw + 10.0), rtol=1e-4, atol=1e-5)


def test_rows_of_their_own_are_those_rows() -> None:
    net = SPEC.build(jax.random.PRNGKey(0), 4, 2)
    obs = jnp.asarray(RNG.normal(size=(3, 5, 4)), jnp.float32)
    action = jnp.asarray(RNG.normal(size=(3, 5, 2)), jnp.float32)
    mean, log_var = net(obs, action)
    for i in range(3):
        own = net(obs[i], action[i])
        np.testing.assert_allclose(mean[i], own[0][i], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(log_var[i], own[1][i], rtol=1e-5, atol=1e-6)


def test_first_weights_have_half_lecuns_deviation_and_stay_within_two() -> None:
    net = DynamicsSpec().build(jax.random.PRNGKey(1), 17, 6)
    weight = np.asarray(net.trunk.layers[0].weight)
    std = 1 / (2 * np.sqrt(200))
    assert np.abs(weight).max() <= 2 * std + 1e-6
    assert weight.std() == pytest.approx(0.8796 * std, rel=0.01)
    assert net.members == 7 and np.asarray(net.head.bias).max() == 0.0


def test_bounds_hold_a_log_variance_softly() -> None:
    raw = jnp.asarray([-100.0, -5.0, 100.0])
    got = soft_clamp(raw, jnp.asarray(-10.0), jnp.asarray(0.5))
    np.testing.assert_allclose(got, [-10.0, -4.99, 0.5], atol=0.01)


def test_the_elites_are_those_of_least_error() -> None:
    net = SPEC.build(jax.random.PRNGKey(0), 4, 2)
    net = eqx.tree_at(lambda n: n.error, net, jnp.asarray([3.0, 1.0, 2.0]))
    assert net.best().tolist() == [1, 2]


def test_decay_counts_layer_by_layer() -> None:
    net = SPEC.build(jax.random.PRNGKey(0), 4, 2)
    weights = (net.trunk.first.weight, net.trunk.layers[0].weight, net.head.weight)
    norms = [0.5 * float((np.asarray(w, np.float64) ** 2).sum()) for w in weights]
    assert float(net.decay((1.0, 2.0, 3.0))) == pytest.approx(np.dot([1, 2, 3], norms), rel=1e-5)
    assert float(net.decay((1.0, 3.0))) == pytest.approx(np.dot([1, 3, 3], norms), rel=1e-5)


def test_a_constant_input_is_left_as_it_is() -> None:
    inputs = jnp.asarray([[1.0, 2.0, 0, 0, 0, 0], [3.0, 2.0, 0, 0, 0, 0]])
    net = SPEC.build(jax.random.PRNGKey(0), 4, 2).fitted_to(_rows(inputs))
    np.testing.assert_allclose(net.spread, [1.0, 1, 1, 1, 1, 1])
    np.testing.assert_allclose(net.centre[:2], [2.0, 2.0])


@pytest.mark.parametrize(
    ("reward", "mask", "goal"),
    [
        ([-1.0, -1.0, 0.0], [1.0, 1.0, 0.0], -0.5),  # a sparse goal
        ([1.0, 1.0, 0.0], [1.0, 1.0, 0.0], np.inf),  # a fall: the reward is lower there
        ([-1.0, 0.0, 0.0], [1.0, 1.0, 0.0], np.inf),  # a goal where one may stay
        ([-1.0, 0.0, 0.0], [1.0, 1.0, 1.0], np.inf),  # nothing ends
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], np.inf),  # nothing else
    ],
)
def test_a_goal_is_where_the_highest_rewards_end_episodes(reward, mask, goal: float) -> None:
    net = SPEC.build(jax.random.PRNGKey(0), 4, 2)
    assert (
        np.isinf(net.goal)
        and float(net.fitted_to(_rows(np.ones((3, 6)), reward, mask)).goal) == goal
    )


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(RecipeError, match="elites between 1 and members"):
        DynamicsSpec(members=3, elites=4)
    with pytest.raises(RecipeError, match="lower bound first"):
        DynamicsSpec(log_var=(1.0, 0.0))
