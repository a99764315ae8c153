"""The point mazes on paper: cells, walls, and the way from cell to cell.

The three maps are those of D4RL's maze2d (Fu et al. 2020), which Gymnasium-Robotics keeps for
its PointMaze environments; so are the evaluation goals. The starts are our own: a ball that is
pushed in one direction all the time slides along the walls to the goal from 40 % of the cells of
the large maze and 58 % of the medium one, and from none of the start cells.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from warmstart.errors import TaskError, did_you_mean

GOAL_RADIUS = 0.45
"""Within this distance of the goal, in cells, an episode has succeeded."""
START_NOISE = 0.25
"""A start is uniform within this distance of a cell's centre, on both axes."""


@dataclass(frozen=True)
class Maze:
    """A map of unit cells, its centre at (0, 0), x to the right and y upwards.

    Attributes:
        rows: one string a row from the top, '#' for a wall.
        goal_cell: (row, column) of the evaluation goal.
        horizon: time limit in steps.
        start_cells: where the episodes of our tasks start.
    """

    rows: tuple[str, ...]
    goal_cell: tuple[int, int]
    horizon: int
    start_cells: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, cells: Sequence[Sequence[Any]], goal_cell: tuple[int, int], horizon: int) -> Maze:
        """From a map of Gymnasium-Robotics or OGBench, whose walls are ones."""
        rows = ("".join("#" if cell == 1 else " " for cell in row) for row in cells)
        return cls(tuple(rows), goal_cell, horizon)

    @cached_property
    def walls(self) -> np.ndarray:
        """[rows, columns] bool, true at a wall."""
        return np.array([[cell == "#" for cell in row] for row in self.rows])

    @cached_property
    def free(self) -> np.ndarray:
        """[cells, 2] (row, column) of the free cells in reading order."""
        return np.argwhere(~self.walls)

    @property
    def goal(self) -> np.ndarray:
        """[2] position of the evaluation goal, the centre of its cell."""
        return self.centre(np.array(self.goal_cell))

    def centre(self, cell: np.ndarray) -> np.ndarray:
        """[..., 2] (row, column) to [..., 2] (x, y) of the cell's centre."""
        height, width = self.walls.shape
        cell = np.asarray(cell)
        x = cell[..., 1] + 0.5 - width / 2
        y = height / 2 - cell[..., 0] - 0.5
        return np.stack([x, y], axis=-1)

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """The (row, column) that holds the point."""
        height, width = self.walls.shape
        return math.floor(height / 2 - y), math.floor(x + width / 2)

    def distances(self, goal: tuple[int, int]) -> np.ndarray:
        """[rows, columns] int, breadth-first steps to `goal`; -1 at walls and unreachable cells."""
        field = np.full(self.walls.shape, -1)
        field[goal] = 0
        queue = deque([goal])
        while queue:
            i, j = queue.popleft()
            for near in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
                if not self.walls[near] and field[near] < 0:
                    field[near] = field[i, j] + 1
                    queue.append(near)
        return field


MAZES: dict[str, Maze] = {
    "umaze": Maze(("#####", "#   #", "### #", "#   #", "#####"), (1, 1), 300, ((3, 1),)),
    "medium": Maze(
        (
            "########",
            "#  ##  #",
            "#  #   #",
            "##   ###",
            "#  #   #",
            "# #  # #",
            "#   #  #",
            "########",
        ),
        (6, 6),
        600,
        ((1, 5), (1, 6)),
    ),
    "large": Maze(
        (
            "############",
            "#    #     #",
            "# ## # # # #",
            "#      #   #",
            "# #### ### #",
            "#  # #     #",
            "## # # # ###",
            "#  #   #   #",
            "############",
        ),
        (7, 9),
        800,
        ((7, 1), (7, 2), (6, 2)),
    ),
}


def get_maze(name: str) -> Maze:
    """The maze "umaze", "medium" or "large"; TaskError for any other name."""
    if name not in MAZES:
        raise TaskError(f"There is no point maze '{name}'. {did_you_mean(name, MAZES)}")
    return MAZES[name]
