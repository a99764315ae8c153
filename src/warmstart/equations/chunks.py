"""Several steps of an episode as one (Li et al. 2025): y = R + gamma^h m Q'(s_{t+h}, .).

Steps that are not there, because the episode ended before them, pay nothing and mask nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array


class Counts(NamedTuple):
    """How much of a row counts that stands for a whole chunk."""

    target: Array  # [...], 1 where the rewards of the chunk and what follows it are known
    action: Array  # [..., A], 1 for numbers of actions that were logged


def discounted_sum(reward: Array, there: Array, discount: float) -> Array:
    """R = sum_i gamma^i r_i over the steps that are there: [..., h], [..., h] -> [...]."""
    weight = discount ** jnp.arange(reward.shape[-1], dtype=reward.dtype)
    return jnp.sum(jnp.where(there > 0.0, weight * reward, 0.0), axis=-1)


def whole_mask(mask: Array, there: Array) -> Array:
    """m = prod_i m_i over the steps that are there: [..., h], [..., h] -> [...]."""
    return jnp.prod(jnp.where(there > 0.0, mask, 1.0), axis=-1)


def known_target(mask: Array, there: Array) -> Array:
    """1 where R + gamma^h m V(s_{t+h}) can be told: [...], [..., h] -> [...].

    All h steps are there, or the episode was terminated: then nothing comes behind, whatever the
    rest of the chunk would have been.
    """
    return jnp.maximum(there[..., -1], 1.0 - mask)
