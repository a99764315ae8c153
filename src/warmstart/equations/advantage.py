"""On-policy learning: advantages of one stretch of experience, and the clipped objective."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

LARGEST = 20.0
"""Bound of |log ratio|: exp of it is a finite number, far beyond every clip."""


def generalised_advantage(
    reward: Array,
    mask: Array,
    last: Array,
    value: Array,
    after: Array,
    discount: float,
    trace: float,
) -> Array:
    """A_t = d_t + gamma lambda (1 - last_t) A_{t+1}, d_t = r_t + gamma m_t V(s'_t) - V(s_t).

    Schulman et al. 2016, eq. 16, on rows [N] in the order of time; behind the newest one A is 0.
    `after` is V at each row's own next observation: an episode that a time limit ends (mask 1,
    last 1) is worth what comes behind it, one that terminates (mask 0) is not, and neither trace
    runs into the next episode.
    """
    surprise = reward + discount * mask * after - value

    def chain(later: tuple[Array, Array], here: tuple[Array, Array]) -> tuple[Array, Array]:
        # A = d + c A', as the composition of affine maps: a scan of logarithmic depth.
        return later[0] * here[0], here[1] + here[0] * later[1]

    carried = discount * trace * (1.0 - last)
    return jax.lax.associative_scan(chain, (carried, surprise), reverse=True)[1]


def ratio_of(new: Array, old: Array) -> Array:
    """pi(a|s) / pi_old(a|s) of two log-probabilities [B]."""
    return jnp.exp(jnp.clip(new - old, -LARGEST, LARGEST))


def clipped_objective(ratio: Array, advantage: Array, clip: float) -> Array:
    """-mean min(rho A, clip(rho, 1 - eps, 1 + eps) A) (Schulman et al. 2017, eq. 7)."""
    inside = jnp.clip(ratio, 1.0 - clip, 1.0 + clip)
    return -jnp.mean(jnp.minimum(ratio * advantage, inside * advantage))


def divergence(ratio: Array) -> Array:
    """KL(pi_old || pi) from ratios [B] at draws of pi_old: mean (rho - 1) - log rho, never < 0."""
    return jnp.mean(ratio - 1.0 - jnp.log(ratio))
