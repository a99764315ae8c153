"""Dataset and online rows under one roof, the dataset's fading out as the epochs go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.dynamics import faded_share
from warmstart.ranges import Count, Positive
from warmstart.replay.resampled import LEAST, held_in
from warmstart.replay.rows import Layout
from warmstart.replay.sources import Drawn, Remembers, Stores, Wanted, pick, plain
from warmstart.state import key_for
from warmstart.types import Clock
from warmstart.values import register


@register
@dataclass(frozen=True)
class Faded(Remembers):
    """Rows by priority: 1 / (alpha t) for a dataset row, 1 for an online row (Mao et al. 2022).

    Attributes:
        alpha: how fast the dataset fades.
        epoch: environment steps of an epoch; t counts them from 1.

    Raises:
        RecipeError: an alpha that is not above 0, or an epoch of no steps.
    """

    reads_images: ClassVar[bool] = False

    alpha: Positive = 1.0
    epoch: Count = 1_000

    def share(self, clock: Clock, stores: Stores) -> Array:
        """The probability of an offline row now, []."""
        t = clock.env_steps // self.epoch + 1
        online = stores.ring.size.astype(jnp.float32)
        return faded_share(jnp.float32(stores.dataset.shape[0]), online, self.alpha, t)

    def draw(self, key: Array, clock: Clock, stores: Stores, memory: Any, want: Wanted) -> Drawn:
        """Rows [U, B, W]."""
        at = self.numbers(key, clock, stores, want.shape)
        return plain(rows_at(stores, at, want.layout), memory)

    def numbers(self, key: Array, clock: Clock, stores: Stores, shape: tuple[int, ...]) -> Array:
        """Numbers [*shape] of rows drawn by priority: the dataset's, behind them the ring's."""
        n = stores.dataset.shape[0]
        u = jax.random.uniform(key_for(key, "which"), shape)
        old = pick(key_for(key, "offline"), n, shape)
        new = n + pick(key_for(key, "online"), stores.ring.size, shape)
        return jnp.where(u < self.share(clock, stores), old, new)

    def learnt(self, key: Array, held: Array, clock: Clock, stores: Stores, want: Wanted) -> Any:
        """Rows [U, B, W] to learn from and their weights [U, B]: 0 for those that `held` keeps."""
        at, size = self.numbers(key, clock, stores, want.shape), self._stratum(stores, want)
        kept = at % size == held_in(held, at // size, size)
        return rows_at(stores, at, want.layout), 1.0 - kept.astype(jnp.float32)

    def held(self, held: Array, clock: Clock, stores: Stores, want: Wanted) -> Array:
        """The `apart` rows [H, W] that the key `held` keeps from learning, by priority."""
        at = self.numbers(key_for(held, "rows"), clock, stores, (want.apart,))
        size = self._stratum(stores, want)
        at = at // size * size + held_in(held, at // size, size)
        highest = stores.dataset.shape[0] + stores.ring.size - 1
        return rows_at(stores, jnp.minimum(at, highest), want.layout)

    def _stratum(self, stores: Stores, want: Wanted) -> Array:
        """Rows of which one is held out."""
        total = stores.dataset.shape[0] + stores.ring.size
        return jnp.maximum(LEAST, total // max(want.apart, 1))


def rows_at(stores: Stores, numbers: Array, layout: Layout) -> Array:
    """Rows [..., W] by their numbers among the dataset's and, behind them, the ring's by age."""
    n, ring = stores.dataset.shape[0], stores.ring
    place = (ring.added - ring.size + jnp.maximum(numbers - n, 0)) % ring.capacity
    old = stores.logged(jnp.minimum(numbers, n - 1), layout)
    return jnp.where((numbers < n)[..., None], old, stores.online(place, layout))
