"""A policy that chooses the noise of a generator which stays as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from warmstart.errors import RecipeError
from warmstart.nets.distributions import Squashed
from warmstart.nets.flows import FlowPolicy, FlowPolicySpec
from warmstart.nets.policies import GaussianPolicy
from warmstart.nets.spec import NetSpec, PolicySpec
from warmstart.ranges import Positive
from warmstart.types import Array
from warmstart.values import register


class Steered(NamedTuple):
    """clip(G(s, w)), w = limit * tanh of a Gaussian's draw; G gets no gradient.

    Log-densities are those of w before the factor `limit`: of the action none is known.
    """

    steer: Squashed
    flow: FlowPolicy
    obs: Array  # [..., O], on the scale that it sees
    limit: float

    has_density = True

    def made(self, noise: Array) -> Array:
        """The actions [*shape, ..., A] of some noise, inside the box."""
        obs = jnp.broadcast_to(self.obs, (*noise.shape[:-1], self.obs.shape[-1]))
        return jnp.clip(self.flow.made(obs, noise), -1.0, 1.0)

    def noise(self, key: Array, shape: tuple[int, ...] = ()) -> tuple[Array, Array]:
        """w [*shape, ..., A] and its log-density [*shape, ...]."""
        drawn, log_prob = self.steer.sample_with_log_prob(key, shape)
        return self.limit * drawn, log_prob

    def mode(self) -> Array:
        """What becomes of the mode of w."""
        return self.made(self.limit * self.steer.mode())

    def sample(self, key: Array, shape: tuple[int, ...] = ()) -> Array:
        """Actions [*shape, ..., A]."""
        return self.sample_with_log_prob(key, shape)[0]

    def sample_with_log_prob(self, key: Array, shape: tuple[int, ...] = ()) -> tuple[Array, Array]:
        """Actions, and the log-densities of their noise."""
        noise, log_prob = self.noise(key, shape)
        return self.made(noise), log_prob

    def log_prob(self, action: Array) -> Array:
        """It is not known: raises RecipeError."""
        raise RecipeError(
            "a steered generator has a density of its noise alone, and none of an action that is "
            "given; take pretrain and finetune from the same method"
        )


class SteeredPolicy(eqx.Module):
    """A generator that was learnt before, and the policy of its noise."""

    steer: GaussianPolicy
    flow: FlowPolicy
    limit: float = eqx.field(static=True)

    def __call__(self, obs: Array) -> Steered:
        """Normalised observations [..., O] to a distribution."""
        steer = self.steer(obs)
        assert isinstance(steer, Squashed)
        return Steered(steer, jax.lax.stop_gradient(self.flow), obs, self.limit)


@register
@dataclass(frozen=True)
class SteeredPolicySpec(FlowPolicySpec):
    """A flow, and a tanh-Gaussian policy of its noise whose last layer begins at 0.

    Attributes:
        noise: the trunk and head of that policy.
        limit: the largest noise, in deviations of what the flow was fitted with.
    """

    noise: NetSpec = field(default_factory=NetSpec)
    limit: Positive = 1.5
    has_density: ClassVar[bool] = True
    distribution: ClassVar[str] = "steered"
    freezes: ClassVar[bool] = True

    def build(self, key: Array, obs_dim: int, action_dim: int) -> SteeredPolicy:  # pyright: ignore[reportIncompatibleMethodOverride]
        """A fresh policy for observations [..., O] and actions [..., A]."""
        flow_key, steer_key = jax.random.split(key)
        flow = FlowPolicySpec(self.net, self.steps).build(flow_key, obs_dim, action_dim)
        steer = PolicySpec(self.noise).build(steer_key, obs_dim, action_dim)
        assert isinstance(flow, FlowPolicy) and isinstance(steer, GaussianPolicy)
        heads = (steer.mean, steer.spread)
        still = eqx.tree_at(
            lambda p: (p.mean, p.spread), steer, jax.tree.map(jnp.zeros_like, heads)
        )
        return SteeredPolicy(still, flow, self.limit)
