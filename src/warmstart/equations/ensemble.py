"""Several agents as one, and how online a row looks."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array


def moment_match(mean: Array, log_std: Array) -> tuple[Array, Array]:
    """Mean and log-std of the Gaussian with the mixture's moments, axis 0 the agents.

    Before tanh; the standard deviation is kept in [e^-20, e^2] (Lee et al. 2021, eq. 5).
    """
    centre = jnp.mean(mean, axis=0)
    second = jnp.mean(jnp.exp(2.0 * log_std) + mean**2, axis=0)
    variance = jnp.maximum(second - centre**2, 1e-20)
    return centre, jnp.clip(0.5 * jnp.log(variance), -20.0, 2.0)


def smallest(q: Array, axis: int = 0) -> Array:
    """The minimum over an axis, whose gradient goes to the first smallest.

    That of `jnp.min` asks who equals the minimum and divides by their number: where a compiler
    works q out in two places and rounds differently, nobody does, and it is 0 / 0.
    """
    first = jnp.argmin(q, axis=axis, keepdims=True)
    here = jnp.expand_dims(jnp.arange(q.shape[axis]), [i for i in range(q.ndim) if i != axis])
    return jnp.sum(jnp.where(here == first, q, 0.0), axis=axis)


def pairwise_minimum(q: Array) -> Array:
    """Q [2K, ...] of K agents with two critics each, [2i, 2i + 1] agent i's, to minima [K, ...]."""
    return smallest(q.reshape(-1, 2, *q.shape[1:]), axis=1)


def pessimistic_value(q: Array, beta: float) -> Array:
    """Mean minus beta times the population deviation over axis 0 (the UPQ operator)."""
    return jnp.mean(q, axis=0) - beta * jnp.std(q, axis=0)


def pessimistic_climb(q: Array, beta: float) -> Array:
    """`pessimistic_value` for who climbs it: a gradient also where all critics agree to the bit.

    One critic always does, and two do now and then in a long run: the deviation's gradient is then
    0 (of `jnp.std`: 0 / 0).
    """
    variance = jnp.var(q, axis=0)
    apart = variance > 0.0
    deviation = jnp.where(apart, jnp.sqrt(jnp.where(apart, variance, 1.0)), 0.0)
    return jnp.mean(q, axis=0) - beta * deviation


def density_ratio_loss(offline: Array, online: Array) -> Array:
    """Jensen-Shannon bound for w = d_online / d_offline, w >= 0 (Lee et al. 2021, eq. 8).

    E_off[log((w + 1) / 2)] - E_on[log(2 w / (w + 1))], its minimum at the true ratio.
    """
    tiny = 1e-10
    pushed = jnp.mean(jnp.log((offline + 1.0) / 2.0 + tiny))
    pulled = jnp.mean(jnp.log(2.0 * online / (online + 1.0) + tiny))
    return pushed - pulled


def ratio_priority(ratio: Array, offline: Array, temperature: float) -> Array:
    """w^(1/T) over its mean on offline rows, kept in [1e-3, 1e3] (released Off2On code)."""
    scale = jnp.mean(offline ** (1.0 / temperature)) + 1e-10
    return jnp.clip(ratio ** (1.0 / temperature) / scale, 1e-3, 1e3)
