"""Windows of an episode instead of single rows: what sequence models need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array

from warmstart.ranges import Count, Share
from warmstart.replay.rows import Layout
from warmstart.replay.sources import (
    Drawn,
    Remembers,
    Stores,
    Wanted,
    need_a_row,
    pick,
    plain,
    whole_rows,
)
from warmstart.state import key_for
from warmstart.types import Clock
from warmstart.values import register


@register
@dataclass(frozen=True)
class Windows(Remembers):
    """Up to `length` rows in a row of one episode, from a uniform start to its end at the latest.

    An episode is so drawn in proportion to its length (Chen et al. 2021; Zheng et al. 2022). A
    shorter window stands at the end of its places; those before it are zeros with t = -1.

    Attributes:
        length: T.
        share: of each minibatch from the dataset, the rest from the ring, in whole windows.
    """

    reads_images: ClassVar[bool] = False

    length: Count = 20
    share: Share = 1.0

    def check(self, learner: Any, before: Any) -> None:
        """The share is at least one window."""
        del before
        need_a_row(self.share, learner.batch)

    @property
    def logged(self) -> bool:
        """Whether the share is above 0."""
        return self.share > 0.0

    def axes(self, u: int, b: int) -> tuple[int, ...]:
        """[U, B, T]."""
        return u, b, self.length

    def draw(self, key: Array, clock: Clock, stores: Stores, memory: Any, want: Wanted) -> Drawn:
        """Rows [U, B, T, W]; the first windows of every minibatch are the offline ones."""
        del clock
        u, b = want.shape
        n, parts = whole_rows(self.share, b), []
        if n:
            data, zero = stores.dataset, jnp.zeros((), jnp.int32)
            offline = key_for(key, "offline"), data, zero, jnp.int32(data.shape[0])
            parts.append(cut(*offline, (u, n), self.length, want.layout))
        if n < b:
            ring = stores.ring
            oldest = jnp.maximum(ring.added - ring.capacity, 0)
            stop = ring.closed if want.finished else ring.added
            online = key_for(key, "online"), ring.rows, oldest, stop
            parts.append(cut(*online, (u, b - n), self.length, want.layout))
        return plain(jnp.concatenate(parts, axis=1), memory)


def cut(
    key: Array,
    rows: Array,
    oldest: Array,
    stop: Array,
    shape: tuple[int, int],
    length: int,
    layout: Layout,
) -> Array:
    """Windows [*shape, T, W] of the rows numbered `oldest` to `stop`; number i stands at i % C."""
    capacity, steps = rows.shape[0], jnp.arange(length)
    start = oldest + pick(key, stop - oldest, shape)[..., None]  # [*shape, 1]
    last = rows[(start + steps) % capacity, layout.last]
    over = jnp.cumsum(last, axis=-1) - last > 0  # an episode ended before this step
    size = jnp.sum(~over & (start + steps < stop), axis=-1, keepdims=True)
    place = steps - (length - size)  # which step of the window stands here
    nothing = jnp.zeros(layout.width).at[layout.t].set(-1.0)
    found = rows[(start + jnp.maximum(place, 0)) % capacity]
    return jnp.where((place >= 0)[..., None], found, nothing)
