"""What keeps the actor near the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.policy import cloning_error, regression_loss, squared_distance
from warmstart.errors import RecipeError
from warmstart.parts.needs import need_density
from warmstart.parts.weights import Fixed, Learned, Weight
from warmstart.state import Optimiser
from warmstart.types import Transition
from warmstart.values import register
from warmstart.views import View


class Constraint(Protocol):
    """What keeps the actor near the data."""

    @property
    def weight(self) -> Weight:
        """How much it counts; one that is learned makes the loss meet its target."""
        ...

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition
    ) -> tuple[Array, dict[str, Array]]:
        """The loss [] of the actor `net` before its weight, and what is to be logged.

        `key` is for what it draws.
        """
        ...


@register
@dataclass(frozen=True)
class NoConstraint:
    """The zero part: the actor is free."""

    weight: Fixed = Fixed(0.0)
    free: ClassVar[bool] = True

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition
    ) -> tuple[Array, dict[str, Array]]:
        """Zero."""
        del key, view, net, batch
        return jnp.zeros(()), {}


@register
@dataclass(frozen=True)
class BehaviourCloning:
    """weight * (pi(s) - a)^2 or -weight * log pi(a|s) ("nll").

    The square is of the mode; "mse" is its mean over the action's numbers, "sum" their sum.
    """

    weight: Weight = Fixed(1.0)
    kind: Literal["mse", "sum", "nll"] = "mse"

    def check(self, learner: Any) -> None:
        """A likelihood needs a density."""
        if self.kind == "nll":
            need_density(learner, "the 'nll' cloning loss")

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition
    ) -> tuple[Array, dict[str, Array]]:
        """The loss [] before its weight."""
        del key
        policy = view.policy(batch.obs, net)
        if self.kind == "mse":
            loss = cloning_error(policy.mode(), batch.action)
        elif self.kind == "sum":
            loss = squared_distance(policy.mode(), batch.action)
        else:
            loss = regression_loss(jnp.ones(()), policy.log_prob(batch.action))
        return loss, {}


@register
@dataclass(frozen=True)
class TrustRegion:
    """E ||pi(s) - pi'(s)||^2 to the slow copy of the actor (Luo et al. 2023, eq. 4).

    Its learned weight is the multiplier of the constraint D <= epsilon. With dQ/da at most 1 the
    active constraint needs 1 / (2 sqrt(epsilon)), about 160 at 1e-5: an exponential form and a
    high start reach it before the switch is over.
    """

    weight: Weight = Learned(init=100.0, target=1e-5, optimiser=Optimiser(1e-2))

    def check(self, learner: Any) -> None:
        """It holds the actor to its slow copy."""
        if not learner.target_actor:
            raise RecipeError(
                "constraint TrustRegion holds the actor to its slow copy; "
                "set learner.target_actor=true"
            )

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition
    ) -> tuple[Array, dict[str, Array]]:
        """D []."""
        del key
        slow = jax.lax.stop_gradient(view.policy(batch.obs, target=True).mode())
        return squared_distance(view.policy(batch.obs, net).mode(), slow), {}


CONSTRAINT = "constraint"
"""The name under which a learned or controlled weight stands in the state."""
