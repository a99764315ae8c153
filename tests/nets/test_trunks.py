"""MLP and SimBa trunks against plain NumPy in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.nets import MLP, SimBa, mlp, simba

KEY = jax.random.key(1)
X = jax.random.normal(jax.random.key(2), (6, 5), jnp.float32)


def _f64(layer, x: np.ndarray) -> np.ndarray:
    return x @ np.asarray(layer.weight, np.float64) + np.asarray(layer.bias, np.float64)


def _norm(x: np.ndarray, eps: float = 1e-6) -> np.ndarray:
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps)


def _elu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.expm1(x))


def test_mlp_activates_every_hidden_layer_and_the_last() -> None:
    net = mlp(KEY, 5, (8, 7))
    h = np.maximum(_f64(net.first, np.asarray(X, np.float64)), 0)
    h = np.maximum(_f64(net.layers[0], h), 0)
    np.testing.assert_allclose(net(X), h, atol=1e-5)
    assert net(X).shape == (6, 7)


def test_mlp_normalises_between_dense_and_activation() -> None:
    net = mlp(KEY, 5, (8, 7), norm=True)
    h = np.maximum(_norm(_f64(net.first, np.asarray(X, np.float64))), 0)
    h = np.maximum(_norm(_f64(net.layers[0], h)), 0)
    np.testing.assert_allclose(net(X), h, atol=1e-5)


def test_first_norm_is_followed_by_tanh_and_later_layers_by_their_own() -> None:
    net = mlp(KEY, 5, (8, 7), norm="first", activation="elu")
    h = np.tanh(_norm(_f64(net.first, np.asarray(X, np.float64))))
    h = _elu(_f64(net.layers[0], h))
    np.testing.assert_allclose(net(X), h, atol=1e-5)
    assert len(net.norms) == 1


def test_last_scale_touches_the_last_hidden_layer_alone() -> None:
    plain, small = mlp(KEY, 5, (8, 7)), mlp(KEY, 5, (8, 7), last_scale=1e-2)
    np.testing.assert_array_equal(plain.first.weight, small.first.weight)
    np.testing.assert_allclose(0.01 * plain.layers[0].weight, small.layers[0].weight, rtol=1e-6)


def test_simba_is_residual_blocks_then_a_norm() -> None:
    net = simba(KEY, 5, 8, 2)
    x = _f64(net.first, np.asarray(X, np.float64))
    for block in net.blocks:
        x = x + _f64(block.down, np.maximum(_f64(block.up, _norm(x)), 0))
    np.testing.assert_allclose(net(X), _norm(x), atol=1e-5)
    assert net.blocks[0].up.weight.shape == (8, 32)


@pytest.mark.parametrize("make", [lambda: mlp(KEY, 5, (8,)), lambda: simba(KEY, 5, 8, 1)])
def test_first_and_rest_are_the_whole(make) -> None:
    net: MLP | SimBa = make()
    np.testing.assert_array_equal(net.rest(net.first(X)), net(X))
