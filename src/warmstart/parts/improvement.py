"""What the actor climbs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.ensemble import pairwise_minimum, pessimistic_climb, smallest
from warmstart.equations.policy import (
    advantage_weight,
    deterministic_policy_loss,
    limit_gradient,
    regression_loss,
    soft_policy_loss,
    softmax_weight,
)
from warmstart.errors import RecipeError
from warmstart.parts.needs import need_density, need_value
from warmstart.ranges import NotNegative, Positive
from warmstart.state import key_for
from warmstart.types import Transition
from warmstart.values import register
from warmstart.views import View

Aggregate = Literal["min", "mean", "first", "pairs"]


class Improvement(Protocol):
    """What the actor climbs.

    One that climbs its critics and reports `entropy` says so (`climbs = True`): the actor may then
    begin with cloning.
    """

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition, alpha: Array
    ) -> tuple[Array, dict[str, Array]]:
        """The loss [] of the actor `net`, and what is to be logged."""
        ...


@register
@dataclass(frozen=True)
class NoImprovement:
    """The zero part: the actor follows its constraint alone (behaviour cloning)."""

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition, alpha: Array
    ) -> tuple[Array, dict[str, Array]]:
        """Zero."""
        del key, view, net, batch, alpha
        return jnp.zeros(()), {}


@register
@dataclass(frozen=True)
class MaximiseQ:
    """Climb the critic: SAC's and TD3's actor objective.

    Attributes:
        aggregate: what the actor sees of an ensemble: "min" (SAC, WSRL), "mean" (REDQ, RLPD),
            "first" (TD3) or "pairs", the mean over agents of their two critics' minimum (Off2On).
        normalise: divide Q by its mean absolute value over the batch, a constant
            (TD3-BC; Fujimoto & Gu 2021, eq. 5).
        action_clip: bound of each sample's dL/da, the critic's pull on the action; None: none
            (TD3-C; Luo et al. 2023, appendix B).
        scale: multiply the whole loss, entropy and all, by scale / mean|Q|, a constant (ACA's
            lambda; Yu & Zhang 2023, released code); None: not.
        pessimism: deviations of the critics that are taken off the "mean".
    """

    aggregate: Aggregate = "min"
    normalise: bool = False
    action_clip: Positive | None = None
    scale: Positive | None = None
    pessimism: NotNegative = 0.0
    climbs: ClassVar[bool] = True

    def check(self, learner: Any) -> None:
        """Pessimism is counted from the mean."""
        del learner
        if self.pessimism and self.aggregate != "mean":
            raise RecipeError(
                "improvement.pessimism is taken off the critics' mean, and the actor sees "
                f"aggregate={self.aggregate}; set learner.improvement.aggregate=mean or "
                "learner.improvement.pessimism=0"
            )

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition, alpha: Array
    ) -> tuple[Array, dict[str, Array]]:
        """The loss [], and the entropy of a stochastic policy."""
        policy = view.policy(batch.obs, net)
        info = {}
        if policy.has_density:
            action, log_prob = policy.sample_with_log_prob(key_for(key, "policy"))
            info["entropy"] = -jnp.mean(log_prob)
        else:
            action, log_prob = policy.sample(key_for(key, "policy")), None
        if self.action_clip is not None:
            action = limit_gradient(action, self.action_clip)
        members = jnp.zeros(1, jnp.int32) if self.aggregate == "first" else None
        q = view.critic(members=members)(view.obs(batch.obs), action)
        if self.aggregate == "pairs":
            q = pairwise_minimum(q)
        if self.pessimism:
            q = pessimistic_climb(q, self.pessimism)
        else:
            q = jnp.mean(q, axis=0) if self.aggregate in ("mean", "pairs") else smallest(q)
        info["actor_q"] = jnp.mean(q)
        if self.normalise:
            q = q / jax.lax.stop_gradient(jnp.mean(jnp.abs(q)))
        if log_prob is None:
            loss = deterministic_policy_loss(q)
        else:
            loss = soft_policy_loss(log_prob, q, alpha)
        if self.scale is not None:
            loss = loss * self.scale / jax.lax.stop_gradient(jnp.mean(jnp.abs(q)))
        return loss, info


@register
@dataclass(frozen=True)
class AdvantageRegression:
    """Regress on the batch's actions, weighted by exp(beta A), A = min Q'(s, a) - V(s).

    Kostrikov et al. 2022, eq. 7; weights are constants and at most `clip`.
    """

    beta: NotNegative = 3.0
    clip: Positive = 100.0
    reads_value: ClassVar[bool] = True

    def check(self, learner: Any) -> None:
        """It reads log-densities and one state value."""
        need_density(learner, "improvement AdvantageRegression")
        need_value(learner, "improvement AdvantageRegression")

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition, alpha: Array
    ) -> tuple[Array, dict[str, Array]]:
        """The loss [], and the mean weight."""
        del key, alpha
        q = jnp.min(view.q(batch.obs, batch.action, target=True), axis=0)
        advantage = q - view.value(batch.obs)
        weight = jax.lax.stop_gradient(advantage_weight(advantage, self.beta, self.clip))
        log_prob = view.policy(batch.obs, net).log_prob(batch.action)
        return regression_loss(weight, log_prob), {"advantage_weight": jnp.mean(weight)}


@register
@dataclass(frozen=True)
class PolicyAdvantage:
    """Regress on the batch's actions by A = min Q(s, a) - min Q(s, a_pi) (Nair et al. 2020, eq. 9).

    Attributes:
        temperature: lambda in exp(A / lambda).
        form: "exp", at most `clip`, or "softmax" over the batch (the authors' code).
        clip: largest weight of "exp".
        baseline: a_pi is a "sample" of the policy or its "mode".
    """

    temperature: Positive = 1.0
    form: Literal["exp", "softmax"] = "exp"
    clip: Positive = 100.0
    baseline: Literal["sample", "mode"] = "sample"

    def check(self, learner: Any) -> None:
        """It reads log-densities."""
        need_density(learner, "improvement PolicyAdvantage")

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition, alpha: Array
    ) -> tuple[Array, dict[str, Array]]:
        """The loss [], and the mean weight."""
        del alpha
        now, policy = view.policy(batch.obs), view.policy(batch.obs, net)
        own = now.mode() if self.baseline == "mode" else now.sample(key_for(key, "baseline"))
        value = jnp.min(view.q(batch.obs, own), axis=0)
        advantage = jnp.min(view.q(batch.obs, batch.action), axis=0) - value
        if self.form == "softmax":
            weight = softmax_weight(advantage, self.temperature)
        else:
            weight = advantage_weight(advantage, 1.0 / self.temperature, self.clip)
        weight = jax.lax.stop_gradient(weight)
        loss = regression_loss(weight, policy.log_prob(batch.action))
        return loss, {"advantage_weight": jnp.mean(weight), "advantage": jnp.mean(advantage)}
