"""The simulators that are JAX programs, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from warmstart.errors import TaskError, did_you_mean
from warmstart.tasks.maps import MAZES
from warmstart.tasks.point_mass import PointMass
from warmstart.tasks.point_maze import PointMaze
from warmstart.tasks.probes import PROBES
from warmstart.types import JaxEnv

_MAZES: dict[str, Callable[..., JaxEnv]] = {
    **{f"point-maze-{size}": partial(PointMaze, size) for size in MAZES},
    # At 20 Hz, as robots are driven: a way through the maze is 40 decisions and not 200.
    "two-rooms": partial(PointMaze, "medium", horizon=120, frame_skip=5, friction=0.9),
}

JAX_ENVS: dict[str, Callable[..., JaxEnv]] = {
    **_MAZES,
    "point-mass": PointMass,
    **{f"probe-{name}": probe for name, probe in PROBES.items()},
}


def make_jax_env(name: str, start_cells: Sequence[Sequence[int]] = ()) -> JaxEnv:
    """A new simulator by name; TaskError names the nearest ones.

    Args:
        name: one of `JAX_ENVS`.
        start_cells: see `Task`; TaskError for a simulator that is no maze.
    """
    if name not in JAX_ENVS:
        raise TaskError(f"There is no JAX simulator '{name}'. {did_you_mean(name, JAX_ENVS)}")
    if not start_cells:
        return JAX_ENVS[name]()
    if name not in _MAZES:
        raise TaskError(f"{name} is not a maze, so it has no start cells: leave start_cells out.")
    return JAX_ENVS[name](start_cells=start_cells)
