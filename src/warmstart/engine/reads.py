"""Which part of a carry acting reads; what learning and inserting donate is never of it, and
crosses into their programs packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from warmstart.engine.online import Online
from warmstart.engine.packing import Packing
from warmstart.engine.phases import Carry
from warmstart.engine.seed_batch import SeedBatch, Shape
from warmstart.engine.seeds import Seeds
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
    packs: bool = False  # whether the small ones of the others cross together

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

    @property
    def packing(self) -> Packing:
        """How the leaves that acting does not read cross; the online buffer's as they are."""
        keeps, rings = self.keeps, set(self.rings)
        apart = tuple(k for k, i in enumerate(keeps) if i in rings or not self.packs)
        return Packing(tuple(self.shapes[i] for i in keeps), apart)

    def join(self, kept: list[Any], read: list[Any]) -> Carry:
        """A carry of its two parts, the first one packed."""
        return self.tree.unflatten(self.ordered(self.packing.unpack(kept), read))

    def parted(self, carry: Carry) -> tuple[list[Any], list[Any]]:
        """The inverse."""
        leaves = jax.tree.leaves(carry)
        kept = self.packing.pack([leaves[i] for i in self.keeps])
        return kept, [leaves[i] for i in self.reads]

    def ordered(self, kept: Sequence[Any], read: Sequence[Any]) -> list[Any]:
        """The leaves of a carry of those of its two parts."""
        leaves = dict(zip([*self.keeps, *self.reads], [*kept, *read], strict=True))
        return [leaves[i] for i in range(len(leaves))]


class Carried(SeedBatch):
    """The carries of all seeds in two parts, as learning gives and takes them.

    They are taken apart into the leaves of a carry where somebody looks at these.
    """

    def __init__(self, parts: Parts, kept: SeedBatch, read: SeedBatch) -> None:
        self.shape: Shape = parts.shape
        self.batched: bool = kept.batched
        self.kept: SeedBatch = kept
        self.read: SeedBatch = read
        self._parts: Parts = parts
        self._leaves: Sequence[list[Any]] | None = None

    @property
    def leaves(self) -> Sequence[list[Any]]:
        """The leaves of each seed's carry."""
        if self._leaves is None:
            self._leaves = self._parts.unpacked(self.kept, self.read)
        return self._leaves


class Parts:
    """Which leaves of a carry acting reads; the others are learning's alone, and cross packed where
    `packs` says so: whoever looks at the carry after every step only pays for it."""

    def __init__(
        self, online: Online, carry: SeedBatch, memory: Any, seeds: Seeds, packs: bool = False
    ) -> None:
        tree, leaves = carry.shape.treedef, carry.leaves[0]
        shapes = tuple(
            jax.ShapeDtypeStruct(x.shape[1:] if carry.batched else x.shape, x.dtype) for x in leaves
        )
        carried: Carry = tree.unflatten(list(range(len(leaves))))
        acting, acting_tree = jax.tree.flatten((carried.state, carried.diverged))
        places = Places(tree, shapes, tuple(acting), acting_tree, ())
        key = key_of((online, places))
        reads = once(key and ("reads", key), lambda: self._found(online, places, memory))
        self.places: Places = Places(tree, shapes, tuple(acting), acting_tree, reads, packs)
        self.shape: Shape = carry.shape
        self._keeps, self._rings = self.places.keeps, self.places.rings
        self._packing: Packing = self.places.packing
        self._alone, self._grouped = self._packing.alone, bool(self._packing.groups)
        alone = [self._keeps[k] for k in self._alone]
        self._ring_alone: list[int] = [alone.index(i) for i in self._rings]
        self._mark: int = reads.index(acting[-1])
        self._joins = seeds.compile(self._packing.joined)
        self._splits = seeds.compile(self._packing.split)
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
        return carry.read if isinstance(carry, Carried) else self._taken(carry, self.places.reads)

    def kept(self, carry: SeedBatch) -> SeedBatch:
        """What it does not, packed."""
        if isinstance(carry, Carried):
            return carry.kept
        kept, packing = self._taken(carry, self._keeps), self._packing
        alone = [[own[k] for k in self._alone] for own in kept.leaves]
        if not self._grouped:
            return self._batch(alone, carry.batched)
        small = self._batch([packing.small(own) for own in kept.leaves], carry.batched)
        vectors = self._joins(small).leaves
        both = [[*a, *b] for a, b in zip(alone, vectors, strict=True)]
        return self._batch(both, carry.batched)

    def unpacked(self, kept: SeedBatch, read: SeedBatch) -> list[list[Any]]:
        """The leaves of the carries of these two parts."""
        packing, places = self._packing, self.places
        vectors = self._vectors(kept)
        small: Sequence[list[Any]] = vectors
        if self._grouped:
            small = self._splits(self._batch(vectors, kept.batched)).leaves
        return [
            places.ordered(packing.ordered(own, few), seen)
            for own, few, seen in zip(kept.leaves, small, read.leaves, strict=True)
        ]

    def compile(self, carry: SeedBatch) -> None:
        """Compile what packs and unpacks ahead of any call."""
        if self._grouped:
            own, kept = self._taken(carry, self._keeps), self.kept(carry)
            small = [self._packing.small(leaves) for leaves in own.leaves]
            self._joins.compile(self._batch(small, carry.batched))
            self._splits.compile(self._batch(self._vectors(kept), carry.batched))

    def _vectors(self, kept: SeedBatch) -> list[list[Any]]:
        return [own[len(self._alone) :] for own in kept.leaves]

    def carried(self, kept: SeedBatch, read: SeedBatch) -> Carried:
        """The carry of these two parts, which may be a program's own."""
        batches = [self._batch(part.leaves, part.batched) for part in (kept, read)]
        return Carried(self, *batches)

    def ring(self, carry: SeedBatch) -> SeedBatch:
        """The online buffer."""
        if isinstance(carry, Carried):
            return self._taken(carry.kept, self._ring_alone)
        return self._taken(carry, self._rings)

    def with_ring(self, carry: SeedBatch, ring: SeedBatch) -> SeedBatch:
        """The carry with another online buffer."""
        kept = self.kept(carry)
        leaves = [list(own) for own in kept.leaves]
        for own, new in zip(leaves, ring.leaves, strict=True):
            for k, leaf in zip(self._ring_alone, new, strict=True):
                own[k] = leaf
        return self.carried(self._batch(leaves, carry.batched), self.read(carry))

    def diverged(self, carry: SeedBatch) -> bool:
        """Whether a loss of any seed was no finite number."""
        return any(np.asarray(own[self._mark]).any() for own in self.read(carry).leaves)

    def _taken(self, batch: SeedBatch, places: Sequence[int]) -> SeedBatch:
        return self._batch([[own[i] for i in places] for own in batch.leaves], batch.batched)

    def _batch(self, leaves: Sequence[list[Any]], batched: bool) -> SeedBatch:
        return SeedBatch(self._shape[len(leaves[0])], leaves, batched)
