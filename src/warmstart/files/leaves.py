"""A tree of arrays as one vector of bytes, and back, bit for bit."""

from __future__ import annotations

import itertools
import math
from typing import Any

import jax
import numpy as np

from warmstart.errors import RunError

Description = list[dict[str, Any]]
"""One `{"path", "shape", "dtype"}` for each leaf, in the order of the bytes."""


def describe(tree: Any) -> Description:
    """Path, shape and dtype of every leaf, in order.

    Raises:
        RunError: if a leaf is not a plain array (Python numbers and typed PRNG keys are not).
    """
    found = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = jax.tree_util.keystr(path)
        dtype = getattr(leaf, "dtype", None)
        if dtype is None or not isinstance(dtype, np.dtype) or dtype.hasobject:
            raise RunError(
                f"Leaf {name} of the training state is {type(leaf).__name__} "
                f"({dtype or 'no dtype'}), which a checkpoint cannot hold. Make it an array: "
                "np.asarray for numbers, jax.random.key_data for typed keys."
            )
        found.append({"path": name, "shape": list(leaf.shape), "dtype": str(dtype)})
    return found


def count_bytes(description: Description) -> int:
    """Size of the packed vector."""
    return sum(math.prod(d["shape"]) * np.dtype(d["dtype"]).itemsize for d in description)


def pack(tree: Any) -> np.ndarray:
    """All leaves back to back, [bytes] uint8 (one zero byte for a tree that holds none)."""
    values = jax.device_get(jax.tree_util.tree_leaves(tree))
    flat = [np.ascontiguousarray(value).reshape(-1).view(np.uint8) for value in values]
    packed = np.concatenate(flat) if flat else np.zeros(0, np.uint8)
    return packed if packed.size else np.zeros(1, np.uint8)


def unpack(packed: np.ndarray, like: Any) -> Any:
    """The tree that `pack` was given, structured, placed and sharded as `like`."""
    models, structure = jax.tree_util.tree_flatten(like)
    values, start = [], 0
    for model in models:
        dtype = np.dtype(model.dtype)
        stop = start + math.prod(model.shape) * dtype.itemsize
        value = packed[start:stop].copy().view(dtype).reshape(model.shape)
        values.append(_placed(value, model))
        start = stop
    return jax.tree_util.tree_unflatten(structure, values)


def _placed(value: np.ndarray, model: Any) -> Any:
    if isinstance(model, np.ndarray | np.generic):
        return value if isinstance(model, np.ndarray) else value[()]
    # An array that JAX may move stays so: pinning it would compile the step a second time.
    pinned = model.committed if isinstance(model, jax.Array) else model.sharding is not None
    return jax.device_put(value, model.sharding if pinned else None)


def difference(saved: Description, wanted: Description) -> str | None:
    """The first leaf in which two descriptions differ, in words; None where they agree."""
    # Until run format 3 the pretrained policy stood in a state as `prior`.
    saved = [{**leaf, "path": leaf["path"].replace(".prior", ".pretrained")} for leaf in saved]
    for number, (old, new) in enumerate(itertools.zip_longest(saved, wanted)):
        if old != new:
            return f"leaf {number} is {_words(old)} in the checkpoint, but {_words(new)} here"
    return None


def _words(leaf: dict[str, Any] | None) -> str:
    return f"{leaf['path']} {leaf['dtype']}{leaf['shape']}" if leaf else "absent"
