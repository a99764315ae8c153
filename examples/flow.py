"""Flow cloning: a policy that is a small flow, sampled by Euler steps.

    dx/du = v(s, x, u), x(0) ~ N(0, I)    L = |v(s, x_u, u) - (a - x_0)|^2, x_u = (1 - u) x_0 + u a

pretrain   flow matching on the dataset's actions
handover   everything is kept
replay     online rows only
acting     a draw of the flow; in evaluation the path from 0
finetune   nothing learns
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from warmstart.learners import ActorCritic
from warmstart.nets.spec import PolicySpec
from warmstart.recipe import Finetune, Recipe, Rhythm, Stage
from warmstart.values import register


class Flow(NamedTuple):
    net: Any
    obs: Any  # [..., O]
    has_density = False

    def along(self, x):
        for u in jnp.arange(self.net.steps) / self.net.steps:
            x = x + self.net.field(self.obs, x, u[None]) / self.net.steps
        return jnp.clip(x, -1.0, 1.0)

    def sample(self, key, shape=()):
        return self.along(jax.random.normal(key, (*shape, *self.obs.shape[:-1], self.net.dims)))

    def mode(self):
        return self.along(jnp.zeros((*self.obs.shape[:-1], self.net.dims)))


class FlowNet(eqx.Module):
    trunk: Any
    head: Any
    steps: int = eqx.field(static=True)
    dims: int = eqx.field(static=True)

    def field(self, obs, x, u):
        obs, u = (jnp.broadcast_to(y, (*x.shape[:-1], y.shape[-1])) for y in (obs, u))
        return self.head(self.trunk(jnp.concatenate([obs, x, u], axis=-1)))

    def __call__(self, obs):
        return Flow(self, obs)


@register
@dataclass(frozen=True)
class FlowSpec(PolicySpec):
    steps: int = 10
    distribution, has_density = "flow", False

    def build(self, key, obs_dim, action_dim):
        trunk = self.net.trunk(key, obs_dim + action_dim + 1)
        return FlowNet(trunk, self.net.head(key, action_dim), self.steps, action_dim)


@register
@dataclass(frozen=True)
class FlowMatching:
    def __call__(self, key, view, net, batch, alpha):
        x0 = jax.random.normal(key, batch.action.shape)
        u = jax.random.uniform(jax.random.fold_in(key, 1), (len(x0), 1))
        found = net.field(view.obs(batch.obs), (1 - u) * x0 + u * batch.action, u)
        return jnp.mean((found - (batch.action - x0)) ** 2), {}


def recipe():
    learner = ActorCritic(FlowSpec(), critic=None, improvement=FlowMatching())
    return Recipe("flow", (Stage(learner),), finetune=Finetune(learner, Rhythm(updates=0)))
