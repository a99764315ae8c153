"""Floor 2: the simulators that are JAX programs, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from warmstart.errors import TaskError, did_you_mean
from warmstart.tasks.maps import MAZES
from warmstart.tasks.point_mass import PointMass
from warmstart.tasks.point_maze import PointMaze
from warmstart.tasks.probes import PROBES
from warmstart.types import JaxEnv

JAX_ENVS: dict[str, Callable[[], JaxEnv]] = {
    **{f"point-maze-{size}": partial(PointMaze, size) for size in MAZES},
    "point-mass": PointMass,
    **{f"probe-{name}": probe for name, probe in PROBES.items()},
}


def make_jax_env(name: str) -> JaxEnv:
    """A new simulator by name; TaskError names the nearest ones."""
    if name not in JAX_ENVS:
        raise TaskError(f"There is no JAX simulator '{name}'. {did_you_mean(name, JAX_ENVS)}")
    return JAX_ENVS[name]()
