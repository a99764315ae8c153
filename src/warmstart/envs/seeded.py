"""A reset that is a function of its seed, also where a package forgets to use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def seeded(env: Any, seed: int) -> Iterator[None]:
    """Around a reset with `seed`: OGBench's mazes draw from NumPy's global generator and from an
    action space that nobody seeds. Both are a function of the seed here, and the global generator
    is put back. Meta-World ignores a reset's seed and has a method of its own for it. Any other
    environment is left alone."""
    module = type(env.unwrapped).__module__
    if module.startswith("metaworld."):
        env.unwrapped.seed(seed)
    if not module.startswith("ogbench.locomaze"):
        yield
        return
    before = np.random.get_state()
    np.random.seed(seed % 2**32)
    env.unwrapped.action_space.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)
