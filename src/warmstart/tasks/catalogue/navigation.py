"""Find the way: point mazes and ant mazes.

Every task has one fixed goal and an episode ends there, and starts in one region far from it, as
D4RL's and OGBench's ant mazes have it: from anywhere in the maze a push in one direction would be
enough for half of all episodes. In the learner every step costs 1 until the goal. D4RL's maze2d
is another task in the same mazes: it never ends, and starts anywhere.
"""

from __future__ import annotations

from typing import Any

from warmstart.tasks.maps import MAZES
from warmstart.tasks.reward import RewardTransform
from warmstart.tasks.score import d4rl_reference
from warmstart.tasks.task import DataSource, Task

_SIZES = {"large": "Large", "medium": "Medium", "umaze": "UMaze"}
_ROWS = 100_000
_COST = RewardTransform(1.0, -1.0)
_OF_MANY = "100,000 rows in seconds (`data make --size` for 1e4 to 1e7)"
_KINDS = {
    "navigate": "walks across the whole maze",
    "stitch": "short walks, to be put together",
    "noisy": "walks with three random actions in four",
}
_ANT_GOALS = {"large": (7, 9), "medium": (6, 6), "umaze": (3, 1)}  # as in D4RL's antmaze
_ANT_STARTS = ((1, 1),)  # likewise

# At 0.99 a step 350 from the goal is worth 3 % of one beside it: too faint to learn from.
_DISCOUNT = 0.995


def _task(name: str, description: str, **more: Any) -> Task:
    values: dict[str, Any] = {
        "domain": "navigation",
        "preset": "quick",
        "discount": _DISCOUNT,
        "reward": _COST,
        "return_rule": "sparse",
        "success": True,
        "reference": (0.0, 1.0),
    }
    return Task(name=name, description=description, **{**values, **more})


def _mujoco(size: str, dense: bool = False) -> dict[str, Any]:
    env_id = f"PointMaze_{_SIZES[size]}{'Dense' if dense else ''}-v3"
    return {"env_id": env_id, "env_kwargs": {"continuing_task": False}}


def _trip(size: str) -> dict[str, Any]:
    return {"goal_cell": MAZES[size].goal_cell, "start_cells": MAZES[size].start_cells}


def _trips(size: str) -> DataSource:
    return DataSource(maker="point_maze", kwargs={"maze": size, "episodes": 50})


def _point_maze(size: str, jax: bool) -> Task:
    simulator = {"jax_env": f"point-maze-{size}"} if jax else _mujoco(size)
    where = "simulated in JAX" if jax else "MuJoCo"
    return _task(
        f"{'jax-' if jax else ''}pointmaze-{size}",
        f"Steer a ball through the {size} maze to one fixed goal ({where}).",
        horizon=MAZES[size].horizon,
        **_trip(size),
        data=_trips(size),
        size_note="made on this machine in about a second",
        **simulator,
    )


def _dense(size: str) -> Task:
    """Less 1, exp(-distance) is never above 0: it pays to arrive, not to linger beside the goal.
    Behind a cut the last reward is taken to go on for ever."""
    return _task(
        f"pointmaze-{size}-dense",
        f"The rows of pointmaze-{size}, rewarded by exp(-distance to the goal).",
        horizon=MAZES[size].horizon,
        **_trip(size),
        data=_trips(size),
        return_rule="infinite",
        reference=None,
        size_note="made on this machine in about a second",
        **_mujoco(size, dense=True),
    )


def _walks(size: str, kind: str, dense: bool = False) -> Task:
    kwargs = {"maze": size, "kind": kind, **({"reward": "dense"} if dense else {})}
    return _task(
        f"pointmaze-{size}-{kind}{'-dense' if dense else ''}",
        f"The {size} maze; data: {_KINDS[kind]}, relabelled to one goal"
        + (", dense reward." if dense else "."),
        horizon=MAZES[size].horizon,
        **_trip(size),
        data=DataSource(maker="maze_walks", kwargs=kwargs, rows=_ROWS),
        size_note=_OF_MANY,
        **({"return_rule": "infinite", "reference": None} if dense else {}),
        **_mujoco(size, dense),
    )


# Logged in one room and used in two: about half of the score is there before the switch, and
# the other half is to be learnt online. Rough walls, since on smooth ones a random linear policy
# slides to the goal from two thirds of these starts.
_NORTH_EAST = ((1, 6), (2, 6))
_WEST = ((4, 1), (4, 2))

