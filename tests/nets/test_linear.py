"""Layers and initialisers."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.errors import RecipeError
from warmstart.nets.linear import INITS, LayerNorm, Linear, layer_norm, linear

KEY = jax.random.key(0)


def test_linear_is_x_w_plus_b() -> None:
    layer = Linear(jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.array([0.5, -0.5]))
    np.testing.assert_array_equal(layer(jnp.array([[1.0, -1.0]])), [[-1.5, -2.5]])


@pytest.mark.parametrize("init", sorted(INITS))
def test_every_init_gives_strong_float32_of_the_right_shape(init: str) -> None:
    layer = linear(KEY, 5, 3, init, 0.7)
    assert layer.weight.shape == (5, 3) and layer.bias.shape == (3,)
    for leaf in (layer.weight, layer.bias):
        assert leaf.dtype == jnp.float32 and not leaf.weak_type


@pytest.mark.parametrize("shape", [(40, 24), (24, 40)])
def test_orthogonal_has_the_gain_as_every_singular_value(shape: tuple[int, int]) -> None:
    weight = linear(KEY, *shape, "orthogonal", 1.7).weight
    np.testing.assert_allclose(np.linalg.svd(weight, compute_uv=False), 1.7, rtol=1e-5)


def test_orthogonal_is_square_safe_and_calls_no_lapack() -> None:
    weight = linear(KEY, 256, 256, "orthogonal").weight
    np.testing.assert_allclose(weight @ weight.T, np.eye(256), atol=3e-6)
    members = jax.vmap(lambda k: linear(k, 64, 64).weight)
    program = jax.jit(members).lower(jax.random.split(KEY, 3)).as_text()
    assert "custom_call" not in program


@pytest.mark.parametrize(
    ("init", "bound"),
    [
        ("xavier_uniform", math.sqrt(6 / 500)),
        ("torch", 1 / math.sqrt(300)),
        ("acme", 0.333 * math.sqrt(3 / 300)),
        ("uniform", 1.0),
    ],
)
def test_uniform_inits_fill_their_interval(init: str, bound: float) -> None:
    weight = np.asarray(linear(KEY, 300, 200, init, 0.5).weight)
    assert np.abs(weight).max() <= 0.5 * bound * (1 + 1e-6)
    assert np.abs(weight).max() > 0.5 * bound * 0.999
    np.testing.assert_allclose(weight.std(), 0.5 * bound / math.sqrt(3), rtol=0.01)


@pytest.mark.parametrize(("init", "gain"), [("he_normal", 2.0), ("lecun_normal", 1.0)])
def test_normal_inits_have_their_variance(init: str, gain: float) -> None:
    weight = np.asarray(linear(KEY, 300, 200, init).weight)
    np.testing.assert_allclose(weight.var(), gain / 300, rtol=0.02)
    assert abs(weight.mean()) < 1e-3


def test_only_torch_draws_a_bias() -> None:
    drawn = [init for init in INITS if jnp.any(linear(KEY, 9, 8, init).bias != 0)]
    assert drawn == ["torch"]
    assert jnp.abs(linear(KEY, 9, 8, "torch").bias).max() <= 1 / 3


def test_unknown_init_names_the_near_one() -> None:
    with pytest.raises(RecipeError, match="Did you mean 'orthogonal'"):
        linear(KEY, 2, 2, "ortogonal")


def test_layer_norm_matches_float64() -> None:
    x = np.random.default_rng(0).normal(3.0, 2.0, (7, 32))
    scale, offset = np.linspace(0.5, 2, 32), np.linspace(-1, 1, 32)
    norm = LayerNorm(jnp.asarray(scale, jnp.float32), jnp.asarray(offset, jnp.float32), 1e-5)
    expected = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    got = norm(jnp.asarray(x, jnp.float32))
    np.testing.assert_allclose(got, expected * scale + offset, atol=3e-6)


def test_layer_norm_survives_rows_far_from_zero_and_constant_rows() -> None:
    x = jnp.stack([1e3 + jnp.arange(8.0), jnp.full(8, 5.0)])
    got, grad = jax.value_and_grad(lambda x: jnp.sum(layer_norm(8, 1e-6)(x) ** 3))(x)
    assert jnp.isfinite(got) and jnp.all(jnp.isfinite(grad))
    expected = (np.arange(8.0) - 3.5) / np.sqrt(np.var(np.arange(8.0)) + 1e-6)
    np.testing.assert_allclose(layer_norm(8, 1e-6)(x)[0], expected, atol=1e-3)
