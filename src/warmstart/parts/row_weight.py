"""How much each row of a batch counts in the critics' loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.errors import RecipeError
from warmstart.ranges import NotNegative
from warmstart.types import Transition
from warmstart.values import register
from warmstart.views import View


class RowWeight(Protocol):
    """A weight for each row of the TD error."""

    def __call__(self, key: Array, view: View, batch: Transition) -> Array | None:
        """Weights [B]; None: every row counts alike."""
        ...


@register
@dataclass(frozen=True)
class EvenRows:
    """Every row counts alike."""

    def __call__(self, key: Array, view: View, batch: Transition) -> Array | None:
        """See `RowWeight`."""
        del key, view, batch
        return None


@register
@dataclass(frozen=True)
class CertainRows:
    """Rows count less where the slow critics disagree about what comes next (SUNRISE).

    w = sigmoid(-temperature std_i Q'_i(s', a')) + 1/2, a' ~ pi(.|s'), in [1/2, 1] (Lee et al. 2021,
    eq. 5); 1 where the row terminates and the target holds no value. Their temperature is 10 or 20
    on rewards of a few units a step.
    """

    temperature: NotNegative = 10.0

    def __call__(self, key: Array, view: View, batch: Transition) -> Array | None:
        """See `RowWeight`."""
        action = view.policy(batch.next_obs).sample(key)
        q = view.q(batch.next_obs, action, target=True)  # [E, B]
        apart = jnp.std(q, axis=0) * batch.mask
        return jax.lax.stop_gradient(jax.nn.sigmoid(-self.temperature * apart) + 0.5)

    def check(self, learner: Any) -> None:
        """Two critics are the least that can disagree."""
        if learner.critic is None or learner.critic.members < 2:
            raise RecipeError(
                "row_weight=CertainRows needs at least two critics; set "
                "learner.critic.members=2, or learner.row_weight=EvenRows"
            )