_TWO_ROOMS = _task(
    "two-rooms",
    "Steer a ball from two rooms to one goal, between rough walls, at 20 Hz; the logs come "
    "from one room (JAX).",
    horizon=120,
    jax_env="two-rooms",
    goal_cell=MAZES["medium"].goal_cell,
    start_cells=(*_NORTH_EAST, *_WEST),
    data=DataSource(
        maker="point_maze",
        kwargs={"maze": "medium", "episodes": 100, "goal_share": 1.0},
        start_cells=((1, 5), *_NORTH_EAST),
    ),
    discount=0.98,
    size_note="made on this machine in about a second",
)

_DIVERSE = _task(
    "pointmaze-large-diverse",
    "The large maze with eight goals: each episode has its own, which is observed.",
    horizon=MAZES["large"].horizon,
    env_id="PointMaze_Large_Diverse_GR-v3",
    env_kwargs={"continuing_task": False},
    data=DataSource(maker="point_maze", kwargs={"maze": "large", "noise": 0.5}, rows=_ROWS),
    size_note=_OF_MANY,
)


def _maze2d(size: str) -> Task:
    """As D4RL has it: nothing ends an episode but time, and the goal pays for every step near it.

    What lies after a cut is left out of returns-to-go, which makes them too small, never too
    large: no reward is negative.
    """
    return Task(
        name=f"maze2d-{size}",
        domain="navigation",
        description=f"D4RL's maze2d: reach the goal of the {size} maze from anywhere and stay.",
        preset="locomotion",  # the numbers that D4RL's baselines have on it
        horizon=MAZES[size].horizon,
        env_id=f"warmstart/Maze2D-{size}-v0",
        data=DataSource(maker="maze2d", rows=1_000_000),
        return_rule="finite",
        reference=d4rl_reference(f"maze2d-{size}"),
        size_note="1,000,000 rows, made here in a minute or two",
    )


def _ogbench_point(size: str, kind: str) -> Task:
    return _task(
        f"ogbench-pointmaze-{size}-{kind}",
        f"OGBench's {size} point maze, task 1; data: {_KINDS[kind]}.",
        horizon=1000,
        env_id=f"pointmaze-{size}-singletask-task1-v0",
        data=DataSource(maker="maze_walks", kwargs={"kind": kind}, rows=_ROWS),
        reward=RewardTransform(),
        reference=None,
        size_note=_OF_MANY,
    )


def _ant_maze(size: str, kind: str = "") -> Task:
    return _task(
        f"antmaze-{size}" + (f"-{kind}" if kind else ""),
        f"Walk an ant through the {size} maze to one fixed goal (Gymnasium-Robotics v5)"
        + (f"; data: {_KINDS[kind]}." if kind else "."),
        preset="antmaze",
        horizon=700 if size == "umaze" else 1000,
        env_id=f"AntMaze_{_SIZES[size]}-v5",
        # Without contact forces an observation is D4RL's: place, joints, velocities, 29 numbers.
        env_kwargs={"continuing_task": False, "include_cfrc_ext_in_observation": False},
        goal_cell=_ANT_GOALS[size],
        start_cells=_ANT_STARTS,
        **_walked(kind),
    )


def _ogbench_ant(size: str, kind: str = "") -> Task:
    return _task(
        f"ogbench-antmaze-{size}" + (f"-{kind}" if kind else ""),
        f"OGBench's ant in its {size} maze, task 1" + (f"; data: {_KINDS[kind]}." if kind else "."),
        preset="antmaze",
        horizon=1000,
        env_id=f"antmaze-{size}-singletask-task1-v0",
        reward=RewardTransform(),
        reference=None,
        **_walked(kind),
    )


def _walked(kind: str) -> dict[str, Any]:
    """Where data come from: the user, or the walker."""
    if not kind:
        return {"size_note": "bring your own dataset"}
    return {
        "data": DataSource(maker="ant_walks", kwargs={"kind": kind}, rows=_ROWS),
        "size_note": "100,000 rows, made here in two minutes (`data make --size` for more)",
    }


_WALKS = ("navigate", "stitch")
"""The kinds of data that the walker makes."""
_OGBENCH_SIZES = ("medium", "large", "giant")

NAVIGATION: tuple[Task, ...] = (
    _TWO_ROOMS,
    *(_point_maze(size, jax=False) for size in _SIZES),
    *(_point_maze(size, jax=True) for size in _SIZES),
    *(_dense(size) for size in _SIZES),
    *(_walks(size, kind) for size in _SIZES for kind in _KINDS),
    *(_walks(size, "navigate", dense=True) for size in _SIZES),
    _DIVERSE,
    *(_maze2d(size) for size in _SIZES),
    *(_ogbench_point(size, kind) for size in _OGBENCH_SIZES for kind in ("navigate", "stitch")),
    *(_ant_maze(size, kind) for size in _SIZES for kind in ("", *_WALKS)),
    *(_ogbench_ant(size, kind) for size in _OGBENCH_SIZES for kind in ("", *_WALKS)),
)
