"""The policy expansion's choice by value, and the best of several candidates or draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.acting.rule import Forgets, Mode
from warmstart.parts.backup import reduced
from warmstart.parts.expansion import chosen
from warmstart.ranges import Count, Finite, NotNegative, Share
from warmstart.types import Clock, Step
from warmstart.values import register
from warmstart.views import View


@register
@dataclass(frozen=True)
class ByValue(Forgets):
    """The frozen pre-trained policy or the learner, by their values (Zhang et al. 2023, eq. 5).

    Attributes:
        inverse_temperature: 1 / alpha of the choice.
        epsilon: share of evaluation actions that are drawn and not greedy.

    Before the switch there is one policy only, and it acts.
    """

    inverse_temperature: NotNegative = 10.0
    epsilon: Share = 0.1

    reads: ClassVar[tuple[str, ...]] = ("actor", "critic", "pretrained")

    def __call__(
        self, key: Array, clock: Clock, view: View, memory: Any, step: Step, mode: Mode
    ) -> tuple[Array, Any]:
        """Actions [B, A] and the memory."""
        del clock
        if not view.guided:
            policy = view.policy(step.obs)
            return (policy.sample(key) if mode == "explore" else policy.mode()), memory
        epsilon = self.epsilon if mode == "evaluate" else None
        return chosen(key, view, step.obs, self.inverse_temperature, epsilon)[0], memory


@register
@dataclass(frozen=True)
class Optimistic(Forgets):
    """The best of several actions around the policy's (Mark et al. 2022).

    a = argmax_k mean_i Q_i(s, a_k) + optimism * std_i Q_i(s, a_k) over a_k = clip(mode + noise),
    noise N(0, sigma^2). The mode itself is among them, and acts alone in evaluation.
    """

    candidates: Count = 100
    sigma: NotNegative = 0.2
    optimism: Finite = 0.0

    reads: ClassVar[tuple[str, ...]] = ("actor", "critic")

    def __call__(
        self, key: Array, clock: Clock, view: View, memory: Any, step: Step, mode: Mode
    ) -> tuple[Array, Any]:
        """Actions [B, A] and the memory."""
        del clock
        centre = view.policy(step.obs).mode()
        if mode == "evaluate":
            return centre, memory
        noise = self.sigma * jax.random.normal(key, (self.candidates, *centre.shape))
        around = jnp.clip(centre + noise.at[0].set(0.0), -1.0, 1.0)
        q = view.critic().call_actions(view.obs(step.obs), around)  # [E, N, B]
        score = jnp.mean(q, axis=0) + self.optimism * jnp.std(q, axis=0)
        best = jnp.argmax(score, axis=0)
        return jnp.take_along_axis(around, best[None, :, None], axis=0)[0], memory


@register
@dataclass(frozen=True)
class BestOf(Forgets):
    """The best of several draws of the policy, in evaluation too (Hansen-Estruch et al. 2023).

    a = argmax_k Q(s, a_k), a_k ~ pi(.|s): a policy that only follows the data is improved when it
    acts.

    Attributes:
        candidates: how many.
        pessimism: the critics' mean less so many of their deviations; None: their minimum.
    """

    candidates: Count = 32
    pessimism: NotNegative | None = None

    reads: ClassVar = ("actor", "critic")

    def __call__(
        self, key: Array, clock: Clock, view: View, memory: Any, step: Step, mode: Mode
    ) -> tuple[Array, Any]:
        """Actions [B, A] and the memory."""
        del clock, mode
        drawn = view.policy(step.obs).sample(key, (self.candidates,))
        q = view.critic().call_actions(view.obs(step.obs), drawn)  # [E, N, B]
        best = jnp.argmax(reduced(q, self.pessimism), axis=0)
        return jnp.take_along_axis(drawn, best[None, :, None], axis=0)[0], memory
