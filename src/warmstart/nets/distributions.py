"""What a policy network returns: a distribution over actions in [-1, 1]^A.

A policy of one's own brings its own: a class with `mode` and `sample` that holds what the network
made of the observations, or the network and the observations themselves (a flow that samples by
steps). Whatever is drawn is reparameterised, so that a gradient passes through it.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.gaussian import (
    clipped_log_prob,
    gaussian_log_prob,
    squashed_log_prob,
    tanh_log_det,
    unsquash,
)
from warmstart.errors import RecipeError

SATURATED = 7.0
"""Where tanh counts as saturated: beyond it float32 cannot tell one draw from another."""


class Distribution(Protocol):
    """Actions [..., A] for observations [..., O].

    One without a density (`has_density` False) needs `mode` and `sample` alone: see `draw`.
    """

    @property
    def has_density(self) -> bool:
        """Whether log-densities exist."""
        ...

    def mode(self) -> Array:
        """What is executed in evaluation [..., A]."""
        ...

    def sample(self, key: Array, shape: tuple[int, ...] = ()) -> Array:
        """Reparameterised actions [*shape, ..., A]."""
        ...

    def sample_with_log_prob(self, key: Array, shape: tuple[int, ...] = ()) -> tuple[Array, Array]:
        """Actions [*shape, ..., A] and their log-densities [*shape, ...]."""
        ...

    def log_prob(self, action: Array) -> Array:
        """log-density [...] of given actions [..., A]."""
        ...


class Squashed(NamedTuple):
    """tanh(N(mean, std^2)) on [-1, 1]^A."""

    mean: Array  # [..., A], before tanh
    log_std: Array  # [..., A]

    has_density = True

    def mode(self) -> Array:
        """tanh(mean): what is executed in evaluation."""
        return jnp.tanh(self.mean)

    def sample(self, key: Array, shape: tuple[int, ...] = ()) -> Array:
        """Reparameterised actions [*shape, ..., A]."""
        return self.sample_with_log_prob(key, shape)[0]

    def sample_with_log_prob(self, key: Array, shape: tuple[int, ...] = ()) -> tuple[Array, Array]:
        """Actions [*shape, ..., A] and their log-densities [*shape, ...]."""
        noise = jax.random.normal(key, (*shape, *self.mean.shape), self.mean.dtype)
        u = self.mean + jnp.exp(self.log_std) * noise
        return jnp.tanh(u), squashed_log_prob(u, self.mean, self.log_std)

    def log_prob(self, action: Array) -> Array:
        """log-density of given actions, kept off the border of the box."""
        return squashed_log_prob(unsquash(action), self.mean, self.log_std)

    def drawn_log_prob(self, action: Array) -> Array:
        """log-probability [...] of its own draws: where tanh saturates, of all that lies there."""
        edge = jnp.abs(action) >= jnp.tanh(SATURATED)
        u = jnp.arctanh(jnp.where(edge, 0.0, action))
        u = jnp.where(edge, jnp.sign(action) * SATURATED, u)
        stretched = jnp.where(edge, 0.0, tanh_log_det(u[..., None]))
        drawn = clipped_log_prob(u, self.mean, self.log_std, SATURATED)
        return drawn - jnp.sum(stretched, axis=-1)


class Plain(NamedTuple):
    """N(mean, std^2), not squashed: the environment's box clips what is executed."""

    mean: Array
    log_std: Array

    has_density = True

    def mode(self) -> Array:
        """The mean, inside the box."""
        return jnp.clip(self.mean, -1.0, 1.0)

    def sample(self, key: Array, shape: tuple[int, ...] = ()) -> Array:
        """Reparameterised actions [*shape, ..., A], inside the box."""
        return self.sample_with_log_prob(key, shape)[0]

    def sample_with_log_prob(self, key: Array, shape: tuple[int, ...] = ()) -> tuple[Array, Array]:
        """Actions, clipped to the box, and the log-densities of the unclipped draws."""
        noise = jax.random.normal(key, (*shape, *self.mean.shape), self.mean.dtype)
        x = self.mean + jnp.exp(self.log_std) * noise
        return jnp.clip(x, -1.0, 1.0), gaussian_log_prob(x, self.mean, self.log_std)

    def log_prob(self, action: Array) -> Array:
        """log N(action; mean, std^2), summed over the action axis."""
        return gaussian_log_prob(action, self.mean, self.log_std)

    def drawn_log_prob(self, action: Array) -> Array:
        """log-probability [...] of its own draws: at the box's border, of all that lies beyond."""
        return clipped_log_prob(action, self.mean, self.log_std, 1.0)


