"""Microseconds for one action, by the copy of a policy in NumPy and by the compiled policy.

`python -m benchmarks.actor` takes a tanh-Gaussian policy of 256 x 256 units on 17 observations
and 6 actions and acts on one observation at a time. It prints the least mean of a hundred short
rounds of each, since other work on the machine can only add.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from warmstart.edge.actor import NumpyActor
from warmstart.nets.spec import NetSpec, PolicySpec
from warmstart.state import State
from warmstart.views import View

OBS, ACTIONS, CALLS, ROUNDS = 17, 6, 100, 100


def microseconds(act: Callable[[np.ndarray], Any], obs: np.ndarray) -> float:
    """The least mean over `CALLS` calls, of `ROUNDS` rounds."""
    act(obs)
    best = np.inf
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(CALLS):
            act(obs)
        best = min(best, (time.perf_counter() - begin) / CALLS)
    return best * 1e6


def main() -> None:
    """Measure and print."""
    net = PolicySpec(NetSpec((256, 256))).build(jax.random.key(0), OBS, ACTIONS)
    view = View(State({"actor": net}, {}, {}, {}, {}, {}), "squashed", "none")
    obs = np.random.default_rng(0).standard_normal(OBS).astype(np.float32)
    compiled = jax.jit(lambda state, o: View(state, "squashed", "none").policy(o).mode())
    ways: dict[str, Callable[[np.ndarray], Any]] = {
        "NumPy": NumpyActor(view),
        "compiled": lambda o: np.asarray(compiled(view.state, o)),
    }
    actions = [np.asarray(act(obs)) for act in ways.values()]
    print(f"largest difference of an action: {np.max(np.abs(actions[0] - actions[1])):.1e}")
    for name, act in ways.items():
        print(f"{name:>9}: {microseconds(act, obs):5.1f} microseconds an action")


if __name__ == "__main__":
    main()
