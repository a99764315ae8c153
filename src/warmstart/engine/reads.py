"""Which part of a carry acting reads; what learning and inserting donate is never of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from warmstart.engine.online import Online
from warmstart.engine.phases import Carry
from warmstart.engine.seed_batch import SeedBatch, Shape
from warmstart.engine.shared import key_of, once
from warmstart.replay.ring import Ring
from warmstart.types import Clock, Step


@dataclass(frozen=True)
class Places:
    """Where the leaves of a carry stand: a value, that programs may hold."""

    tree: Any  # of the carry
    shapes: tuple[jax.ShapeDtypeStruct, ...]  # of one seed's leaves
    acting: tuple[int, ...]  # the leaves of the state and of the mark of divergence
    acting_tree: Any
    reads: tuple[int, ...]  # those of them that acting reads

    @property
    def keeps(self) -> list[int]:
        """The leaves that acting does not read."""
        return [i for i in range(len(self.shapes)) if i not in set(self.reads)]

    def state(self, read: list[Any]) -> tuple[Any, Any]:
        """The state as far as acting reads it, and the mark of divergence; zeros elsewhere."""
        known = dict(zip(self.reads, read, strict=True))
        shapes = {i: self.shapes[i] for i in self.acting if i not in known}
        known |= {i: jnp.zeros(s.shape, s.dtype) for i, s in shapes.items()}
        return self.acting_tree.unflatten([known[i] for i in self.acting])

    @property
    def rings(self) -> list[int]:
        """The leaves of the online buffer."""
        return jax.tree.leaves(self._numbered().ring)

    def ring(self, leaves: list[Any]) -> Ring:
        """The online buffer of its leaves."""
        return jax.tree.unflatten(jax.tree.structure(self._numbered().ring), leaves)

    def _numbered(self) -> Carry:
        return self.tree.unflatten(list(range(len(self.shapes))))

    def join(self, kept: list[Any], read: list[Any]) -> Carry:
        """A carry of its two parts."""
        leaves = dict(zip([*self.keeps, *self.reads], [*kept, *read], strict=True))
        return self.tree.unflatten([leaves[i] for i in range(len(leaves))])


class Parts:
    """Which leaves of a carry acting reads; the others are learning's alone."""

    def __init__(self, online: Online, carry: SeedBatch, memory: Any) -> None:
        tree, leaves = carry.shape.treedef, carry.leaves[0]
        shapes = tuple(
            jax.ShapeDtypeStruct(x.shape[1:] if carry.batched else x.shape, x.dtype) for x in leaves
        )
        carried: Carry = tree.unflatten(list(range(len(leaves))))
        acting, acting_tree = jax.tree.flatten((carried.state, carried.diverged))
        places = Places(tree, shapes, tuple(acting), acting_tree, ())
        key = key_of((online, places))
        reads = once(key and ("reads", key), lambda: self._found(online, places, memory))
        self.places: Places = Places(tree, shapes, tuple(acting), acting_tree, reads)
        self._keeps, self._rings = self.places.keeps, self.places.rings
        self._shape = {n: Shape(jax.tree.structure([0] * n)) for n in range(len(leaves) + 1)}

    @staticmethod
    def _found(online: Online, places: Places, memory: Any) -> tuple[int, ...]:
        """Places of the leaves that the acting program does not leave unused."""

        def act(leaves: list[Any], key: Any, memory: Any, obs: Any) -> Any:
            state, bad = places.acting_tree.unflatten(leaves)
            zero = jnp.int32(0)
            step = Step(obs[None], jnp.zeros(1), jnp.ones(1))
            clock, view = Clock(zero, zero, zero), online.learner.view(state)
            shown = online.acting(key, clock, view, memory, step, "evaluate")
            return bad, shown, online.act(key, clock, state, memory, step)

        leaves = [places.shapes[i] for i in places.acting]
        obs = jax.ShapeDtypeStruct((online.spec.obs_dim,), jnp.float32)
        key = jax.ShapeDtypeStruct((2,), jnp.uint32)
        program = jax.make_jaxpr(act)(leaves, key, memory, obs).jaxpr
        needed = {v for v in program.outvars if not isinstance(v, Literal)}
        for step in reversed(program.eqns):
            if needed.intersection(step.outvars):
                needed.update(v for v in step.invars if not isinstance(v, Literal))
        return tuple(i for i, v in zip(places.acting, program.invars, strict=False) if v in needed)

    def read(self, carry: SeedBatch) -> SeedBatch:
        """What acting reads of a carry."""
        return self._taken(carry, self.places.reads)

    def kept(self, carry: SeedBatch) -> SeedBatch:
        """What it does not."""
        return self._taken(carry, self._keeps)

    def ring(self, carry: SeedBatch) -> SeedBatch:
        """The online buffer."""
        return self._taken(carry, self._rings)

    def with_ring(self, carry: SeedBatch, ring: SeedBatch) -> SeedBatch:
        """The carry with another online buffer."""
        return carry.put(self._rings, ring)

    def diverged(self, carry: SeedBatch) -> bool:
        """Whether a loss of any seed was no finite number."""
        at = self.places.acting[-1]
        return any(np.asarray(own[at]).any() for own in carry.leaves)

    def _taken(self, carry: SeedBatch, places: Sequence[int]) -> SeedBatch:
        leaves = [[own[i] for i in places] for own in carry.leaves]
        return SeedBatch(self._shape[len(places)], leaves, carry.batched)