class Deterministic(NamedTuple):
    """One action for each observation."""

    action: Array  # [..., A]

    has_density = False

    def mode(self) -> Array:
        """The action."""
        return self.action

    def sample(self, key: Array, shape: tuple[int, ...] = ()) -> Array:
        """The action, repeated: a deterministic policy explores by added noise."""
        del key
        return jnp.broadcast_to(self.action, (*shape, *self.action.shape))

    def sample_with_log_prob(self, key: Array, shape: tuple[int, ...] = ()) -> tuple[Array, Array]:
        """The action, and zeros: see `draw`."""
        return draw(self, key, shape)

    def log_prob(self, action: Array) -> Array:
        """A point mass has no density: raises RecipeError."""
        raise RecipeError(
            "a deterministic policy has no log-density; use the 'mse' cloning loss, or a "
            "Gaussian policy"
        )


class Generated(NamedTuple):
    """clip(G(s, z)), z ~ N(0, I): draws, and no density."""

    net: Any  # G: `made(obs, noise)` gives actions that are not clipped
    obs: Array  # [..., O], on the scale that it sees

    has_density = False

    def noise(self, key: Array, shape: tuple[int, ...] = ()) -> Array:
        """z [*shape, ..., A]."""
        size = (*shape, *self.obs.shape[:-1], self.net.actions)
        return jax.random.normal(key, size, self.obs.dtype)

    def made(self, noise: Array) -> Array:
        """The actions [*shape, ..., A] of some noise, inside the box."""
        obs = jnp.broadcast_to(self.obs, (*noise.shape[:-1], self.obs.shape[-1]))
        return jnp.clip(self.net.made(obs, noise), -1.0, 1.0)

    def mode(self) -> Array:
        """What becomes of z = 0: one action for each observation, not the likeliest one."""
        return self.made(jnp.zeros((*self.obs.shape[:-1], self.net.actions), self.obs.dtype))

    def sample(self, key: Array, shape: tuple[int, ...] = ()) -> Array:
        """Actions [*shape, ..., A]."""
        return self.made(self.noise(key, shape))

    def sample_with_log_prob(self, key: Array, shape: tuple[int, ...] = ()) -> tuple[Array, Array]:
        """Actions, and zeros: see `draw`."""
        return draw(self, key, shape)

    def log_prob(self, action: Array) -> Array:
        """It is not known: raises RecipeError."""
        raise RecipeError(
            "a policy that makes actions of noise has no log-density; take pretrain "
            "and finetune from a method with a Gaussian policy"
        )


def drawn_log_prob(policy: Distribution, action: Array) -> Array:
    """log-probability [...] of actions [..., A] as the policy drew and the box clipped them.

    Differs from `log_prob` at the border alone. A distribution of one's own whose draws are
    clipped says it by a method of this name; of any other one its log-density is right.
    """
    own = getattr(policy, "drawn_log_prob", policy.log_prob)
    return own(action)


def draw(policy: Distribution, key: Array, shape: tuple[int, ...] = ()) -> tuple[Array, Array]:
    """Actions [*shape, ..., A] and their log-densities [*shape, ...].

    Zeros where the policy has no density: it then adds no entropy term.
    """
    if policy.has_density:
        return policy.sample_with_log_prob(key, shape)
    action = policy.sample(key, shape)
    return action, jnp.zeros(action.shape[:-1])
