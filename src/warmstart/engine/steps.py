"""What `Stepper` compiles: acting, learning, and inserting alone, on parts of a carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from warmstart.acting import RemembersActions
from warmstart.engine.online import Online
from warmstart.engine.phases import Carry, Observed, Owed
from warmstart.engine.reads import Places
from warmstart.learners import Steady
from warmstart.replay.ring import Ring
from warmstart.types import Clock, Step


@dataclass(frozen=True)
class Steps:
    """The online programs on packed numbers, of one seed. A value: equal ones are one program."""

    online: Online
    places: Places

    def act(self, key: Any, read: Any, memory: Any, shown: Any, ints: Any) -> Any:
        """The exploring action [A] and the memory after it."""
        state, bad = self.places.state(read)
        clock = Clock(ints[2], ints[0], ints[1])
        step = Step(shown[None, :-2], shown[None, -2], shown[None, -1])
        action, memory = self.online.act(key, clock, state, memory, step)
        # After a loss that is no finite number there is no action: it is NaN, which nobody takes.
        return jnp.where(bad > 0, jnp.nan, action), memory

    def learn(self, key: Any, kept: Any, read: Any, dataset: Any, inputs: Any, ints: Any) -> Any:
        """The carry after a step that was observed, and what a pace let it take."""
        carry, seen = self.places.join(kept, read), self._seen(inputs)
        clock, owed = Clock(ints[3], ints[1], ints[2]), Owed(ints[0], ints[4])
        carry, n = self.online.learn(key, carry, dataset, seen, clock, owed)
        return carry, () if isinstance(self.online.pace, Steady) else n

    def insert(self, ring: Any, inputs: Any) -> Ring:
        """The ring after a step that was observed and owes no update: `learn`, but for the state
        and its optimisers, which a call would have to hand through."""
        return self.online.insert(self.places.ring(ring), self._seen(inputs), jnp.int32(1))

    def _seen(self, inputs: Any) -> Observed:
        inputs, pictures = inputs if isinstance(inputs, tuple) else (inputs, None)
        w = self.online.layout.width
        ends, bootstrap, score, length = (inputs[w + k] for k in range(4))
        return Observed(inputs[:w], ends, bootstrap, score, length, pictures)

    def cut(self, kept: Any, read: Any, bootstrap: Any) -> Carry:
        """The carry whose newest row is its episode's last, with its bootstrap return."""
        carry, online = self.places.join(kept, read), self.online
        ring, layout = carry.ring, online.layout
        at = (ring.added - 1) % ring.capacity
        ring = ring._replace(rows=ring.rows.at[at, layout.last].set(1.0))
        return carry._replace(ring=online.close(ring, bootstrap))

    def correct(self, memory: Any, action: Any) -> Any:
        """The memory after another action than the one that was chosen."""
        rule = self.online.acting
        assert isinstance(rule, RemembersActions)
        return rule.executed(memory, action[None])
