"""How a state-value network is fitted, where a method has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.alignment import aligned_target
from warmstart.equations.policy import expectile_loss
from warmstart.parts.needs import need_baselines, need_value
from warmstart.ranges import Share
from warmstart.types import Transition
from warmstart.values import register
from warmstart.views import View


class ValueFit(Protocol):
    """How the value network is fitted. One that reads returns-to-go says `reads_returns = True`."""

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition, alpha: Array, discount: float
    ) -> tuple[Array, dict[str, Array]]:
        """The loss [] of the value network `net`, and what is to be logged."""
        ...


@register
@dataclass(frozen=True)
class Expectile:
    """V(s) as an upper expectile of min Q'(s, a) over the data (Kostrikov et al. 2022, eq. 5)."""

    expectile: Share = 0.7

    def check(self, learner: Any) -> None:
        """It fits one state value."""
        need_value(learner, "value_fit=Expectile")

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition, alpha: Array, discount: float
    ) -> tuple[Array, dict[str, Array]]:
        """The loss [] and the mean value."""
        del key, alpha, discount
        q = jnp.min(view.q(batch.obs, batch.action, target=True), axis=0)
        value = view.value(batch.obs, net)
        loss = expectile_loss(q - value, self.expectile)
        return loss, {"value_loss": loss, "value_mean": jnp.mean(value)}


@register
@dataclass(frozen=True)
class ToReturns:
    """V(s) regressed to the return-to-go of the rows where it is known: the data's own value.

    Cal-QL's reference value from a function approximator (Nakamoto et al. 2023, sec. 5.2).
    """

    reads_returns: ClassVar[bool] = True

    def check(self, learner: Any) -> None:
        """It fits one state value."""
        need_value(learner, "value_fit=ToReturns", "ToReturns")

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition, alpha: Array, discount: float
    ) -> tuple[Array, dict[str, Array]]:
        """The loss [] and the mean value."""
        del key, alpha, discount
        known = jnp.isfinite(batch.return_to_go)
        value = view.value(batch.obs, net)
        error = jnp.where(known, value - jnp.where(known, batch.return_to_go, 0.0), 0.0)
        loss = jnp.sum(error**2) / jnp.maximum(jnp.sum(known), 1)
        return loss, {"value_loss": loss, "value_mean": jnp.mean(value)}


@register
@dataclass(frozen=True)
class AlignedBaseline:
    """Z_i(s) such that log pi(a|s) + Z_i(s) is a critic (Yu & Zhang 2023, released code).

    Regressed to r + gamma m [log pi(a'|s') + min_j Z_j(s') - alpha log pi(a'|s')] with the
    networks as they stand: there is no slow copy of Z.
    """

    def check(self, learner: Any) -> None:
        """It fits an ensemble of baselines."""
        need_baselines(learner, "value_fit=AlignedBaseline")

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition, alpha: Array, discount: float
    ) -> tuple[Array, dict[str, Array]]:
        """The loss [] and the mean baseline."""
        here = view.policy(batch.obs).log_prob(batch.action)
        _, there = view.policy(batch.next_obs).sample_with_log_prob(key)
        after = jnp.min(view.baselines(batch.next_obs), axis=0)
        target = aligned_target(batch.reward, batch.mask, discount, after, there, alpha)
        z = view.baselines(batch.obs, net)
        loss = jnp.mean((jax.lax.stop_gradient(here) + z - jax.lax.stop_gradient(target)) ** 2)
        return loss, {"value_loss": loss, "value_mean": jnp.mean(z)}
