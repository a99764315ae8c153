"""Densities of Gaussian and tanh-squashed Gaussian policies.

Haarnoja et al. 2018 (Soft Actor-Critic), appendix C, equations 20 and 21.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import Array

CLAMP = 0.99
"""Given actions are kept inside +-CLAMP before atanh.

At +-1 the density of a squashed policy is 0/0, and close to it one action outweighs all others:
atanh(1 - 1e-5) = 6.1, where most lie within 1. A policy that clones them spends its mean and its
width on numbers that the environment cannot tell apart. Sources clip at 0.999999 (ACA, ODT),
0.99999 (WSRL, Cal-QL) and 0.999 (JaxCQL). Measured: benchmarks/NOTES.md, section 8.
"""


def gaussian_log_prob(x: Array, mean: Array, log_std: Array) -> Array:
    """log N(x; mean, exp(log_std)^2), summed over the last axis: [..., A] -> [...]."""
    z = (x - mean) * jnp.exp(-log_std)
    return jnp.sum(-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi), axis=-1)


def tanh_log_det(u: Array) -> Array:
    """log |d tanh(u) / du|, summed over the last axis, stable for large |u|.

    log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2u)).
    """
    return jnp.sum(2.0 * (math.log(2.0) - u - jax.nn.softplus(-2.0 * u)), axis=-1)


def squashed_log_prob(u: Array, mean: Array, log_std: Array) -> Array:
    """log-density of tanh(u) where u ~ N(mean, exp(log_std)^2), given u (eq. 21)."""
    return gaussian_log_prob(u, mean, log_std) - tanh_log_det(u)


def clipped_log_prob(x: Array, mean: Array, log_std: Array, border: float) -> Array:
    """log-probability of a draw of N(mean, exp(log_std)^2) that was clipped to +-border.

    Summed over the last axis: the density inside, at the border the probability of what lies
    beyond it (Fujita & Maeda 2018, eq. 6 and 7).
    """
    inside = -0.5 * ((x - mean) * jnp.exp(-log_std)) ** 2 - log_std - 0.5 * math.log(2 * math.pi)
    above = jax.scipy.special.log_ndtr((mean - border) * jnp.exp(-log_std))
    below = jax.scipy.special.log_ndtr((-border - mean) * jnp.exp(-log_std))
    at = jnp.where(x >= border, above, jnp.where(x <= -border, below, inside))
    return jnp.sum(at, axis=-1)


def unsquash(action: Array) -> Array:
    """atanh of an action, kept inside +-CLAMP."""
    return jnp.arctanh(jnp.clip(action, -CLAMP, CLAMP))


def gaussian_kl(mean: Array, log_std: Array, mean0: Array, log_std0: Array) -> Array:
    """KL(N(mean, std) || N(mean0, std0)), summed over the last axis.

    Squashing both by tanh leaves it as it is.
    """
    var_ratio = jnp.exp(2.0 * (log_std - log_std0))
    shift = ((mean - mean0) * jnp.exp(-log_std0)) ** 2
    return 0.5 * jnp.sum(var_ratio + shift - 1.0 - 2.0 * (log_std - log_std0), axis=-1)
