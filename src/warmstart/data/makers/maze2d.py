"""D4RL's maze2d data: one stream from target to target, told as rewards of one goal.

As D4RL's generator (Fu et al. 2020): a target cell is drawn, the way there is a row of cells, each
but the last moved by up to 0.2 towards smaller rows and columns; a controller (gains 10 and -1)
goes to the next when it is within 0.1 of one. At the target, or after the task's time limit, the
next is drawn and the ball goes on from where it is: there the stream is cut, and nothing ends.
Rewards are those of the task's goal. Not repeated are rewards one row late and the row behind a
cut that shows the place before it, both in the released files, and targets in the cell where the
ball is, which are trips of one row. Every `STREAM` steps the ball starts again, so that the rows
can be made in parts; D4RL's never does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from warmstart.data.makers.ball import next_cells
from warmstart.data.makers.roll import Episodes, Progress, roll
from warmstart.envs.make import GymEnv
from warmstart.envs.maze2d import NAMES
from warmstart.errors import TaskError
from warmstart.tasks import MAZES, Maze
from warmstart.types import Dataset, HostEnv

STREAM = 20_000
NEAR, JITTER, GAIN, DAMPING = 0.1, 0.2, 10.0, 1.0


def make_maze2d(
    env: HostEnv,
    seed: int,
    episodes: Episodes = 50,
    progress: Progress | None = None,
    *,
    noise: float = 0.0,
) -> Dataset:
    """`episodes` streams of 20,000 steps, cut where a target is reached or time is up.

    Args:
        env: one of the maze2d tasks' environments.
        seed: of starts, targets, ways and noise.
        episodes: how many streams, or which.
        progress: called with (streams done, streams in all).
        noise: standard deviation of the Gaussian added to each action before clipping; D4RL's
            `-noisy` files have 0.5.

    Raises:
        TaskError: another environment.
    """
    size = NAMES.get(env.task.env_id or "") if isinstance(env, GymEnv) else None
    if size is None:
        raise TaskError("The maker 'maze2d' needs a maze2d task's environment: use it with one.")
    maze, cuts = MAZES[size], []

    def policy(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
        way = Waypoints(maze, rng)
        cuts.append(way.cuts)

        def act(obs: np.ndarray) -> np.ndarray:
            action = way(obs.astype(np.float64))
            if noise:
                action = action + noise * rng.standard_normal(2)
            return np.clip(action, -1.0, 1.0).astype(np.float32)

        return act

    rows = roll(env, policy, seed, episodes, progress, stream=STREAM)
    truncated = rows.truncated.copy()
    for number, steps in enumerate(cuts):
        truncated[number * STREAM + np.array(steps, int) - 1] = True
    told = replace(rows, truncated=truncated, terminated=np.zeros(len(rows), bool))
    paid = [bool(told.rewards[start:stop].any()) for start, stop in told.episodes()]
    info = {"successes": paid, "success_rate": float(np.mean(paid))}
    return replace(told, info=info)


class Waypoints:
    """Drives one stream. `cuts`: after how many steps each trip ended."""

    def __init__(self, maze: Maze, rng: np.random.Generator) -> None:
        self._maze, self._rng = maze, rng
        self._steps = self._begun = 0
        self._way: list[np.ndarray] = []
        self.cuts: list[int] = []

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        """[2] force, not clipped, for position and velocity [4]."""
        place, velocity = obs[:2], obs[2:]
        if not self._way:
            self._set_out(place)
        near = np.linalg.norm(place - self._way[0]) < NEAR
        aim = self._way[0]
        if near and len(self._way) > 1:
            self._way.pop(0)
        self._steps += 1
        arrived = near and len(self._way) == 1 and aim is self._way[0]
        if arrived or self._steps - self._begun >= self._maze.horizon:
            self.cuts.append(self._steps)
            self._begun, self._way = self._steps, []
        return GAIN * (aim - place) - DAMPING * velocity

    def _set_out(self, place: np.ndarray) -> None:
        """A new target and the way there."""
        cell = self._maze.cell(*place)
        others = [other for other in map(tuple, self._maze.free.tolist()) if other != cell]
        target = others[self._rng.integers(len(others))]
        ahead = next_cells(self._maze, target)
        while cell in ahead and (cell := ahead[cell]) != target:
            jolt = self._rng.uniform(0.0, JITTER, 2) * (-1.0, 1.0)  # fewer columns, fewer rows
            self._way.append(self._maze.centre(np.array(cell)) + jolt)
        self._way.append(self._maze.centre(np.array(target)))
