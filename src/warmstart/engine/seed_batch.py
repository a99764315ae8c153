"""One pytree for each seed, kept flat, so that a call does not take trees apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np


class Shape:
    """The structure of a tree. The object stands for itself: programs are looked up by it."""

    def __init__(self, treedef: Any) -> None:
        self.treedef = treedef
        self._children: list[Shape] | None = None

    @property
    def children(self) -> list[Shape]:
        """The structures of a tuple's items, the same objects at every call."""
        if self._children is None:
            self._children = [Shape(child) for child in self.treedef.children()]
        return self._children


class SeedBatch:
    """The trees of all seeds: a flat list of leaves for each, of one structure.

    Where seeds are a batch axis (`batched`) there is one list, and its leaves are [S, ...].
    """

    def __init__(self, shape: Shape, leaves: Sequence[list[Any]], batched: bool) -> None:
        self.shape: Shape = shape
        self.leaves: Sequence[list[Any]] = leaves
        self.batched: bool = batched

    @classmethod
    def of(cls, trees: Sequence[Any], batched: bool) -> SeedBatch:
        """Trees of the same structure, taken apart."""
        flat = [jax.tree.flatten(tree) for tree in trees]
        return cls(Shape(flat[0][1]), [leaves for leaves, _ in flat], batched)

    @property
    def items(self) -> list[Any]:
        """The tree of each seed; the one batched tree where seeds are an axis."""
        return [self.shape.treedef.unflatten(leaves) for leaves in self.leaves]

    def get(self, pick: Callable[[Any], Any]) -> SeedBatch:
        """A part of every seed's tree, such as `lambda carry: carry.state`."""
        return SeedBatch.of([pick(item) for item in self.items], self.batched)

    def parts(self) -> list[SeedBatch]:
        """The items of a tuple, without building any tree."""
        out, start = [], 0
        for child in self.shape.children:
            stop = start + child.treedef.num_leaves
            cut = [leaves[start:stop] for leaves in self.leaves]
            out.append(SeedBatch(child, cut, self.batched))
            start = stop
        return out

    def put(self, places: Sequence[int], part: SeedBatch) -> SeedBatch:
        """The same with the leaves of `part` at these places."""
        leaves = [list(own) for own in self.leaves]
        for own, new in zip(leaves, part.leaves, strict=True):
            for i, leaf in zip(places, new, strict=True):
                own[i] = leaf
        return SeedBatch(self.shape, leaves, self.batched)

    def host(self) -> Any:
        """The tree as NumPy arrays [S, ...]."""
        if len(self.shape.treedef.children()) == 0 and len(self.leaves[0]) == 1:
            own = [np.asarray(leaves[0]) for leaves in self.leaves]  # nothing to take apart
            return own[0] if self.batched else np.stack(own)
        leaves = jax.device_get(list(self.leaves))
        if self.batched:
            return self.shape.treedef.unflatten(leaves[0])
        stacked = [np.stack(same) for same in zip(*leaves, strict=True)]
        return self.shape.treedef.unflatten(stacked)


class Part:
    """Where a part of a tree lies among its leaves: `part.of(batch)` takes no tree apart."""

    def __init__(self, treedef: Any, pick: Callable[[Any], Any]) -> None:
        self.whole: Any = treedef
        places, own = jax.tree.flatten(pick(treedef.unflatten(range(treedef.num_leaves))))
        self.places: list[int] = places
        self.shape: Shape = Shape(own)

    def of(self, batch: SeedBatch) -> SeedBatch:
        """The part of every seed's tree."""
        leaves = [[own[i] for i in self.places] for own in batch.leaves]
        return SeedBatch(self.shape, leaves, batch.batched)
