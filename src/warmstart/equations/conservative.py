"""Conservative Q-learning and its calibration.

Kumar et al. 2020 (CQL), eq. 4 and appendix F; Nakamoto et al. 2023 (Cal-QL), eq. 5.1.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import Array


def uniform_log_density(action_dim: int) -> float:
    """log-density of the uniform distribution on [-1, 1]^A: -A log 2."""
    return -action_dim * math.log(2.0)


def soft_maximum(q: Array, temperature: float, axis: int) -> Array:
    """T log sum_j exp(q_j / T) over `axis`: a SUM, no 1/N inside the logarithm."""
    return temperature * jax.nn.logsumexp(q / temperature, axis=axis)


def calibrate(q: Array, return_to_go: Array) -> Array:
    """max(Q(s, a), G(s)) on policy actions (Cal-QL, eq. 5.1). -inf leaves Q as it is."""
    return jnp.maximum(q, return_to_go)


def below_bound(q: Array, return_to_go: Array) -> Array:
    """Share of Q values under a known return-to-go: the check that calibration is active.

    Rows whose return-to-go is unknown (-inf) are left out of the mean.
    """
    known = jnp.broadcast_to(jnp.isfinite(return_to_go), q.shape)
    under = (q < return_to_go) & known
    return jnp.sum(under) / jnp.maximum(jnp.sum(known), 1)
