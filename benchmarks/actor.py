"""Microseconds for one action, by a stored policy in NumPy and by the compiled policy.

`python -m benchmarks.actor` takes a tanh-Gaussian policy of 256 x 256 units on 17 observations
and 6 actions and acts on one observation at a time: the network alone, `ws.actor` with all that it
checks and converts, and a compiled call. It prints the least mean of a hundred short rounds of
each, since other work on the machine can only add, and the milliseconds in which a policy folder
is written and read.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from warmstart.acting import Sampled
from warmstart.envs.interface import plain_interface
from warmstart.nets.spec import NetSpec, PolicySpec
from warmstart.policy.describe import acting_part
from warmstart.policy.folder import write_policy
from warmstart.policy.of_state import NumpyActor
from warmstart.runs.find_policy import actor
from warmstart.state import State
from warmstart.types import Spec
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
    part, tensors = acting_part(view, Sampled())
    card = {**plain_interface(Spec(OBS, ACTIONS)), "reward": {"scale": 1.0, "bias": 0.0}, **part}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy"
        begin = time.perf_counter()
        for _ in range(10):
            shutil.rmtree(path, ignore_errors=True)
            write_policy(path, card, tensors)
        wrote = time.perf_counter()
        for _ in range(10):
            stored = actor(path)
        read = time.perf_counter()
    ways: dict[str, Callable[[np.ndarray], Any]] = {
        "NumPy": NumpyActor(view),
        "ws.actor": stored,
        "compiled": lambda o: np.asarray(compiled(view.state, o)),
    }
    actions = [np.asarray(act(obs)) for act in ways.values()]
    print(f"largest difference of an action: {np.max(np.abs(np.ptp(actions, axis=0))):.1e}")
    for name, act in ways.items():
        print(f"{name:>9}: {microseconds(act, obs):5.1f} microseconds an action")
    print(f"a policy folder: written in {100 * (wrote - begin):.1f} ms, "
          f"read in {100 * (read - wrote):.1f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
