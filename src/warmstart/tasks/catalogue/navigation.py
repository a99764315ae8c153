"""Floor 2: find the way: point mazes."""

from __future__ import annotations

from typing import Any

from warmstart.tasks.maps import MAZES
from warmstart.tasks.reward import RewardTransform
from warmstart.tasks.task import DataSource, Task

_MAZE_IDS = {
    "umaze": "PointMaze_UMaze-v3",
    "medium": "PointMaze_Medium-v3",
    "large": "PointMaze_Large-v3",
}


def _point_maze(size: str, jax: bool) -> Task:
    simulator: dict[str, Any] = (
        {"jax_env": f"point-maze-{size}"}
        if jax
        else {"env_id": _MAZE_IDS[size], "env_kwargs": {"continuing_task": False}}
    )
    return Task(
        name=f"{'jax-' if jax else ''}pointmaze-{size}",
        domain="navigation",
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


NAVIGATION: tuple[Task, ...] = tuple(
    _point_maze(size, jax) for jax in (False, True) for size in ("large", "medium", "umaze")
)
