"""How a state-value network is fitted, where a method has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import Array

from warmstart.equations.policy import expectile_loss
from warmstart.types import Transition
from warmstart.values import register
from warmstart.views import View


@register
@dataclass(frozen=True)
class Expectile:
    """V(s) as an upper expectile of min Q'(s, a) over the data (Kostrikov et al. 2022, eq. 5)."""

    expectile: float = 0.7

    def __call__(self, view: View, net: Any, batch: Transition) -> tuple[Array, dict[str, Array]]:
        """The loss [] and the mean value."""
        q = jnp.min(view.q(batch.obs, batch.action, target=True), axis=0)
        value = view.value(batch.obs, net)
        loss = expectile_loss(q - value, self.expectile)
        return loss, {"value_loss": loss, "value_mean": jnp.mean(value)}
