"""A model of the world as Gaussians, and what its doubt costs."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array


def model_loss(mean: Array, log_var: Array, target: Array, weight: Array) -> Array:
    """sum_i mean[w ((mu_i - y)^2 exp(-l_i) + l_i)] / mean[w]: the negative log-likelihood of each
    network, doubled and without its constant, summed over networks (Yu et al. 2020, appendix G).

    Predictions and targets [E, B, D], row weights [E, B] -> [].
    """
    each = jnp.mean((mean - target) ** 2 * jnp.exp(-log_var) + log_var, axis=-1)
    # Where no row counts there is nothing to learn, and no 0 / 0 either.
    total = jnp.maximum(jnp.mean(weight, axis=-1), 1e-6)
    return jnp.sum(jnp.mean(weight * each, axis=-1) / total)


def log_likelihood(mean: Array, log_var: Array, target: Array) -> Array:
    """log N(y; mu_i, exp(l_i)) of every network, the mean over rows: [E, B, D] -> [E]."""
    error = (mean - target) ** 2 * jnp.exp(-log_var)
    return jnp.mean(-0.5 * jnp.sum(error + log_var + jnp.log(2 * jnp.pi), axis=-1), axis=-1)


def squared_error(mean: Array, target: Array) -> Array:
    """The mean over rows and outputs of (mu_i - y)^2: [E, B, D], [B, D] -> [E]."""
    return jnp.mean((mean - target) ** 2, axis=(-2, -1))


def largest_deviation(log_var: Array) -> Array:
    """u(s, a) = max_i ||sigma_i(s, a)||_2, over every network: [E, B, D] -> [B].

    Yu et al. 2020, section 4.3 (the norm over next observation and reward, as their code has it).
    """
    return jnp.sqrt(jnp.max(jnp.sum(jnp.exp(log_var), axis=-1), axis=0))


def faded_share(offline: Array, online: Array, alpha: float, epoch: Array) -> Array:
    """Probability of an offline row, where its priority is 1 / (alpha t) and an online row's is 1.

    (N_off / (alpha t)) / (N_off / (alpha t) + N_on), numbers of rows [] and epoch t >= 1 [].
    Mao et al. 2022, algorithm 1.
    """
    weight = offline / (alpha * epoch)
    return weight / (weight + online)
