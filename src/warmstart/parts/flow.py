"""What moves a policy that makes actions of noise: the data, its own flow, and the critics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.flow import between, flow_matching_loss
from warmstart.equations.policy import cloning_error
from warmstart.errors import RecipeError
from warmstart.nets.flows import DistilledPolicy, DistilledPolicySpec, FlowPolicy, FlowPolicySpec
from warmstart.nets.steered import SteeredPolicy
from warmstart.parts.improvement import MaximiseQ
from warmstart.ranges import NotNegative
from warmstart.state import key_for
from warmstart.types import Transition
from warmstart.values import register
from warmstart.views import View


def flow_of(net: Any) -> FlowPolicy:
    """The flow of a policy network, which acts itself or teaches the one that acts."""
    return net.flow if isinstance(net, DistilledPolicy | SteeredPolicy) else net


def flow_loss(key: Array, view: View, net: Any, batch: Transition) -> Array:
    """E (v(s, x_t, t) - (a - x_0))^2 [], x_0 ~ N(0, I), t ~ U(0, 1) (Park et al. 2025, eq. 5)."""
    start = jax.random.normal(key_for(key, "start"), batch.action.shape, batch.action.dtype)
    t = jax.random.uniform(key_for(key, "time"), (*batch.action.shape[:-1], 1), start.dtype)
    x = between(start, batch.action, t)
    velocity = flow_of(net).field(view.obs(batch.obs), x, t)
    logged = None if batch.counts is None else batch.counts.action
    return flow_matching_loss(velocity, start, batch.action, logged)


def distillation(key: Array, view: View, net: Any, batch: Transition) -> Array:
    """E (mu(s, z) - clip(flow(s, z)))^2 [], z ~ N(0, I); the flow is a constant here.

    The mean over batch and action axes (Park et al. 2025, eq. 8, released code).
    """
    obs = view.obs(batch.obs)
    noise = net(obs).noise(key_for(key, "policy"))
    taught = jnp.clip(net.flow.made(obs, noise), -1.0, 1.0)
    return cloning_error(net.made(obs, noise), jax.lax.stop_gradient(taught))


@register
@dataclass(frozen=True)
class FlowCloning:
    """A flow follows the data by flow matching, and nothing else moves it."""

    def check(self, learner: Any) -> None:
        """It fits a flow that acts."""
        if not isinstance(learner.policy, FlowPolicySpec) or isinstance(
            learner.policy, DistilledPolicySpec
        ):
            raise RecipeError(
                "improvement FlowCloning fits a flow that acts, and this policy is "
                f"{learner.policy.distribution}; set learner.improvement=MaximiseQ"
            )

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition, alpha: Array
    ) -> tuple[Array, dict[str, Array]]:
        """The loss []."""
        del alpha
        loss = flow_loss(key_for(key, "flow"), view, net, batch)
        return loss, {"flow_loss": loss}


@register
@dataclass(frozen=True)
class Distilled(MaximiseQ):
    """A one-step policy climbs the critics, held to its flow, which follows the data.

    Attributes:
        weight: of the distance between the one step and the flow (Park et al. 2025, alpha).
    """

    weight: NotNegative = 10.0

    def check(self, learner: Any) -> None:
        """It teaches a one-step policy."""
        super().check(learner)
        if not isinstance(learner.policy, DistilledPolicySpec):
            raise RecipeError(
                "improvement Distilled teaches a one-step policy, and this one is "
                f"{learner.policy.distribution}; set learner.improvement=MaximiseQ"
            )

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition, alpha: Array
    ) -> tuple[Array, dict[str, Array]]:
        """The loss [], at one draw of noise for the climb and for the distance."""
        up, info = super().__call__(key, view, net, batch, alpha)
        far = distillation(key, view, net, batch)
        fitted = flow_loss(key_for(key, "flow"), view, net, batch)
        info = {**info, "distillation": far, "flow_loss": fitted}
        return up + self.weight * far + fitted, info
