"""The seed axis and compilation, in one place.

On CPU every seed runs the same width-1 program on a thread of its own: one compilation, the bits
of the seed alone, and faster than a batch axis. On an accelerator the axis is `vmap`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.engine.allocator import keep_freed_memory
from warmstart.engine.seed_batch import SeedBatch, Shape
from warmstart.engine.shared import key_of, once


class Seeds:
    """`count` seeds on the machine at hand, and programs over them."""

    def __init__(self, count: int) -> None:
        self.count = count
        keep_freed_memory()
        self.batched: bool = jax.default_backend() != "cpu"
        threads = min(count, os.cpu_count() or 1)
        self.pool: ThreadPoolExecutor | None = (
            ThreadPoolExecutor(threads, "seed") if threads > 1 else None
        )

    def place(self, tree: Any) -> SeedBatch:
        """Arrays [S, ...] as the seeds' own."""
        if self.batched:
            return SeedBatch.of([jax.device_put(tree)], True)
        own = [jax.tree.map(lambda x, i=i: jnp.asarray(x[i]), tree) for i in range(self.count)]
        return SeedBatch.of(own, False)

    def share(self, tree: Any) -> Any:
        """One array for all seeds."""
        return jax.device_put(tree)

    def zip(self, join: Callable[..., Any], *parts: SeedBatch) -> SeedBatch:
        """`join` of every seed's parts, without compilation."""
        trees = zip(*(part.items for part in parts), strict=True)
        return SeedBatch.of([join(*own) for own in trees], self.batched)

    def compile(
        self,
        program: Callable[..., Any],
        shared: Sequence[int] = (),
        donate: Sequence[int] = (),
        small: bool = False,
    ) -> Program:
        """`program` of one seed as a compiled program of all, shared with its equals: `shared`.

        Arguments are `SeedBatch`, or NumPy arrays [S, ...]; at the positions `shared` every seed
        sees the whole argument. Buffers at the positions `donate` are reused. What is `small` runs
        in the caller's thread: handing it to another costs more than it does. Returns `SeedBatch`.
        """
        pool = None if small else self.pool
        return Program(self, program, frozenset(shared), tuple(donate), pool)


class Program:
    """A compiled program over seeds. Trees cross into it and out of it as flat lists of leaves:
    taking an Equinox module apart in Python costs more than a small program takes to run."""

    def __init__(
        self,
        seeds: Seeds,
        program: Callable[..., Any],
        shared: frozenset[int],
        donate: tuple[int, ...],
        pool: ThreadPoolExecutor | None,
    ) -> None:
        self.seeds: Seeds = seeds
        self.program: Callable[..., Any] = program
        self.shared: frozenset[int] = shared
        self.donate: tuple[int, ...] = donate
        self.pool: ThreadPoolExecutor | None = pool
        self._key = key_of(program)
        self._compiled: dict[tuple[Shape | None, ...], tuple[Any, list[Shape]]] = {}

    def __call__(self, *args: Any) -> SeedBatch:
        seeds = self.seeds
        first, compiled, out = self._known(args)

        def one(i: int) -> list[Any]:
            return compiled(*self._own(args, i))

        if seeds.batched:
            leaves = [one(0)]
        elif self.pool is None or first:  # the first call compiles: once, so in one thread
            leaves = [one(i) for i in range(seeds.count)]
        else:
            leaves = list(self.pool.map(one, range(seeds.count)))
        return SeedBatch(out[0], leaves, seeds.batched)

    def compile(self, *args: Any) -> None:
        """Compile for arguments of these shapes, so that no call with such has to. Nothing runs."""
        self._known(args)[1].lower(*self._own(args, 0)).compile()

    def _own(self, args: Sequence[Any], i: int) -> list[Any]:
        """The arguments of the seed at position `i`."""
        return [
            a.leaves[i]
            if isinstance(a, SeedBatch)
            else a
            if k in self.shared or self.seeds.batched
            else _at(a, i)
            for k, a in enumerate(args)
        ]

    def _known(self, args: Sequence[Any]) -> tuple[bool, Any, list[Shape]]:
        """Whether arguments of this structure are new, the jitted program, and its structure."""
        shapes = tuple(a.shape if isinstance(a, SeedBatch) else None for a in args)
        known = self._compiled.get(shapes)
        first = known is None
        if known is None:
            known = self._same_structure(shapes) or self._build(shapes, self._own(args, 0))
            self._compiled[shapes] = known
        compiled, out = known
        return first, compiled, out

    def programs(self) -> int:
        """How many programs were compiled: more than one means that a shape or type changed."""
        return sum(c._cache_size() for c in {id(c): c for c, _ in self._compiled.values()}.values())

    def _same_structure(self, shapes: tuple[Shape | None, ...]) -> Any:
        """A program built for other `Shape` objects of equal structure."""
        wanted = [shape and shape.treedef for shape in shapes]
        for key, known in self._compiled.items():
            if [shape and shape.treedef for shape in key] == wanted:
                return known
        return None

    def _build(self, shapes: tuple[Shape | None, ...], args: list[Any]) -> tuple[Any, list[Shape]]:
        """The jitted program for arguments like these, shared with its equals."""
        batched, key = self.seeds.batched, None
        if self._key is not None:
            structure = tuple(shape and shape.treedef for shape in shapes)
            sizes = tuple((np.shape(leaf), str(leaf.dtype)) for leaf in jax.tree.leaves(args))
            double = jax.dtypes.canonicalize_dtype(np.float64).name
            key = self._key, structure, sizes, self.shared, self.donate, batched, double
        return once(key, lambda: _jitted(self.program, shapes, self.shared, self.donate, batched))


def _jitted(
    program: Callable[..., Any],
    shapes: tuple[Shape | None, ...],
    shared: frozenset[int],
    donate: tuple[int, ...],
    batched: bool,
) -> tuple[Any, list[Shape]]:
    """The program on flat leaves; the list receives the structure of its result."""
    out: list[Shape] = []

    def flat(*args: Any) -> list[Any]:
        trees = [
            a if shape is None else shape.treedef.unflatten(a)
            for a, shape in zip(args, shapes, strict=True)
        ]
        leaves, treedef = jax.tree.flatten(program(*trees))
        if not out:
            out.append(Shape(treedef))
        return leaves

    run = flat
    if batched:

        def run(*args: Any) -> list[Any]:
            axes = tuple(None if i in shared else 0 for i in range(len(args)))
            return jax.vmap(flat, in_axes=axes)(*args)

    return jax.jit(run, donate_argnums=donate), out


def _at(argument: Any, i: int) -> Any:
    if isinstance(argument, np.ndarray):
        return argument[i]
    return jax.tree.map(lambda x: x[i], argument)


def keys_of(seeds: Sequence[int]) -> np.ndarray:
    """One key [S, 2] for each seed: a function of the seed alone."""
    return np.stack([np.asarray(jax.random.PRNGKey(seed)) for seed in seeds])
