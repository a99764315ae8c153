"""The newest rows in the order in which they came: what an on-policy learner reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array

from warmstart.errors import RecipeError
from warmstart.ranges import Count
from warmstart.replay.sources import Drawn, Remembers, Stores, Wanted, plain
from warmstart.types import Clock
from warmstart.values import register


@register
@dataclass(frozen=True)
class Newest(Remembers):
    """The last `rows` online rows, the oldest of them first, whole and unshuffled.

    For a learner that reads a rollout at a time; it makes minibatches of it by itself.
    """

    rows: Count = 2_048
    reads_dataset: ClassVar[bool] = False

    @property
    def logged(self) -> bool:
        """Never."""
        return False

    def check(self, learner: Any, before: Any) -> None:
        """It serves who learns from a rollout, and gives it at least a minibatch."""
        del before
        if not getattr(learner, "on_policy", False):
            what = "windows of an episode" if learner.windows else "rows in no order"
            other = "Windows" if learner.windows else "FromRing"
            raise RecipeError(
                f"replay.source=Newest gives a rollout in the order of time, and "
                f"{type(learner).__name__} learns from {what}; set replay.source={other}"
            )
        if self.rows < learner.batch:
            raise RecipeError(
                f"a rollout of {self.rows} rows is less than one minibatch of {learner.batch}; set "
                f"finetune.learner.batch={self.rows} or less"
            )

    def axes(self, u: int, b: int) -> tuple[int, ...]:
        """[U, N], whatever B."""
        del b
        return u, self.rows

    def draw(self, key: Array, clock: Clock, stores: Stores, memory: Any, want: Wanted) -> Drawn:
        """Rows [U, N, W], the same for each U."""
        del key, clock
        number = stores.ring.added - self.rows + jnp.arange(self.rows)
        rows = stores.online(number % stores.ring.capacity, want.layout)
        return plain(jnp.broadcast_to(rows, (want.shape[0], *rows.shape)), memory)
