"""Floor 2: the tasks that come with the package, as ids and keyword arguments only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from warmstart.errors import TaskError, did_you_mean
from warmstart.tasks.maps import MAZES
from warmstart.tasks.reward import RewardTransform
from warmstart.tasks.score import D4RL_REFERENCES
from warmstart.tasks.task import DataSource, Task

_MAZE_IDS = {
    "umaze": "PointMaze_UMaze-v3",
    "medium": "PointMaze_Medium-v3",
    "large": "PointMaze_Large-v3",
}
_ROBOTS = {
    "hopper": "Hopper-v5",
    "halfcheetah": "HalfCheetah-v5",
    "walker2d": "Walker2d-v5",
    "ant": "Ant-v5",
}


def _point_maze(size: str, jax: bool) -> Task:
    simulator: dict[str, Any] = (
        {"jax_env": f"point-maze-{size}"}
        if jax
        else {"env_id": _MAZE_IDS[size], "env_kwargs": {"continuing_task": False}}
    )
    return Task(
        name=f"{'jax-' if jax else ''}pointmaze-{size}",
        domain="maze",
        description=f"Steer a ball through the {size} maze to one fixed goal"
        + (" (simulated in JAX)." if jax else " (MuJoCo)."),
        family="quick",
        horizon=MAZES[size].horizon,
        goal_cell=MAZES[size].goal_cell,
        data=DataSource(maker="point_maze", kwargs={"maze": size}),
        # At 0.99 a step 350 from the goal is worth 3 % of one beside it: too faint to learn from.
        discount=0.995,
        reward=RewardTransform(1.0, -1.0),
        return_rule="sparse",
        success=True,
        reference=(0.0, 1.0),
        size_note="made on this machine in about a second",
        **simulator,
    )


def _robot(name: str, env_id: str) -> Task:
    return Task(
        name=name,
        domain="locomotion",
        description=f"Run forward as fast as you can: Gymnasium's {env_id}, dense reward.",
        family="locomotion",
        horizon=1000,
        env_id=env_id,
        reference=D4RL_REFERENCES[name],
        size_note="bring your own dataset",
    )


_POINT_MASS = Task(
    name="jax-pointmass",
    domain="toy",
    description="Push a point to the middle: a toy for tests (simulated in JAX).",
    family="quick",
    horizon=50,
    jax_env="point-mass",
    data=DataSource(maker="point_mass"),
    reference=(-55.0, -6.0),
    size_note="made on this machine in less than a second",
)


def _tasks() -> dict[str, Task]:
    tasks = [
        _point_maze(size, jax) for jax in (False, True) for size in ("large", "medium", "umaze")
    ]
    tasks += [_robot(name, env_id) for name, env_id in _ROBOTS.items()]
    return {task.name: task for task in [*tasks, _POINT_MASS]}


TASKS: dict[str, Task] = _tasks()
DEFAULT_TASK = "pointmaze-large"


def get_task(name: str) -> Task:
    """The task of the catalogue with this name; TaskError names the nearest ones."""
    if name not in TASKS:
        raise TaskError(f"There is no task '{name}'. {did_you_mean(name, TASKS)}")
    return TASKS[name]


def custom_task(
    env_id: str,
    env_kwargs: Mapping[str, Any] | None = None,
    data_path: str | None = None,
    *,
    name: str | None = None,
    reward_scale: float = 1.0,
    reward_bias: float = 0.0,
    discount: float = 0.99,
    horizon: int = 0,
    return_rule: str = "finite",
    success: bool = False,
    reference: tuple[float, float] | None = None,
    family: str = "locomotion",
) -> Task:
    """A task of the user's own: an installed Gymnasium environment and a dataset file.

    Args:
        env_id: id in the installed Gymnasium registry, looked up when the environment is made.
        env_kwargs: plain keyword arguments of the environment.
        data_path: dataset file, folder or Minari id; None: online learning only.
        name: default: the id in lower case.
        reward_scale, reward_bias: learner's reward = scale * raw + bias.
        discount: per step.
        horizon: time limit in steps; 0: the limit that the environment declares.
        return_rule, success, reference, family: see `Task`.
    """
    return Task(
        name=name or env_id.lower(),
        domain="custom",
        description=f"Your own environment {env_id}.",
        family=family,
        horizon=horizon,
        env_id=env_id,
        env_kwargs=dict(env_kwargs or {}),
        data=DataSource(path=data_path) if data_path else None,
        discount=discount,
        reward=RewardTransform(reward_scale, reward_bias),
        return_rule=return_rule,
        success=success,
        reference=reference,
    )
