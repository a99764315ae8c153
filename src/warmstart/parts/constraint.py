"""What keeps the actor near the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp
from jax import Array

from warmstart.equations.policy import cloning_error, regression_loss
from warmstart.parts.weights import Fixed, Weight
from warmstart.types import Transition
from warmstart.values import register
from warmstart.views import View


@register
@dataclass(frozen=True)
class NoConstraint:
    """The zero part: the actor is free."""

    weight: Fixed = Fixed(0.0)

    def __call__(self, view: View, net: Any, batch: Transition) -> tuple[Array, dict[str, Array]]:
        """Zero."""
        del view, net, batch
        return jnp.zeros(()), {}


@register
@dataclass(frozen=True)
class BehaviourCloning:
    """weight * (pi(s) - a)^2 ("mse", of the mode) or -weight * log pi(a|s) ("nll")."""

    weight: Weight = Fixed(1.0)
    kind: Literal["mse", "nll"] = "mse"

    def __call__(self, view: View, net: Any, batch: Transition) -> tuple[Array, dict[str, Array]]:
        """The loss [] before its weight."""
        policy = view.policy(batch.obs, net)
        if self.kind == "mse":
            loss = cloning_error(policy.mode(), batch.action)
        else:
            loss = regression_loss(jnp.ones(()), policy.log_prob(batch.action))
        return loss, {}


CONSTRAINT = "constraint"
"""The name under which a learned or controlled weight stands in the state."""

Constraint = NoConstraint | BehaviourCloning
