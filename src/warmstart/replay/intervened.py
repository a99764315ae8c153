"""A share of every batch for the rows in which a human acted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from warmstart.errors import RecipeError
from warmstart.ranges import Count, Share
from warmstart.replay.rows import INTERVENED, Layout
from warmstart.replay.sources import (
    Drawn,
    FromRing,
    Remembers,
    Source,
    Stores,
    Wanted,
    need_a_row,
    pick,
    whole_rows,
)
from warmstart.state import key_for
from warmstart.types import Clock
from warmstart.values import register


class Marked(NamedTuple):
    """What the source remembers."""

    numbers: Array  # [K] int32, numbers of marked rows, a ring; counted as `Ring.added` counts
    count: Array  # [] int32, marked rows that were ever seen
    first: Array  # [] int32, the oldest of them that is still in the ring of rows
    seen: Array  # [] int32, rows that were looked at
    inner: Any  # what the other source remembers


@register
@dataclass(frozen=True)
class Intervened(Remembers):
    """A share of marked rows in each minibatch, once there are any; the rest from another source.

    Marked is a row whose action a human chose (`info["intervention"]`). The share is drawn from the
    marked rows of the ring alone; they are among the other source's rows as well. Until there is a
    marked row the whole minibatch is the other source's. HG-DAgger and SERL keep what humans did in
    a buffer of its own; here it is a view of the ring, so that rows are stored once.

    Attributes:
        share: of each minibatch, rounded down to whole rows.
        source: where the rest comes from.
        most: how many marked rows are known at a time, the newest.

    Raises:
        RecipeError: a source of windows.
    """

    share: Share = 0.25
    source: Source = field(default_factory=FromRing)
    most: Count = 100_000

    def __post_init__(self) -> None:
        if len(self.source.axes(1, 1)) == 3:
            raise RecipeError(
                f"source Intervened shares single rows, and {type(self.source).__name__} draws "
                "windows; leave --intervened-share (in Python intervened_share=) out"
            )
        object.__setattr__(self, "reads_dataset", self.source.reads_dataset)

    def check(self, learner: Any, before: Any) -> None:
        """At least one row, of a minibatch that is drawn for all networks alike."""
        need_a_row(self.share, learner.batch)
        if getattr(learner, "groups", 1) > 1 or getattr(learner, "on_policy", False):
            raise RecipeError(
                f"source Intervened shares batches that all networks see, in any order, and "
                f"{type(learner).__name__} has rows for each network, or reads them in the order "
                "of time; leave --intervened-share (in Python intervened_share=) out"
            )
        self.source.check(learner, before)

    @property
    def logged(self) -> bool:
        """As the other source."""
        return self.source.logged

    def init(self, key: Array, stores: Stores, layout: Layout) -> Marked:
        """No marked row."""
        zero = jnp.int32(0)
        inner = self.source.init(key, stores, layout)
        return Marked(jnp.zeros(self.most, jnp.int32), zero, zero, zero, inner)

    def draw(self, key: Array, clock: Clock, stores: Stores, memory: Marked, want: Wanted) -> Drawn:
        """Rows [U, B, W]; the marked ones are spread evenly over each minibatch, so that every
        part of a mixed one gives up its share."""
        u, b = want.shape
        n = whole_rows(self.share, b)
        memory, ring = self._looked(stores, memory, want), stores.ring
        drawn = self.source.draw(key, clock, stores, memory.inner, want)
        memory = memory._replace(inner=drawn.memory)
        at = memory.first + pick(key_for(key, "intervened"), memory.count - memory.first, (u, n))
        places = memory.numbers[at % self.most] % ring.capacity
        marked = stores.online(places, want.layout)
        spread = np.arange(n) * b // n
        there = jnp.where(memory.count > memory.first, marked, drawn.rows[:, spread])
        return Drawn(drawn.rows.at[:, spread].set(there), drawn.gate, memory)

    def _looked(self, stores: Stores, memory: Marked, want: Wanted) -> Marked:
        """The memory after the rows that are new since the last draw."""
        ring, column = stores.ring, want.layout.online
        oldest = jnp.maximum(ring.added - ring.capacity, 0)
        until = ring.closed if want.finished else ring.added

        def note(number: Array, memory: Marked) -> Marked:
            mark = ring.rows[number % ring.capacity, column] == INTERVENED
            at = memory.count % self.most
            known = jnp.where(mark, number, memory.numbers[at])
            numbers = memory.numbers.at[at].set(known)
            return memory._replace(numbers=numbers, count=memory.count + mark)

        memory = jax.lax.fori_loop(jnp.maximum(memory.seen, oldest), until, note, memory)
        first = jnp.maximum(memory.first, memory.count - self.most)

        def gone(first: Array) -> Array:
            return (first < memory.count) & (memory.numbers[first % self.most] < oldest)

        first = jax.lax.while_loop(gone, lambda first: first + 1, first)
        return memory._replace(first=first, seen=jnp.maximum(memory.seen, until))
