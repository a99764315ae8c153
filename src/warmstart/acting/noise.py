"""The policy's own draw, or its mode and noise. These rules remember nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.acting.rule import Forgets, Mode
from warmstart.ranges import NotNegative
from warmstart.types import Clock, Step
from warmstart.values import register
from warmstart.views import View


@register
@dataclass(frozen=True)
class Sampled(Forgets):
    """Explore with a draw from the policy, evaluate with its mode (SAC and its descendants).

    With `evaluate="sample"` it is evaluated by draws too, as policies are that have no mode (FQL).
    """

    evaluate: Literal["mode", "sample"] = "mode"

    reads: ClassVar[tuple[str, ...]] = ("actor",)

    def __call__(
        self, key: Array, clock: Clock, view: View, memory: Any, step: Step, mode: Mode
    ) -> tuple[Array, Any]:
        """Actions [B, A] and the memory."""
        del clock
        policy = view.policy(step.obs)
        draws = mode == "explore" or self.evaluate == "sample"
        return (policy.sample(key) if draws else policy.mode()), memory


@register
@dataclass(frozen=True)
class Noisy(Forgets):
    """Explore with the mode plus N(0, sigma^2), clipped to the box (TD3)."""

    sigma: NotNegative = 0.1

    reads: ClassVar[tuple[str, ...]] = ("actor",)

    def __call__(
        self, key: Array, clock: Clock, view: View, memory: Any, step: Step, mode: Mode
    ) -> tuple[Array, Any]:
        """Actions [B, A] and the memory."""
        del clock
        action = view.policy(step.obs).mode()
        if mode == "explore":
            noise = self.sigma * jax.random.normal(key, action.shape, action.dtype)
            action = jnp.clip(action + noise, -1.0, 1.0)
        return action, memory
