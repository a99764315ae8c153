"""Flow matching: what a vector field is fitted to."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array


def between(start: Array, end: Array, t: Array) -> Array:
    """x_t = (1 - t) x_0 + t x_1 (Lipman et al. 2023, eq. 22): [B, A], [B, A], [B, 1] -> [B, A]."""
    return (1.0 - t) * start + t * end


def flow_matching_loss(
    velocity: Array, start: Array, end: Array, weight: Array | None = None
) -> Array:
    """w (v(x_t, t) - (x_1 - x_0))^2, the mean over batch AND axes (Lipman et al. 2023, eq. 23)."""
    error = (velocity - (end - start)) ** 2
    return jnp.mean(error if weight is None else weight * error)
