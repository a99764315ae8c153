"""What a batch is made of. A source draws rows inside the compiled update loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.replay.ring import Ring
from warmstart.state import key_for
from warmstart.types import Clock
from warmstart.values import register


class Stores(NamedTuple):
    """Where rows come from: the dataset, one array for all seeds, and the seed's own ring."""

    dataset: Array  # [N, W], or [1, W] of zeros where there is none
    ring: Ring


def _pick(key: Array, n: Array | int, shape: tuple[int, ...]) -> Array:
    """Uniform indices below n >= 1, i.i.d."""
    return jax.random.randint(key, shape, 0, jnp.maximum(n, 1))


@register
@dataclass(frozen=True)
class FromDataset:
    """Every row from the dataset: pre-training."""

    def draw(
        self, key: Array, clock: Clock, stores: Stores, shape: tuple[int, int], finished: bool
    ) -> Array:
        """Rows [U, B, W]."""
        del clock, finished
        return stores.dataset[_pick(key, stores.dataset.shape[0], shape)]


@register
@dataclass(frozen=True)
class FromRing:
    """Every row from the online buffer (which may have been preloaded with the dataset)."""

    def draw(
        self, key: Array, clock: Clock, stores: Stores, shape: tuple[int, int], finished: bool
    ) -> Array:
        """Rows [U, B, W]; `finished` draws rows of finished episodes only."""
        del clock
        ring = stores.ring
        # Counted from the oldest row that is still there: in a full ring the open episode stands
        # before it, on the places of the rows that it replaced.
        oldest = jnp.maximum(ring.added - ring.capacity, 0)
        n = (ring.closed if finished else ring.added) - oldest
        return ring.rows[(oldest + _pick(key, n, shape)) % ring.capacity]


@register
@dataclass(frozen=True)
class Mixed:
    """A fixed or annealed share of each minibatch from the dataset, the rest from the ring.

    Attributes:
        share: offline share at the first online step (RLPD 0.5; Ball et al. 2023, sec. 4.1).
        end: share at the end of the online budget, linear in between; None keeps `share`.
    """

    share: float = 0.5
    end: float | None = None

    def draw(
        self, key: Array, clock: Clock, stores: Stores, shape: tuple[int, int], finished: bool
    ) -> Array:
        """Rows [U, B, W]; the first rows of every minibatch are the offline ones."""
        b = shape[1]
        offline = FromDataset().draw(key_for(key, "offline"), clock, stores, shape, finished)
        online = FromRing().draw(key_for(key, "online"), clock, stores, shape, finished)
        if self.end is None:
            n = int(self.share * b)
            return jnp.concatenate([offline[:, :n], online[:, : b - n]], axis=1)
        done = clock.env_steps / jnp.maximum(clock.budget, 1)
        share = self.share + (self.end - self.share) * jnp.clip(done, 0.0, 1.0)
        return jnp.where((jnp.arange(b) < jnp.floor(share * b))[None, :, None], offline, online)


Source = FromDataset | FromRing | Mixed
