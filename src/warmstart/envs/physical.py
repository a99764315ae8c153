"""One robot behind many openings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from warmstart.types import EnvStep, HostEnv, MakeEnv, Spec


class Physical:
    """An environment of which there is only one, as a `HostEnv`.

    Whoever trains and whoever evaluates hold the same one, and each begins with a reset. Closed by
    one of them, it opens again at the next reset. All else is asked of the environment itself.
    """

    def __init__(self, open_one: Callable[[], HostEnv]) -> None:
        self._open_one, self._env, self._closed = open_one, open_one(), False
        self.spec: Spec = self._env.spec

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def reset(self, seed: int) -> np.ndarray:
        """Start an episode; a robot need not care about `seed`. [O] float32."""
        if self._closed:
            self._env, self._closed = self._open_one(), False
        return self._env.reset(seed)

    def step(self, action: np.ndarray) -> EnvStep:
        """Take `action` [A] in [-1, 1]."""
        return self._env.step(action)

    def render(self) -> np.ndarray | None:
        """A picture, where it makes any."""
        return self._env.render()

    def close(self) -> None:
        """Let go of the robot."""
        if not self._closed:
            self._env.close()
            self._closed = True


def always(open_one: Callable[[], HostEnv]) -> MakeEnv:
    """A function that opens at its first call, and gives that same environment at each."""
    held: list[Physical] = []

    def the_one() -> HostEnv:
        if not held:
            held.append(Physical(open_one))
        return held[0]

    return the_one
