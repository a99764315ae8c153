"""The base policy at first, its correction more and more often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.acting.rule import Forgets, Mode
from warmstart.ranges import Whole
from warmstart.state import key_for
from warmstart.types import Clock, Step
from warmstart.values import register
from warmstart.views import View


@register
@dataclass(frozen=True)
class Progressive(Forgets):
    """Explore by the corrected action with probability min(step / over, 1), else by the base's.

    Yuan et al. 2025, section 4.2. Evaluation always corrects.

    Attributes:
        over: environment steps until every action is corrected; 0: all are.
    """

    over: Whole = 30_000

    reads: ClassVar[tuple[str, ...]] = ("actor",)
    needs_base: ClassVar[bool] = True

    def __call__(
        self, key: Array, clock: Clock, view: View, memory: Any, step: Step, mode: Mode
    ) -> tuple[Array, Any]:
        """Actions [B, A] and the memory."""
        policy: Any = view.policy(step.obs)
        if mode == "evaluate":
            return policy.mode(), memory
        action = policy.sample(key_for(key, "correction"))
        u = jax.random.uniform(key_for(key, "whose"), action.shape[:-1])
        corrects = u * self.over < clock.env_steps if self.over else jnp.ones_like(u) > 0
        return jnp.where(corrects[..., None], action, policy.base), memory
