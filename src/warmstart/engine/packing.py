"""Few arrays for many small ones: what crosses into a compiled program and out of it.

Each array of a call costs the host some 20 us behind an update, which has thrown the host's own
work out of the caches (benchmarks/NOTES.md, 19).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

SMALL = 20_000
"""Numbers of an array that crosses with others; to copy a larger one costs what it saves."""
TYPES = ("float32", "int32")


@dataclass(frozen=True)
class Packing:
    """How leaves cross: some as they are, the small ones of a type as one vector. A value.

    Attributes:
        shapes: of one seed's leaves.
        apart: leaves that cross as they are, whatever their size.
    """

    shapes: tuple[jax.ShapeDtypeStruct, ...]
    apart: tuple[int, ...] = ()

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The leaves of each vector."""
        found = []
        for kind in TYPES:
            group = tuple(
                i
                for i, s in enumerate(self.shapes)
                if i not in self.apart and str(s.dtype) == kind and math.prod(s.shape) < SMALL
            )
            found += [group] if len(group) > 1 else []
        return tuple(found)

    @property
    def alone(self) -> tuple[int, ...]:
        """The leaves that cross as they are."""
        grouped = {i for group in self.groups for i in group}
        return tuple(i for i in range(len(self.shapes)) if i not in grouped)

    def joined(self, small: Sequence[Any]) -> list[Any]:
        """The vectors of the small leaves, which come group by group."""
        leaves, vectors = iter(small), []
        for group in self.groups:
            vectors.append(jnp.concatenate([jnp.ravel(next(leaves)) for _ in group]))
        return vectors

    def split(self, vectors: Sequence[Any]) -> list[Any]:
        """The inverse: the small leaves group by group."""
        leaves = []
        for group, vector in zip(self.groups, vectors, strict=True):
            start = 0
            for i in group:
                stop = start + math.prod(self.shapes[i].shape)
                leaves.append(vector[start:stop].reshape(self.shapes[i].shape))
                start = stop
        return leaves

    def pack(self, leaves: Sequence[Any]) -> list[Any]:
        """All leaves as they cross."""
        return [*(leaves[i] for i in self.alone), *self.joined(self.small(leaves))]

    def unpack(self, packed: Sequence[Any]) -> list[Any]:
        """The inverse."""
        return self.ordered(packed, self.split(packed[len(self.alone) :]))

    def small(self, leaves: Sequence[Any]) -> list[Any]:
        """The leaves of the vectors, group by group."""
        return [leaves[i] for group in self.groups for i in group]

    def ordered(self, packed: Sequence[Any], small: Sequence[Any]) -> list[Any]:
        """All leaves in their order: of what crossed those that are alone, and the small ones."""
        places = [*self.alone, *(i for group in self.groups for i in group)]
        known = dict(zip(places, [*packed[: len(self.alone)], *small], strict=True))
        return [known[i] for i in range(len(self.shapes))]
