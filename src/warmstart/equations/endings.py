"""When an imagined episode is over: the rules of known robots, on next observations [..., O]."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array


def never(obs: Array) -> Array:
    """Nothing ends: HalfCheetah, and whatever has no rule here. [..., O] -> [...]."""
    return jnp.zeros(obs.shape[:-1], bool)


def hopper(obs: Array) -> Array:
    """Alive while finite, obs[1:] below 100 in size, height > 0.7 and |angle| < 0.2."""
    height, angle = obs[..., 0], obs[..., 1]
    sound = jnp.all(jnp.isfinite(obs), axis=-1) & jnp.all(jnp.abs(obs[..., 1:]) < 100.0, axis=-1)
    return ~(sound & (height > 0.7) & (jnp.abs(angle) < 0.2))


def walker2d(obs: Array) -> Array:
    """Alive while 0.8 < height < 2 and |angle| < 1."""
    height, angle = obs[..., 0], obs[..., 1]
    return ~((height > 0.8) & (height < 2.0) & (jnp.abs(angle) < 1.0))


def ant(obs: Array) -> Array:
    """Alive while finite and 0.2 <= height <= 1."""
    height = obs[..., 0]
    return ~(jnp.all(jnp.isfinite(obs), axis=-1) & (height >= 0.2) & (height <= 1.0))


ENDINGS: dict[str, Callable[[Array], Array]] = {
    "never": never,
    "hopper": hopper,
    "walker2d": walker2d,
    "ant": ant,
}
"""Rules by name (Yu et al. 2020, released code; Gymnasium's own documentation of each robot)."""
