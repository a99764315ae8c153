"""What one seed learns, as pure functions: a block of updates, and what crosses into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from warmstart.engine.diverged import first_bad
from warmstart.engine.shared import key_of, once
from warmstart.errors import RecipeError
from warmstart.learners import Grouped, Learner, LooksAhead, Metrics, Prepares
from warmstart.replay import Source, Stores, Wanted
from warmstart.replay.ring import Ring, empty_ring
from warmstart.replay.rows import Layout
from warmstart.state import State, key_for
from warmstart.types import Array, Clock, Transition


class Carry(NamedTuple):
    """What one seed's learning carries from call to call; the acting rule's memory is apart."""

    state: State
    ring: Ring
    source: Any
    sums: Metrics
    diverged: Array  # int32 [], the first update of this phase with a loss not finite, or 0


class Observed(NamedTuple):
    """A step that one seed's environment has taken."""

    row: Array  # [W], the transition
    ends: Array  # [], 1 where `row` ends an episode
    bootstrap: Array  # [], the return-to-go after that end
    score: Array  # [], normalised score of the episode that ended
    length: Array  # [], its steps
    pictures: Array | None = None  # [2, P] uint8, the images before and after it


class Owed(NamedTuple):
    """What a call of learning has to do, int32 scalars."""

    insert: Array  # 1: the row is a new transition
    updates: Array  # critic steps to take now


class Learning(NamedTuple):
    """What learning changes: the state, what the source remembers, the metric sums, and the first
    update whose loss was no finite number."""

    state: State
    source: Any
    sums: Metrics
    diverged: Array


@dataclass(frozen=True)
class Block:
    """A learner that draws from a source: what `learn` repeats. `layout` is of stored rows."""

    learner: Learner
    source: Source
    layout: Layout

    @property
    def drawn(self) -> Layout:
        """Of the rows that the source gives."""
        ahead = isinstance(self.learner, LooksAhead) and self.learner.reads_next_action
        return replace(self.layout, ahead=ahead, chunk=self.learner.chunk)

    def check_rows(self, state: Any, dataset: Any) -> None:
        """Refuse (RecipeError) a source that leaves out what the learner asks for.

        Of the state and the dataset, [N, W] or `Logged`, only shapes are looked at.
        """

        def draw(state: State, dataset: Any) -> Array:
            key, zero = jax.random.PRNGKey(0), jnp.int32(0)
            stores = Stores.of(dataset, empty_ring(8, self.layout.width))
            stores = stores._replace(view=self.learner.view(state))
            memory = self.source.init(key, stores, self.layout)
            clock = Clock(zero, zero, jnp.int32(1))
            return self.source.draw(key, clock, stores, memory, self.wanted()).rows

        self._require_width(jax.eval_shape(draw, state, dataset).shape[-1])

    def tried(self, state: State) -> tuple[State, Metrics]:
        """An update on rows of zeros, for its shapes."""
        axes = self.source.axes(self.learner.minibatches, self.learner.batch)
        rows, layout = jnp.zeros((*axes, self.drawn.width)), self.drawn
        blank = layout.pictured(
            layout.unpack(rows), lambda at: jnp.zeros((*at.shape, layout.pixels), jnp.uint8)
        )
        clock = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(1))
        return self.learner.update(jax.random.PRNGKey(0), clock, state, blank)

    def zeros(self, state: State) -> Metrics:
        """Metric sums of nothing, in the structure that an update returns."""
        leaves, structure = jax.tree.flatten(jax.tree.map(jax.typeof, state))
        key, double = key_of(self), jax.dtypes.canonicalize_dtype(float).name
        if key is not None:  # tracing an update takes longer than compiling what is made of it
            key = "metrics", key, structure, tuple(map(str, leaves)), double
        shapes = once(key, lambda: jax.eval_shape(self.tried, state)[1])
        return jax.tree.map(lambda x: jnp.zeros(x.shape, jnp.float32), shapes)

    def wanted(self) -> Wanted:
        """What an update asks of the source."""
        learner = self.learner
        want = Wanted((learner.minibatches, learner.batch), learner.finished_only, self.drawn)
        if isinstance(learner, Grouped):
            want = want._replace(groups=learner.groups, apart=learner.apart)
        return want

    def unpacked(self, rows: Array) -> Transition:
        """What was drawn, [..., W]. RecipeError where the source left something out."""
        self._require_width(rows.shape[-1])
        return self.drawn.unpack(rows)

    def _require_width(self, width: int) -> None:
        if width != self.drawn.width:
            chunk = self.drawn.chunk
            what = f"chunks of {chunk} steps" if chunk > 1 else "the action that was logged next"
            raise RecipeError(
                f"the learner reads {what}, and {type(self.source).__name__} gives rows without "
                f"{'them' if chunk > 1 else 'it'}; draw them by stores.logged and stores.online "
                "with want.layout"
            )

    def learn(
        self, key: Array, clock: Clock, learning: Learning, stores: Stores, n: Array
    ) -> Learning:
        """`n` critic steps (a multiple of the learner's minibatches); metrics join the sums."""
        u, want = self.learner.minibatches, self.wanted()

        def body(i: Array, now: Learning) -> Learning:
            at = clock._replace(updates=clock.updates + i * u)
            k = jax.random.fold_in(key, at.updates)
            state = now.state
            if isinstance(self.learner, Prepares):
                state = self.learner.prepare(key_for(k, "prepare"), at, state, stores, self.layout)
            seen = stores._replace(view=self.learner.view(state))
            drawn = self.source.draw(key_for(k, "batch"), at, seen, now.source, want)
            batch = stores.pictured(self.unpacked(drawn.rows), self.drawn)
            gate = drawn.gate.reshape(-1, *(1,) * (batch.gate.ndim - 1)) * batch.gate
            batch = batch._replace(gate=gate)
            state, metrics = self.learner.update(key_for(k, "update"), at, state, batch)
            sums = jax.tree.map(jnp.add, now.sums, metrics)
            bad = first_bad(now.diverged, metrics, at.updates + u)
            return Learning(state, drawn.memory, sums, bad)

        return jax.lax.fori_loop(0, n // u, body, learning)


def means(sums: Any) -> dict[str, float]:
    """Metric means of each group over the updates in which it took part, from sums on the host;
    nothing of a group that took part in none, as an actor whose step was not due yet."""
    out: dict[str, float] = {}
    for group in sums.values():
        if count := group["updates"]:
            told = {name: float(value / count) for name, value in group.items()}
            out |= {name: value for name, value in told.items() if name != "updates"}
    return out
