"""Long walks between many places of a maze, relabelled to the one goal of the task.

The three kinds follow OGBench's maze data (Park et al. 2025): "navigate" crosses the whole maze,
"stitch" are short walks that stay near their start, so that the way to the goal has to be put
together from several; "noisy" is navigation of which three actions in four are random. Nothing
heads for the goal of the task on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from warmstart.data.makers.ball import BallController
from warmstart.data.makers.roll import Episodes, Progress, roll
from warmstart.envs.jax_host import JaxHostEnv
from warmstart.envs.make import GymEnv
from warmstart.errors import TaskError, did_you_mean
from warmstart.tasks import GOAL_RADIUS, Maze, RewardKind, keep, relabel
from warmstart.tasks.point_maze import PointMaze
from warmstart.types import Dataset, EnvStep, HostEnv, Spec

KINDS: dict[str, dict[str, Any]] = {
    "navigate": {"steps": 1000, "noise": 0.5, "random": 0.0, "reach": 0},
    "stitch": {"steps": 200, "noise": 0.5, "random": 0.0, "reach": 4},
    "noisy": {"steps": 1000, "noise": 0.5, "random": 0.75, "reach": 0},
}
"""Most steps of a walk; deviation of the noise of an action, which is clipped to [-1, 1] only then
(the controller asks for 10 a cell's width from its waypoint); share of uniform random actions; and
how many cells its targets may lie from its start (0: anywhere)."""


def make_maze_walks(
    env: HostEnv,
    seed: int,
    episodes: Episodes = 100,
    progress: Progress | None = None,
    *,
    kind: str = "navigate",
    maze: str = "",
    reward: RewardKind = "sparse",
) -> Dataset:
    """`episodes` walks, relabelled to the task's goal: rows that begin there are left out.

    Args:
        env: a point maze of Gymnasium-Robotics or in JAX with a fixed goal, or one of OGBench's.
        seed: of starts, targets and noise.
        episodes: how many walks, or which; one that passes the goal gives several episodes.
        progress: called with (walks done, walks in all).
        kind: one of `KINDS`.
        maze: the map's name, for figures; the map itself is the environment's.
        reward: "sparse" or "dense", see `warmstart.tasks.relabel`.

    Raises:
        TaskError: `env` is none of these mazes, or an unknown kind.
    """
    del maze
    if kind not in KINDS:
        raise TaskError(f"There are no '{kind}' walks. {did_you_mean(kind, KINDS)}")
    chosen = KINDS[kind]
    ground = _ground(env)

    def policy(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
        drive = BallController(
            ground.maze, rng, chosen["noise"], reach=chosen["reach"], random=chosen["random"]
        )
        return lambda obs: ground.act(drive, obs)

    steps = min(chosen["steps"], ground.maze.horizon)  # no episode may be longer than the task's
    walks = roll(ground, policy, seed, episodes, progress, stream=steps)
    return keep(*relabel(walks, ground.goal, ground.radius, reward=reward, **ground.told))


class Ground:
    """A maze whose frame is that of its map, with starts anywhere."""

    radius = GOAL_RADIUS
    told: ClassVar[dict[str, Any]] = {}

    def __init__(self, env: HostEnv, maze: Maze, goal: np.ndarray) -> None:
        self._env = env
        self.spec: Spec = env.spec
        self.maze: Maze = maze
        self.goal: np.ndarray = goal

    def reset(self, seed: int) -> np.ndarray:
        return self._env.reset(seed)

    def step(self, action: np.ndarray) -> EnvStep:
        return self._env.step(action)

    def render(self) -> None:
        """None: nobody looks on."""

    def close(self) -> None:
        self._env.close()

    def act(self, drive: BallController, obs: np.ndarray) -> np.ndarray:
        x, y, *velocity = obs.tolist()
        return drive(x, y, velocity)


class Ogbench(Ground):
    """OGBench's point is shifted by its actions and has no velocity; y grows downwards on its map.

    Its single-task environments start in one cell; a walk starts in any.
    """

    radius: ClassVar[float] = 1.0
    told: ClassVar[dict[str, Any]] = {"timing": "before", "failure": -1.0}

    def __init__(self, env: GymEnv) -> None:
        self._bare = bare = env.simulator
        home = bare.task_infos[bare._reward_task_id - 1]
        maze = Maze.of(bare.maze_map, tuple(home["goal_ij"]), env.spec.horizon)
        self._unit = bare._maze_unit
        height, width = maze.walls.shape
        self._corner = np.array([width / 2 - 0.5, height / 2 - 0.5])
        super().__init__(env, maze, np.array(home["goal_xy"], float))

    def reset(self, seed: int) -> np.ndarray:
        self._env.reset(seed)
        rng = np.random.default_rng(seed)
        cell = rng.choice(self.maze.free).tolist()
        place = np.array(self._bare.ij_to_xy(cell)) + rng.uniform(-1.0, 1.0, 2)
        self._bare.set_xy(place)
        return place.astype(np.float32)

    def act(self, drive: BallController, obs: np.ndarray) -> np.ndarray:
        x, y = (obs.astype(float) + self._bare._offset_x) / self._unit - self._corner
        return drive(x, -y, (0.0, 0.0)) * np.array([1.0, -1.0], np.float32)


def _ground(env: HostEnv) -> Ground:
    if isinstance(env, JaxHostEnv) and isinstance(env.simulator, PointMaze):
        return Ground(env, env.simulator.maze, env.simulator.maze.goal)
    if isinstance(env, GymEnv):
        bare, cell = env.simulator, env.task.goal_cell
        if hasattr(bare, "point_env") and cell is not None:
            maze = Maze.of(bare.maze.maze_map, cell, env.spec.horizon)
            return Ground(env, maze, maze.goal)
        if type(bare).__module__.startswith("ogbench.locomaze") and env.spec.obs_dim == 2:
            return Ogbench(env)
    raise TaskError(
        "The maker 'maze_walks' needs a point maze with one goal, which this environment is not: "
        "use it with a pointmaze task."
    )
