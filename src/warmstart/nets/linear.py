"""Affine layers, layer normalisation and the ways to fill them.

Weights lie as [in, out], so that a batch of rows [..., in] meets them as `x @ weight`. Every leaf
is a float32 array and nothing else is a leaf, so plain `jax.jit`, `vmap` and `scan` take the
modules as they are.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp

from warmstart.errors import RecipeError, did_you_mean
from warmstart.types import Array

_Fill = Callable[[Array, int, int], Array]


def _uniform(key: Array, n_in: int, n_out: int, bound: float) -> Array:
    return jax.random.uniform(key, (n_in, n_out), jnp.float32, -bound, bound)


def _normal(key: Array, n_in: int, n_out: int) -> Array:
    """Standard normal cut at two deviations and widened back to variance 1."""
    draw = jax.random.truncated_normal(key, -2.0, 2.0, (n_in, n_out), jnp.float32)
    return draw / jnp.float32(0.87962566103423978)


@functools.partial(jax.jit, static_argnums=(1, 2))  # one compilation for each shape
def _orthogonal(key: Array, n_in: int, n_out: int) -> Array:
    """Orthonormal rows or columns, whichever are fewer, uniform over all such matrices.

    Gram-Schmidt on a Gaussian draw, each row cleaned twice (Giraud et al. 2005: twice is enough
    for orthogonality to rounding). Not `jnp.linalg.qr`: inside one compiled program two batched
    LAPACK calls can each hold a worker of XLA's two-thread pool while waiting for a free one, and
    then a machine with two cores never goes on (seen with jaxlib 0.10.2).
    """
    few, many = sorted((n_in, n_out))
    draw = jax.random.normal(key, (few, many), jnp.float32)

    def clean(row: Array, done: Array) -> Array:
        return row - (done @ row) @ done

    def step(index: Array, rows: Array) -> Array:
        done = jnp.where(jnp.arange(few)[:, None] < index, rows, 0.0)
        row = rows[index] / jnp.linalg.norm(rows[index])
        row = clean(clean(row, done), done)
        return rows.at[index].set(row / jnp.linalg.norm(row))

    rows = jax.lax.fori_loop(0, few, step, draw)
    return rows if n_in <= n_out else rows.T


def _zeros(key: Array, n_in: int, n_out: int) -> Array:
    del key
    return jnp.zeros((n_in, n_out), jnp.float32)


INITS: dict[str, _Fill] = {
    # Saxe et al. 2014: orthonormal rows or columns; `scale` is the gain.
    "orthogonal": _orthogonal,
    # Glorot & Bengio 2010, eq. 16.
    "xavier_uniform": lambda key, i, o: _uniform(key, i, o, math.sqrt(6.0 / (i + o))),
    # He et al. 2015, eq. 10; the cut normal is the convention of Flax and Keras.
    "he_normal": lambda key, i, o: _normal(key, i, o) * jnp.float32(math.sqrt(2.0 / i)),
    # LeCun et al. 1998, section 4.6; Haiku's default for a linear layer.
    "lecun_normal": lambda key, i, o: _normal(key, i, o) * jnp.float32(math.sqrt(1.0 / i)),
    # PyTorch's default; the bias is drawn from the same interval.
    "torch": lambda key, i, o: _uniform(key, i, o, 1.0 / math.sqrt(i)),
    # Acme's uniform variance scaling, 0.333 of the fan-in interval.
    "acme": lambda key, i, o: _uniform(key, i, o, 0.333 * math.sqrt(3.0 / i)),
    # U(-scale, scale), whatever the sizes.
    "uniform": lambda key, i, o: _uniform(key, i, o, 1.0),
    "zeros": _zeros,
}


class Linear(eqx.Module):
    """`x @ weight + bias`. `weight` is [in, out] and `bias` [out]."""

    weight: Array
    bias: Array

    def __call__(self, x: Array) -> Array:
        """Rows [..., in] to rows [..., out]."""
        return x @ self.weight + self.bias


def linear(
    key: Array, n_in: int, n_out: int, init: str = "orthogonal", scale: float = 1.0
) -> Linear:
    """A layer with weights `scale * init`; the bias is zero (`torch`: drawn as the weights).

    Raises:
        RecipeError: `init` is not in `INITS`.
    """
    if init not in INITS:
        raise RecipeError(f"No initialiser is called '{init}'. {did_you_mean(init, INITS)}")
    weight_key, bias_key = jax.random.split(key)
    weight = INITS[init](weight_key, n_in, n_out) * jnp.float32(scale)
    bias = jnp.zeros(n_out, jnp.float32)
    if init == "torch":
        bound = scale / math.sqrt(n_in)
        bias = jax.random.uniform(bias_key, (n_out,), jnp.float32, -bound, bound)
    return Linear(weight, bias)


class LayerNorm(eqx.Module):
    """Layer normalisation (Ba et al. 2016) with learned `scale` [H] and `offset` [H]."""

    scale: Array
    offset: Array
    eps: float = eqx.field(static=True)

    def __call__(self, x: Array) -> Array:
        """Rows [..., H] to rows of mean 0 and variance 1, then scaled and shifted."""
        centred = x - jnp.mean(x, -1, keepdims=True)
        variance = jnp.mean(jnp.square(centred), -1, keepdims=True)
        return centred * jax.lax.rsqrt(variance + self.eps) * self.scale + self.offset


def layer_norm(size: int, eps: float) -> LayerNorm:
    """The identity normalisation: scale 1, offset 0."""
    return LayerNorm(jnp.ones(size, jnp.float32), jnp.zeros(size, jnp.float32), eps)
