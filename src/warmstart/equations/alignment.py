"""Critics that agree with the policy (Yu & Zhang 2023)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.gaussian import squashed_log_prob


def soft_floor(log_prob: Array, floor: Array) -> Array:
    """c + softplus(x - c): x where it is far above the floor c, and never below c."""
    return floor + jax.nn.softplus(log_prob - floor)


def density_floor(mean: Array, log_std: Array, width: float) -> Array:
    """The smaller log-density [...] at the pre-tanh points mean +- width * std, [..., A]."""
    std = jnp.exp(log_std)
    ends = [squashed_log_prob(mean + sign * width * std, mean, log_std) for sign in (-1.0, 1.0)]
    return jnp.minimum(*ends)


def aligned_target(
    reward: Array, mask: Array, discount: float, baseline: Array, log_prob: Array, alpha: Array
) -> Array:
    """r + gamma m [log pi(a'|s') + Z(s') - alpha log pi(a'|s')] for log pi(a|s) + Z(s)."""
    return reward + discount * mask * (baseline + (1.0 - alpha) * log_prob)
