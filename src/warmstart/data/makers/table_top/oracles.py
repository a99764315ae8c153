"""The scripted arms that OGBench brings, and the randomness that they draw.

Park et al. 2025 (OGBench), appendix on manipulation data: a plan oracle follows a smooth plan made
in advance ("play"), a Markov oracle looks at the state alone and is disturbed ("noisy").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from warmstart.envs.make import GymEnv
from warmstart.errors import TaskError
from warmstart.types import HostEnv

NOISE_SHAPE = np.array([1.0, 1.0, 1.0, 3.0, 10.0])
"""How much more than the arm's position its turn and its gripper are disturbed."""
_PLAN: dict[str, Any] = {"noise": 0.1, "noise_smoothing": 0.5}
_MARKOV: dict[str, Any] = {"min_norm": 0.4}


def arm_of(env: HostEnv) -> Any:
    """OGBench's own environment behind `env`; TaskError if it is none of its table tops."""
    bare = env.simulator if isinstance(env, GymEnv) else None
    if type(bare).__module__.startswith("ogbench.manipspace."):
        return bare
    raise TaskError(
        "The maker 'table_top' moves OGBench's arm, which this environment does not have: use it "
        "with a cube, scene or puzzle task."
    )


def oracles(bare: Any, plans: bool) -> dict[str, Any]:
    """One oracle for each kind of subtask: cube, button, drawer, window.

    Args:
        bare: see `arm_of`.
        plans: True: plan oracles; False: Markov oracles.
    """
    how, numbers = ("plan", _PLAN) if plans else ("markov", _MARKOV)
    made = {}
    for kind in ("cube", "button", "drawer", "window"):
        module = import_module(f"ogbench.manipspace.oracles.{how}.{kind}_{how}")
        oracle = getattr(module, f"{kind.capitalize()}{how.capitalize()}Oracle")
        # In the puzzle the closed gripper is the finger that presses.
        fist = {"gripper_always_closed": not hasattr(bare, "_num_cubes")}
        made[kind] = oracle(env=bare, **numbers, **(fist if kind == "button" else {}))
    return made


@contextmanager
def borrowed_randomness() -> Iterator[None]:
    """Put NumPy's global generator, from which the oracles draw, back as it was."""
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)


def disturbed(action: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """[5] `action` plus Gaussian noise of deviation `noise * NOISE_SHAPE`, clipped to [-1, 1]."""
    return np.clip(action + noise * NOISE_SHAPE * rng.standard_normal(5), -1.0, 1.0)
