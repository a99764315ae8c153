"""What keeps the actor near the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp
from jax import Array

from warmstart.equations.policy import cloning_error, regression_loss
from warmstart.types import Transition
from warmstart.values import register
from warmstart.views import View


@register
@dataclass(frozen=True)
class NoConstraint:
    """The zero part: the actor is free."""

    def __call__(self, view: View, net: Any, batch: Transition) -> tuple[Array, dict[str, Array]]:
        """Zero."""
        del view, net, batch
        return jnp.zeros(()), {}


@register
@dataclass(frozen=True)
class BehaviourCloning:
    """weight * (pi(s) - a)^2 ("mse", of the mode) or -weight * log pi(a|s) ("nll")."""

    weight: float = 1.0
    kind: Literal["mse", "nll"] = "mse"

    def __call__(self, view: View, net: Any, batch: Transition) -> tuple[Array, dict[str, Array]]:
        """The weighted loss []."""
        policy = view.policy(batch.obs, net)
        if self.kind == "mse":
            loss = cloning_error(policy.mode(), batch.action)
        else:
            loss = regression_loss(jnp.ones(()), policy.log_prob(batch.action))
        return self.weight * loss, {"cloning_loss": loss}


Constraint = NoConstraint | BehaviourCloning
