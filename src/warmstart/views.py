"""How parts look at a state: policies as distributions, critics as values.

A view applies the observation statistics, so that no part can forget them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.alignment import density_floor, soft_floor
from warmstart.nets.distributions import Distribution
from warmstart.state import Normalise, State
from warmstart.types import Context, WithPixels

ALIGNED = "aligned"
"""The signal that holds the weight of the log-density."""


class Aligned(NamedTuple):
    """Q_i(s, a) = w g(log pi_0(a|s)) + R_i(s, a), g a soft floor (Yu & Zhang 2023).

    The floor is the log-density `width` standard deviations from the mean, a constant.
    """

    net: Any
    pretrained: Any
    weight: Array
    width: float

    @property
    def members(self) -> int:
        """E."""
        return self.net.members

    def __call__(self, obs: Array, action: Array) -> Array:
        """Observations [B, O] and actions [B, A] to values [E, B]."""
        return self.net(obs, action) + self._density(obs, action)

    def call_actions(self, obs: Array, actions: Array) -> Array:
        """[B, O] and [N, B, A] to values [E, N, B]."""
        return self.net.call_actions(obs, actions) + self._density(obs, actions)

    def _density(self, obs: Array, action: Array) -> Array:
        policy = self.pretrained(obs)
        floor = jax.lax.stop_gradient(density_floor(policy.mean, policy.log_std, self.width))
        return self.weight * soft_floor(policy.log_prob(action), floor)


@dataclass(frozen=True)
class View:
    """A learner's networks at one state, seen by parts and acting rules.

    `kind` names the policy's distribution: it tells those who store a policy what acts.
    A network given as `net` stands in for the state's own: that is how `descend` differentiates.
    `target` chooses the slow copy. With `width` critics are residuals on the frozen policy's
    log-density: see `Aligned`. `alone`: the frozen policy does not act beside this one.
    """

    state: State
    kind: str
    normalise: Normalise
    width: float | None = None
    alone: bool = False

    @property
    def guided(self) -> bool:
        """Whether the frozen pre-trained policy is there to act too."""
        return not self.alone and "actor" in self.state.pretrained

    def obs(self, obs: Array) -> Array:
        """Observations on the scale that networks see, [..., O]."""
        return scaled(obs, self.state.stats, self.normalise)

    def policy(self, obs: Array, net: Any = None, target: bool = False) -> Distribution:
        """The policy's distribution at raw observations [..., O]."""
        if net is None:
            net = (self.state.targets if target else self.state.nets)["actor"]
        return net(self.obs(obs))

    def over(self, context: Context, net: Any = None) -> Distribution:
        """The policy's distribution at every step of raw contexts [..., T]."""
        net = self.state.nets["actor"] if net is None else net
        returns = context.returns / self.state.stats["return_scale"]
        return net(context._replace(obs=self.obs(context.obs), returns=returns))

    def pretrained(self, obs: Array) -> Distribution:
        """The frozen pre-trained policy, through its own statistics."""
        pretrained = self.state.pretrained
        return pretrained["actor"](scaled(obs, pretrained["stats"], self.normalise))

    def critic(self, net: Any = None, target: bool = False, members: Array | None = None) -> Any:
        """The ensemble, online or target; `members` [M] gathers their parameters first."""
        if net is None:
            net = (self.state.targets if target else self.state.nets)["critic"]
        net = net if members is None else net.take(members)
        if self.width is None or "actor" not in self.state.pretrained:
            return net
        return Aligned(net, self.pretrained, self.state.signals[ALIGNED], self.width)

    def q(self, obs: Array, action: Array, net: Any = None, target: bool = False) -> Array:
        """Q_i(s, a): [B, O], [B, A] -> [E, B]."""
        return self.critic(net, target)(self.obs(obs), action)

    def baselines(self, obs: Array, net: Any = None) -> Array:
        """Z_i(s): [B, O] -> [M, B]."""
        net = self.state.nets["value"] if net is None else net
        return net(self.obs(obs), jnp.zeros((*obs.shape[:-1], 0)))

    def value(self, obs: Array, net: Any = None) -> Array:
        """V(s): [B, O] -> [B]."""
        net = self.state.nets["value"] if net is None else net
        return net(self.obs(obs))


def scaled(obs: Any, stats: dict[str, Array], normalise: Normalise) -> Any:
    """(s - mean) / std. The floors under std are the sources': 1e-3 (TD3-BC), 1e-8 (SimBa).

    Pixels stay as they are.
    """
    if normalise == "none":
        return obs
    if isinstance(obs, WithPixels):
        return obs._replace(numbers=scaled(obs.numbers, stats, normalise))
    if (n := stats["mean"].shape[0]) < obs.shape[-1]:
        numbers = scaled(obs[..., :n], stats, normalise)
        return jnp.concatenate([numbers, obs[..., n:]], axis=-1)
    if normalise == "dataset":
        return (obs - stats["mean"]) / (jnp.sqrt(stats["var"]) + 1e-3)
    return (obs - stats["mean"]) / jnp.sqrt(stats["var"] + 1e-8)


def draw_members(key: Array, members: int, subset: int | None, replacement: bool) -> Array | None:
    """Indices [M] of the critics that make a target; None for all of them."""
    if subset is None or (subset == members and not replacement):
        return None
    return jax.random.choice(key, members, (subset,), replace=replacement)
