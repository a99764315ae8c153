"""A ball that finds its way: cell centres in breadth-first order, and a controller.

The gains 10 and -1 are those of D4RL's generator (Fu et al. 2020); the waypoints are our own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from warmstart.tasks import Maze

_STIFFNESS, _DAMPING = 10.0, 1.0
_ASIDE = 0.25  # farther than this off a corridor's middle line: centre first, then go on


class BallController:
    """Drives one stream of trips: keeps the present trip's target, picks the next on arrival.

    Plain floats throughout: NumPy on two numbers would cost as much as the simulator.

    Args:
        maze: the map, in whose frame everything is.
        rng: of targets and noise.
        noise: standard deviation of the Gaussian added to each action before clipping.
        goal_share: share of trips that head for the goal, on top of chance.
        goal: (x, y) of that goal; None: the centre of the map's own goal cell.
        reach: targets lie at most so many cells' way from where the stream starts; 0: anywhere.
        random: share of actions that are uniform random instead.
        arrived: within this distance of a target the next one is picked.
    """

    def __init__(
        self,
        maze: Maze,
        rng: np.random.Generator,
        noise: float,
        goal_share: float = 0.0,
        goal: tuple[float, float] | None = None,
        reach: int = 0,
        random: float = 0.0,
        arrived: float = 0.45,
    ) -> None:
        self._maze, self._rng, self._noise, self._goal_share = maze, rng, noise, goal_share
        self._up, self._left = maze.walls.shape[0] / 2, maze.walls.shape[1] / 2
        self._home = self._centre(*maze.goal_cell) if goal is None else goal
        self._reach, self._random, self._arrived = reach, random, arrived
        self._cells: Any = None if reach else maze.free
        self._target: tuple[float, float] | None = None

    def __call__(self, x: float, y: float, velocity: Sequence[float]) -> np.ndarray:
        """[2] float32 force in [-1, 1] at this place with this velocity."""
        if self._cells is None:
            way = self._maze.distances(self._maze.cell(x, y))
            self._cells = np.argwhere((way >= 0) & (way <= self._reach))
        target = self._target or self._pick()
        if math.hypot(x - target[0], y - target[1]) <= self._arrived:
            self._pick()
        if self._random and self._rng.random() < self._random:
            return self._rng.uniform(-1.0, 1.0, 2).astype(np.float32)
        noise = self._rng.standard_normal(2).tolist()
        action = [
            _STIFFNESS * (to - at) - _DAMPING * speed + self._noise * jolt
            for to, at, speed, jolt in zip(
                self._waypoint(x, y), (x, y), velocity, noise, strict=True
            )
        ]
        return np.array([min(max(a, -1.0), 1.0) for a in action], np.float32)

    def _pick(self) -> tuple[float, float]:
        """The next target, which is also the present one from now on."""
        home = self._rng.random() < self._goal_share
        target = self._home if home else self._centre(*self._rng.choice(self._cells).tolist())
        self._target, self._ahead = target, next_cells(self._maze, self._maze.cell(*target))
        return target

    def _centre(self, i: int, j: int) -> tuple[float, float]:
        return j + 0.5 - self._left, self._up - i - 0.5

    def _waypoint(self, x: float, y: float) -> tuple[float, float]:
        here = self._maze.cell(x, y)
        ahead = self._ahead.get(here)
        if ahead is None:  # in the target's own cell, or (softly) inside a wall
            return self._target or (x, y)
        middle, target = self._centre(*here), self._centre(*ahead)
        if ahead[1] != here[1]:
            return target if abs(y - middle[1]) <= _ASIDE else (middle[0], target[1])
        return target if abs(x - middle[0]) <= _ASIDE else (target[0], middle[1])


@lru_cache(maxsize=256)
def next_cells(maze: Maze, goal: tuple[int, int]) -> dict[tuple[int, int], tuple[int, int]]:
    """For each free cell but `goal` the neighbour that is one step nearer to `goal`."""
    field = maze.distances(goal)
    ahead = {}
    for i, j in map(tuple, maze.free.tolist()):
        for near in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if field[near] >= 0 and field[near] == field[i, j] - 1:
                ahead[i, j] = near
    return ahead
