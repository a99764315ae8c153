"""Policies that make an action of an observation and of noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp

from warmstart.nets.distributions import Generated
from warmstart.nets.linear import Linear
from warmstart.nets.mlp import MLP
from warmstart.nets.simba import SimBa
from warmstart.nets.spec import NetSpec
from warmstart.ranges import Count
from warmstart.types import Array
from warmstart.values import register


class VectorField(eqx.Module):
    """v(s, x, t): how fast and where a point x of action space moves at time t."""

    body: MLP | SimBa
    head: Linear

    @property
    def actions(self) -> int:
        """A."""
        return self.head.weight.shape[-1]

    def __call__(self, obs: Array, x: Array, t: Array) -> Array:
        """Normalised observations [..., O], points [..., A], times [..., 1] to velocities."""
        return self.head(self.body(jnp.concatenate([obs, x, t], axis=-1)))


class FlowPolicy(eqx.Module):
    """Carries noise along a vector field, from t = 0 to 1 in `steps` steps of Euler."""

    field: VectorField
    steps: int = eqx.field(static=True)

    @property
    def actions(self) -> int:
        """A."""
        return self.field.actions

    def __call__(self, obs: Array) -> Generated:
        """Normalised observations [..., O] to what noise becomes there."""
        return Generated(self, obs)

    def made(self, obs: Array, noise: Array) -> Array:
        """Normalised observations [..., O] and noise [..., A] to actions [..., A], not clipped."""

        def step(i: Array, x: Array) -> Array:
            t = jnp.full((*x.shape[:-1], 1), i / self.steps, x.dtype)
            return x + self.field(obs, x, t) / self.steps

        return jax.lax.fori_loop(0, self.steps, step, noise)


class DistilledPolicy(eqx.Module):
    """mu(s, z): what a flow makes of noise, in one step; and the flow that it learns from."""

    body: MLP | SimBa
    head: Linear
    flow: FlowPolicy

    @property
    def actions(self) -> int:
        """A."""
        return self.head.weight.shape[-1]

    def __call__(self, obs: Array) -> Generated:
        """Normalised observations [..., O] to what noise becomes there."""
        return Generated(self, obs)

    def made(self, obs: Array, noise: Array) -> Array:
        """Normalised observations [..., O] and noise [..., A] to actions [..., A], not clipped."""
        return self.head(self.body(jnp.concatenate([obs, noise], axis=-1)))


@register
@dataclass(frozen=True)
class FlowPolicySpec:
    """A policy that a vector field carries from noise to actions.

    Attributes:
        net: the vector field's trunk and head.
        steps: of Euler's rule, from noise to action.
    """

    net: NetSpec = field(default_factory=NetSpec)
    steps: Count = 10
    has_density: ClassVar[bool] = False
    distribution: ClassVar[str] = "generated"
    agents: ClassVar[int] = 1

    def build(self, key: Array, obs_dim: int, action_dim: int) -> FlowPolicy | DistilledPolicy:
        """A fresh policy for observations [..., O] and actions [..., A]."""
        trunk_key, head_key = jax.random.split(key)
        trunk = self.net.trunk(trunk_key, obs_dim + action_dim + 1)
        return FlowPolicy(VectorField(trunk, self.net.head(head_key, action_dim)), self.steps)


@register
@dataclass(frozen=True)
class DistilledPolicySpec(FlowPolicySpec):
    """A one-step policy beside the flow that it learns from; both networks are `net`."""

    def build(self, key: Array, obs_dim: int, action_dim: int) -> DistilledPolicy:
        """A fresh policy for observations [..., O] and actions [..., A]."""
        flow_key, trunk_key, head_key = jax.random.split(key, 3)
        trunk = self.net.trunk(trunk_key, obs_dim + action_dim)
        flow = FlowPolicySpec(self.net, self.steps).build(flow_key, obs_dim, action_dim)
        assert isinstance(flow, FlowPolicy)
        return DistilledPolicy(trunk, self.net.head(head_key, action_dim), flow)
