"""The online buffer of one seed: a ring of rows, first in, first out."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from warmstart.replay.frames import Frames
from warmstart.replay.rows import Layout
from warmstart.types import Array


class Ring(NamedTuple):
    """`rows[: min(added, C)]` are valid; the next row goes to `added % C`.

    `added` counts every row since the start, `closed` those that belong to finished episodes.
    """

    rows: Array  # [C, W]
    added: Array  # [] int32
    closed: Array  # [] int32
    frames: Frames | None = None  # where rows have images

    @property
    def capacity(self) -> int:
        """C."""
        return self.rows.shape[0]

    @property
    def size(self) -> Array:
        """Valid rows now, [] int32."""
        return jnp.minimum(self.added, self.capacity)

    @property
    def oldest(self) -> Array:
        """The row that stands there longest, counted as `added` does, [] int32."""
        return jnp.maximum(self.added - self.capacity, 0)

    @property
    def skipped(self) -> Array | int:
        """Rows that stand there and whose images do not any more; behind `frames.kept`."""
        if self.frames is None:
            return 0
        return jnp.maximum(self.frames.first - jnp.maximum(self.oldest, self.frames.kept), 0)

    def place(self, k: Array) -> Array:
        """Where the `k`-th [...] of the rows that can be drawn stands, counted from the oldest.

        In a full ring the open episode stands before it, on the places of the rows it replaced.
        """
        number = self.oldest + k
        if self.frames is not None:
            number = number + jnp.where(number >= self.frames.kept, self.skipped, 0)
        return number % self.capacity


def empty_ring(capacity: int, width: int, frames: Frames | None = None) -> Ring:
    """A ring without rows."""
    zero = jnp.zeros((), jnp.int32)
    return Ring(jnp.zeros((capacity, width), jnp.float32), zero, zero, frames)


def push(ring: Ring, row: Array, really: Array) -> Ring:
    """Write one row [W]; where `really` is 0 the ring stays as it is."""
    at = ring.added % ring.capacity
    old = jax.lax.dynamic_slice(ring.rows, (at, 0), (1, ring.rows.shape[1]))
    new = jnp.where(really > 0, row[None], old)
    rows = jax.lax.dynamic_update_slice(ring.rows, new, (at, 0))
    return ring._replace(rows=rows, added=ring.added + really.astype(jnp.int32))


def close(ring: Ring, layout: Layout, discount: float, bootstrap: Array, horizon: int) -> Ring:
    """Write the returns-to-go of the episode that ends with the newest row.

    G_t = r_t + gamma * m_t * G_{t+1}, backwards over at most `horizon` rows; `bootstrap` [] is
    G after the last row of a truncated episode. An episode longer than the ring loses its start.
    """
    newest = ring.added - 1
    steps = jnp.arange(min(horizon, ring.capacity))
    at = (newest - steps) % ring.capacity
    rows = layout.unpack(ring.rows[at])
    inside = steps <= rows.t[0]

    def chain(later: tuple[Array, Array], here: tuple[Array, Array]) -> tuple[Array, Array]:
        # G = r + d * G', as the composition of affine maps: a scan of logarithmic depth.
        return later[0] * here[0], here[1] + here[0] * later[1]

    slope, intercept = jax.lax.associative_scan(chain, (discount * rows.mask, rows.reward))
    returns = intercept + slope * bootstrap
    column = layout.return_to_go
    new = jnp.where(inside, returns, ring.rows[at, column])
    return ring._replace(rows=ring.rows.at[at, column].set(new), closed=ring.added)
