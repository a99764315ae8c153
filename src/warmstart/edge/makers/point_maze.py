"""Floor 7: logged data for the point mazes, from a waypoint controller with its own errands.

As in D4RL's maze2d and antmaze (Fu et al. 2020) the data come from trips between random places,
and one place is called the goal. An episode is a stream: the ball starts anywhere, drives to a
random cell, then to the next, until it passes the evaluation goal (reward 1, terminated: the
stream is cut there) or the time is up (truncated). That is D4RL's relabelling, done while driving.
Some trips head for the goal, else a small dataset would hardly ever reach it. The gains 10 and -1
are those of D4RL's generator; the waypoints, cell centres in breadth-first order, are our own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from warmstart.edge.makers.roll import Episodes, Progress, roll
from warmstart.errors import TaskError
from warmstart.tasks import Maze, get_maze
from warmstart.types import Dataset, HostEnv

_STIFFNESS, _DAMPING = 10.0, 1.0
_ASIDE = 0.25  # farther than this off a corridor's middle line: centre first, then go on
_ARRIVED = 0.45


def make_point_maze(
    env: HostEnv,
    seed: int,
    episodes: Episodes = 40,
    progress: Progress | None = None,
    *,
    maze: str = "large",
    noise: float = 1.0,
    goal_share: float = 0.2,
) -> Dataset:
    """`episodes` streams of noisy trips, in a MuJoCo or a JAX maze.

    Args:
        env: observes [x, y, vx, vy].
        seed: of starts, trips and noise.
        episodes: how many streams, or which.
        progress: called with (episodes done, episodes in all).
        maze: "umaze", "medium" or "large": the map that `env` has.
        noise: standard deviation of the Gaussian added to each action before clipping.
        goal_share: share of trips that head for the evaluation goal, on top of chance.

    Raises:
        TaskError: `env` is not a point maze, or a share outside [0, 1].
    """
    if env.spec.obs_dim != 4 or env.spec.action_dim != 2:
        raise TaskError(
            f"The maker 'point_maze' steers 4 observations and 2 actions, this environment has "
            f"{env.spec.obs_dim} and {env.spec.action_dim}: use it with a pointmaze task."
        )
    if not 0.0 <= goal_share <= 1.0:
        raise TaskError(f"goal_share is {goal_share}: choose a share between 0 and 1.")
    plan = get_maze(maze)

    def driver(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
        return _Driver(plan, rng, noise, goal_share)

    return roll(env, driver, seed, episodes, progress)


class _Driver:
    """Drives one stream: keeps the present trip's target and picks the next on arrival.

    Plain floats throughout: NumPy on two numbers would cost as much as the simulator.
    """

    def __init__(
        self, maze: Maze, rng: np.random.Generator, noise: float, goal_share: float
    ) -> None:
        self._maze, self._rng, self._noise, self._goal_share = maze, rng, noise, goal_share
        self._up, self._left = maze.walls.shape[0] / 2, maze.walls.shape[1] / 2
        self._pick()

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        x, y, *velocity = obs.tolist()
        if math.hypot(x - self._target[0], y - self._target[1]) <= _ARRIVED:
            self._pick()
        noise = self._rng.standard_normal(2).tolist()
        action = [
            _STIFFNESS * (to - at) - _DAMPING * speed + self._noise * jolt
            for to, at, speed, jolt in zip(
                self._waypoint(x, y), (x, y), velocity, noise, strict=True
            )
        ]
        return np.array([min(max(a, -1.0), 1.0) for a in action], np.float32)

    def _pick(self) -> None:
        home = self._rng.random() < self._goal_share
        i, j = self._maze.goal_cell if home else self._rng.choice(self._maze.free)
        self._target = self._centre(int(i), int(j))
        self._ahead = _next_cells(self._maze, (int(i), int(j)))

    def _centre(self, i: int, j: int) -> tuple[float, float]:
        return j + 0.5 - self._left, self._up - i - 0.5

    def _waypoint(self, x: float, y: float) -> tuple[float, float]:
        here = self._maze.cell(x, y)
        ahead = self._ahead.get(here, here)
        middle, target = self._centre(*here), self._centre(*ahead)
        if ahead[1] != here[1]:
            return target if abs(y - middle[1]) <= _ASIDE else (middle[0], target[1])
        return target if abs(x - middle[0]) <= _ASIDE else (target[0], middle[1])


@lru_cache(maxsize=256)
def _next_cells(maze: Maze, goal: tuple[int, int]) -> dict[tuple[int, int], tuple[int, int]]:
    """For each free cell the neighbour that is one step nearer to `goal`."""
    field = maze.distances(goal)
    ahead = {}
    for i, j in map(tuple, maze.free.tolist()):
        for near in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if field[near] >= 0 and field[near] == field[i, j] - 1:
                ahead[i, j] = near
    return ahead
