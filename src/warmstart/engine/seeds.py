"""Floor 6: the seed axis and compilation, in one place.

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


class Many:
    """One pytree for each seed: a list of them, or one with a leading seed axis [S, ...]."""

    def __init__(self, items: list[Any] | None, stacked: Any = None) -> None:
        self.items, self.stacked = items, stacked

    def get(self, pick: Callable[[Any], Any]) -> Many:
        """A part of every seed's tree, such as `lambda carry: carry.state`."""
        if self.items is None:
            return Many(None, pick(self.stacked))
        return Many([pick(item) for item in self.items])

    def host(self) -> Any:
        """The tree as NumPy arrays [S, ...]."""
        if self.items is None:
            return jax.device_get(self.stacked)
        return jax.tree.map(lambda *leaves: np.stack(leaves), *jax.device_get(self.items))


class Seeds:
    """`count` seeds on the machine at hand, and programs over them."""

    def __init__(self, count: int) -> None:
        self.count = count
        keep_freed_memory()
        self.batched = jax.default_backend() != "cpu"
        threads = min(count, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(threads, "seed") if threads > 1 else None

    def place(self, tree: Any) -> Many:
        """Arrays [S, ...] as the seeds' own."""
        if self.batched:
            return Many(None, jax.device_put(tree))
        return Many([jax.tree.map(jnp.asarray, _at(tree, i)) for i in range(self.count)])

    def share(self, tree: Any) -> Any:
        """One array for all seeds."""
        return jax.device_put(tree)

    def zip(self, join: Callable[..., Any], *parts: Many) -> Many:
        """`join` of every seed's parts, without compilation."""
        if self.batched:
            return Many(None, join(*(part.stacked for part in parts)))
        return Many([join(*items) for items in zip(*(p.items or () for p in parts), strict=True)])

    def compile(
        self, program: Callable[..., Any], shared: Sequence[int] = (), donate: Sequence[int] = ()
    ) -> Callable[..., Many]:
        """`program` of one seed as a compiled program of all.

        Arguments are `Many`, or NumPy arrays [S, ...]; at the positions `shared` every seed sees
        the whole argument. Buffers at the positions `donate` are reused. Returns `Many`.
        """
        whole = frozenset(shared)
        if self.batched:
            return _vmapped(program, whole, tuple(donate))
        compiled = jax.jit(program, donate_argnums=tuple(donate))

        def run(*args: Any) -> Many:
            def one(i: int) -> Any:
                return compiled(*(a if k in whole else _at(a, i) for k, a in enumerate(args)))

            if self._pool is None:
                return Many([one(i) for i in range(self.count)])
            # The first call compiles: in one thread, so that it happens once.
            if compiled._cache_size() == 0:  # type: ignore[attr-defined]
                return Many([one(i) for i in range(self.count)])
            return Many(list(self._pool.map(one, range(self.count))))

        run.programs = compiled._cache_size  # type: ignore[attr-defined]
        return run


def _vmapped(
    program: Callable[..., Any], shared: frozenset[int], donate: tuple[int, ...]
) -> Callable[..., Many]:
    def over(*args: Any) -> Any:
        axes = tuple(None if i in shared else 0 for i in range(len(args)))
        return jax.vmap(program, in_axes=axes)(*args)

    compiled = jax.jit(over, donate_argnums=donate)

    def run(*args: Any) -> Many:
        return Many(None, compiled(*(a.stacked if isinstance(a, Many) else a for a in args)))

    run.programs = compiled._cache_size  # type: ignore[attr-defined]
    return run


def _at(argument: Any, i: int) -> Any:
    if isinstance(argument, Many):
        assert argument.items is not None
        return argument.items[i]
    return jax.tree.map(lambda x: x[i], argument)


def keys_of(seeds: Sequence[int]) -> np.ndarray:
    """One key [S, 2] for each seed: a function of the seed alone."""
    return np.stack([np.asarray(jax.random.PRNGKey(seed)) for seed in seeds])
