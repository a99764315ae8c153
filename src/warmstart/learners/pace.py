"""How much of the rhythm's learning is done at a moment.

A pace gives the share, in [0, 1], of the critic steps that are due. Whole updates are taken, and
what is left over is taken with its own probability, so that the mean share is met exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.errors import RecipeError
from warmstart.ranges import Positive, Share
from warmstart.types import Clock, Transition
from warmstart.values import register
from warmstart.views import View


@register
@dataclass(frozen=True)
class Steady:
    """All of it, at all times."""


@register
@dataclass(frozen=True)
class Ramp:
    """A share that goes linearly from `start` to `end` over the online budget."""

    start: Share = 0.25
    end: Share = 1.0

    @property
    def anneals(self) -> bool:
        """Whether it changes over the run's length."""
        return self.start != self.end

    def share(self, view: View, clock: Clock, batch: Transition) -> Array:
        """The share [] now."""
        del view, batch
        done = clock.env_steps / jnp.maximum(clock.budget, 1)
        return self.start + (self.end - self.start) * jnp.clip(done, 0.0, 1.0)


@register
@dataclass(frozen=True)
class ByDisagreement:
    """Less learning where the critics disagree: min(1, bearable / d), at least `least`.

    d = E_s std_i Q_i(s, a) / E_s |mean_i Q_i(s, a)| over a batch of the replay: an ensemble that
    is drawn apart by many updates on few rows is let rest until there are more rows.
    """

    bearable: Positive = 0.1
    least: Share = 0.25

    def check(self, learner: Any) -> None:
        """Two critics are the least that can disagree; they judge the actions of single rows."""
        if learner.chunk > 1:
            raise RecipeError(
                "finetune.rhythm.pace=ByDisagreement reads the values of single actions, and these "
                f"critics judge chunks of {learner.chunk}; set finetune.rhythm.pace=Ramp"
            )
        if learner.critic is None or learner.critic.members < 2:
            raise RecipeError(
                "finetune.rhythm.pace=ByDisagreement needs at least two critics; "
                "set finetune.learner.critic.members=2, or finetune.rhythm.pace=Ramp"
            )

    def share(self, view: View, clock: Clock, batch: Transition) -> Array:
        """The share [] for the critics as they stand, on rows [B]."""
        del clock
        q = view.q(batch.obs, batch.action)
        size = jnp.mean(jnp.abs(jnp.mean(q, axis=0)))
        apart = jnp.mean(jnp.std(q, axis=0)) / jnp.maximum(size, 1e-6)
        return jnp.clip(self.bearable / jnp.maximum(apart, 1e-6), self.least, 1.0)


class Varies(Protocol):
    """A pace that varies."""

    def share(self, view: View, clock: Clock, batch: Transition) -> Array:
        """The share [] of what is due, for networks as they stand, on rows [B]."""
        ...


Pace = Steady | Varies
"""How many of the updates that are due are taken."""


def paced(key: Array, share: Array, due: Array, minibatches: int) -> Array:
    """Critic steps to take of those that are `due`: a multiple of `minibatches`, int32."""
    updates = share * due / minibatches
    extra = jax.random.uniform(key) < updates - jnp.floor(updates)
    return ((jnp.floor(updates) + extra) * minibatches).astype(jnp.int32)
