"""Two policies and one choice between them (Zhang et al. 2023, sec. 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.policy import advantage_weight, regression_loss
from warmstart.parts.needs import need_density, need_value
from warmstart.ranges import NotNegative, Positive
from warmstart.state import key_for
from warmstart.types import Transition
from warmstart.values import register
from warmstart.views import View


def chosen(
    key: Array, view: View, obs: Array, inverse_temperature: float, epsilon: float | None = None
) -> tuple[Array, Array]:
    """The frozen policy's mode or the learner's draw, by their values.

    P(i) is proportional to exp(min_j Q_j(s, a_i) * inverse_temperature) (Zhang et al. 2023, eq. 5).
    With `epsilon` (evaluation) both the learner's action and the choice are greedy with
    probability 1 - epsilon. Returns actions [B, A] and the index [B]: 1 is the learner.
    """
    policy = view.policy(obs)
    own = policy.sample(key_for(key, "own"))
    if epsilon is not None:
        greedy = jax.random.uniform(key_for(key, "greedy action"), own.shape[:1]) >= epsilon
        own = jnp.where(greedy[:, None], policy.mode(), own)
    both = jnp.stack([view.pretrained(obs).mode(), own])  # [2, B, A]
    q = jnp.min(view.critic().call_actions(view.obs(obs), both), axis=0)  # [2, B]
    index = jax.random.categorical(key_for(key, "choice"), q * inverse_temperature, axis=0)
    if epsilon is not None:
        greedy = jax.random.uniform(key_for(key, "greedy choice"), index.shape) >= epsilon
        index = jnp.where(greedy, jnp.argmax(q, axis=0), index)
    return jnp.where(index[:, None] > 0, both[1], both[0]), index


@register
@dataclass(frozen=True)
class ExpansionRegression:
    """Regress the new policy on the composite's own actions, weighted by exp(beta A).

    A = min Q'(s, a) - V(s) at the chosen action, the weight at most `clip`; the batch's actions
    are not looked at (released PEX code).
    """

    beta: NotNegative = 10.0
    clip: Positive = 100.0
    inverse_temperature: NotNegative = 10.0
    needs_pretrained: ClassVar[bool] = True
    reads_value: ClassVar[bool] = True

    def check(self, learner: Any) -> None:
        """It reads log-densities and one state value."""
        need_density(learner, "improvement ExpansionRegression")
        need_value(learner, "improvement ExpansionRegression")

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition, alpha: Array
    ) -> tuple[Array, dict[str, Array]]:
        """The loss [], the mean weight, and how often the learner is chosen."""
        del alpha
        action, index = chosen(key, view, batch.obs, self.inverse_temperature)
        q = jnp.min(view.q(batch.obs, action, target=True), axis=0)
        weight = advantage_weight(q - view.value(batch.obs), self.beta, self.clip)
        weight, action = jax.lax.stop_gradient((weight, action))
        log_prob = view.policy(batch.obs, net).log_prob(action)
        info = {"advantage_weight": jnp.mean(weight), "learner_chosen": jnp.mean(index * 1.0)}
        return regression_loss(weight, log_prob), info
