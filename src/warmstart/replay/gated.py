"""APL's two buffers: the newest rows, and everything that there ever was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.ranges import Count, Share, Whole
from warmstart.replay.sources import Drawn, Remembers, Stores, Wanted, pick
from warmstart.state import key_for
from warmstart.types import Clock
from warmstart.values import register


@register
@dataclass(frozen=True)
class Gated(Remembers):
    """Each minibatch whole from the newest online rows, or from dataset and online rows together.

    The first has gate 0 (ordinary losses), the second gate 1 (conservative ones): Zheng et al.
    2023, eq. 4. Neither buffer is a copy: both are views of the dataset and the ring.

    Attributes:
        online: probability of the newest rows.
        newest: how many rows those are.
        after: environment steps before which only the second buffer is drawn from.
    """

    online: Share = 0.5
    newest: Count = 20_000
    after: Whole = 10_000

    def draw(self, key: Array, clock: Clock, stores: Stores, memory: Any, want: Wanted) -> Drawn:
        """Rows [U, B, W], and the gate [U]."""
        ring, data = stores.ring, stores.dataset.shape[0]
        u = jax.random.uniform(key_for(key, "which"), want.shape[:1])
        fresh = (u < self.online) & (clock.env_steps >= self.after) & (ring.added > 0)
        held = ring.size - ring.skipped
        recent = jnp.minimum(held, self.newest)
        near = held - 1 - pick(key_for(key, "newest"), recent, want.shape)
        either = pick(key_for(key, "all"), data + held, want.shape)
        from_ring = fresh[:, None] | (either >= data)
        k = jnp.maximum(jnp.where(fresh[:, None], near, either - data), 0)
        rows = jnp.where(
            from_ring[..., None],
            stores.online(ring.place(k), want.layout),
            stores.logged(jnp.minimum(either, data - 1), want.layout),
        )
        return Drawn(rows, 1.0 - fresh.astype(jnp.float32), memory)
