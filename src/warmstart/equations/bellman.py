"""Temporal-difference targets and errors."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array


def td_target(reward: Array, mask: Array, discount: float, backup: Array) -> Array:
    """y = r + gamma * mask * backup: [B], [B], scalar, [..., B] -> [..., B]."""
    return reward + discount * mask * backup


def squared_td(q: Array, target: Array, weight: Array | None = None) -> Array:
    """Mean over ensemble and batch of w (Q_i - y)^2, no factor 1/2: [E, B], [..., B], [B] -> []."""
    error = (q - target) ** 2
    return jnp.mean(error if weight is None else weight * error)


def soft_value(q: Array, log_prob: Array, temperature: Array) -> Array:
    """Q(s', a') - alpha log pi(a'|s') (Haarnoja et al. 2018, eq. 3)."""
    return q - temperature * log_prob


def smoothing_noise(noise: Array, scale: float, clip: float) -> Array:
    """clip(scale * noise, -clip, clip), target policy smoothing (Fujimoto et al. 2018, eq. 14)."""
    return jnp.clip(scale * noise, -clip, clip)


def anchored_value(q: Array, action: Array, logged: Array, penalty: Array) -> Array:
    """Q(s', a') - penalty ||a' - a'_data||_2^2, the sum over actions (Tarasov et al. 2023, eq. 4).

    [B], [B, A], [B, A], [B] -> [B].
    """
    return q - penalty * jnp.sum((action - logged) ** 2, axis=-1)


def polyak(target: Array, online: Array, tau: float) -> Array:
    """tau * online + (1 - tau) * target (Lillicrap et al. 2016)."""
    return tau * online + (1.0 - tau) * target
