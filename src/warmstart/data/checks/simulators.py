"""Which simulators can be put into the state that an observation shows, and how.

One line a family. Positions that an observation leaves out (how far a robot has come) are set
to 0: rewards and dynamics do not depend on them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.tasks.maps import GOAL_RADIUS
from warmstart.tasks.point_mass import PointMass, PointMassState
from warmstart.tasks.point_maze import PointMaze, PointMazeState
from warmstart.types import HostEnv

CLIPPING, CLIPPED = ("HopperEnv", "Walker2dEnv"), 10.0
"""These cut observed velocities here: what was beyond cannot be restored."""


@dataclass(frozen=True)
class Family:
    """Simulators that are put into a state in the same way.

    Attributes:
        name: for people.
        fits: whether an environment belongs to it.
        put: make the state of observation [O]; False where this one does not tell its state.
        quick: whether it can be done before every run, without compiling anything.
    """

    name: str
    fits: Callable[[Any], bool]
    put: Callable[[Any, np.ndarray], bool]
    quick: bool = True


def _robot(env: Any, obs: np.ndarray) -> bool:
    return _set_joints(env.simulator, obs)


def _set_joints(simulator: Any, obs: np.ndarray) -> bool:
    shape = simulator.observation_structure
    free, joints = shape["skipped_qpos"], shape["qpos"]
    speeds = obs[joints : joints + shape["qvel"]]
    if type(simulator).__name__ in CLIPPING and np.any(np.abs(speeds) >= CLIPPED):
        return False
    simulator.set_state(np.concatenate([np.zeros(free), obs[:joints]]), speeds.astype(np.float64))
    return True


def _set_goal(env: Any, obs: np.ndarray) -> bool:
    """Set the goal that is observed (keys sorted: achieved, desired, observation).

    Where goals follow one another, an observation at a goal still shows that one, though the
    simulator has gone on to the next: then the state is not told.
    """
    at, goal = obs[:2], obs[2:4].astype(np.float64)
    if env.simulator.reset_target and np.linalg.norm(at - goal) <= GOAL_RADIUS:
        return False
    env.simulator.goal = goal
    return True


def _point(env: Any, obs: np.ndarray) -> bool:
    if len(obs) > 4 and not _set_goal(env, obs):
        return False
    state = obs[-4:].astype(np.float64)
    env.simulator.point_env.set_state(state[:2], state[2:])
    return True


def _ant(env: Any, obs: np.ndarray) -> bool:
    joints = np.concatenate([obs[:2], obs[4:]])
    return _set_goal(env, obs) and _set_joints(env.simulator.ant_env, joints)


def _pendulum(env: Any, obs: np.ndarray) -> bool:
    env.simulator.state = np.array([np.arctan2(obs[1], obs[0]), obs[2]], np.float64)
    return True


def _car(env: Any, obs: np.ndarray) -> bool:
    env.simulator.state = np.asarray(obs, np.float32)
    return True


def _ball(env: Any, obs: np.ndarray) -> bool:
    kind = PointMazeState if isinstance(env.simulator, PointMaze) else PointMassState
    env.put(kind(obs[:2], obs[2:], np.int32(0)))
    return True


def _official(env: Any) -> Any:
    """The simulator, if its class is one that we know: a subclass of yours may do otherwise."""
    simulator = getattr(env, "simulator", None)
    known = type(simulator).__module__.startswith(("gymnasium.", "gymnasium_robotics."))
    return simulator if known else None


def _is_robot(env: Any) -> bool:
    return hasattr(_official(env), "observation_structure")


def _is_point(env: Any) -> bool:
    return hasattr(_official(env), "point_env")


def _is_ant(env: Any) -> bool:
    ant = getattr(_official(env), "ant_env", None)
    return hasattr(ant, "observation_structure") and env.task.goal_cell is None


def _is_pendulum(env: Any) -> bool:
    return type(_official(env)).__name__ == "PendulumEnv"


def _is_car(env: Any) -> bool:
    return type(_official(env)).__name__ == "Continuous_MountainCarEnv"


def _is_ball(env: Any) -> bool:
    return isinstance(getattr(env, "simulator", None), (PointMaze, PointMass))


PRESETS: tuple[Family, ...] = (
    Family("MuJoCo robots", _is_robot, _robot),
    Family("point mazes", _is_point, _point),
    Family("ant mazes with their goal observed", _is_ant, _ant),
    Family("Pendulum", _is_pendulum, _pendulum),
    Family("MountainCarContinuous", _is_car, _car),
    Family("JAX point mazes and point mass", _is_ball, _ball, quick=False),
)


def family_of(env: HostEnv | None) -> Family | None:
    """The family of an environment, None where its state cannot be set."""
    return next((family for family in PRESETS if env is not None and family.fits(env)), None)
