"""Mazes: where the walls are, which cells the data visit, whether they reach the goal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.data.checks.case import Case
from warmstart.data.checks.finding import Finding, found
from warmstart.tasks.maps import GOAL_RADIUS
from warmstart.tasks.point_maze import PointMaze
from warmstart.types import HostEnv


@dataclass(frozen=True)
class Place:
    """A maze seen from above, its centre at (0, 0).

    Attributes:
        walls: [rows, columns] bool, row 0 at the top.
        size: side of a cell.
        goal: (x, y) where it is the same in every episode, else None.
    """

    walls: np.ndarray
    size: float
    goal: np.ndarray | None

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """(left, right, bottom, top)."""
        rows, columns = self.walls.shape
        x, y = columns / 2 * self.size, rows / 2 * self.size
        return -x, x, -y, y

    def cells(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(row [K], column [K]) of positions [K, 2], the nearest cell for those outside."""
        left, _, _, top = self.extent
        rows = np.floor((top - positions[:, 1]) / self.size).astype(int)
        columns = np.floor((positions[:, 0] - left) / self.size).astype(int)
        height, width = self.walls.shape
        return np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)


def place_of(env: HostEnv | None) -> Place | None:
    """The maze of an environment whose observations begin with the position, else None.

    Goal dictionaries do, since "achieved_goal" comes first in sorted order; so do the point
    mazes with a fixed goal. A walker with a fixed goal does not observe where it is.
    """
    simulator: Any = getattr(env, "simulator", None)
    if isinstance(simulator, PointMaze):
        return Place(simulator.maze.walls, 1.0, simulator.maze.goal)
    maze: Any = getattr(simulator, "maze", None)
    if env is None or not hasattr(maze, "maze_size_scaling"):
        return None
    task = getattr(env, "task", None)
    fixed = task is not None and task.goal_cell is not None
    if fixed and env.spec.obs_dim != 4:
        return None
    goal = maze.cell_rowcol_to_xy(np.array(task.goal_cell)) if fixed and task else None
    walls = np.array([[cell == 1 for cell in row] for row in maze.maze_map])
    return Place(walls, float(maze.maze_size_scaling), goal)


def places(case: Case) -> list[Finding]:
    """rows-in-walls, place-coverage, goal-never-reached."""
    place = place_of(case.env)
    if place is None:
        return []
    at = case.data.obs[:, :2]
    cells = place.cells(at)
    inside = np.flatnonzero(place.walls[cells])
    if len(inside) > 0.01 * len(at):
        what = f"{len(inside) / len(at):.0%} of the positions lie inside walls"
        return [found("rows-in-walls", "error", what, inside, share=len(inside) / len(at))]
    free = int(np.sum(~place.walls))
    seen = np.zeros(place.walls.shape, bool)
    seen[cells] = True
    visited = int(np.sum(seen & ~place.walls))
    what = f"the data visit {visited} of {free} free cells"
    findings = [found("place-coverage", "note", what, "positions", visited=visited, free=free)]
    if place.goal is not None:
        near = np.linalg.norm(case.data.next_obs[:, :2] - place.goal, axis=1).min()
        if near > GOAL_RADIUS:
            what = f"no row comes nearer to the goal than {near:.2f}"
            where = f"goal at ({place.goal[0]:g}, {place.goal[1]:g})"
            findings.append(found("goal-never-reached", "warning", what, where, nearest=near))
    return findings
