"""The point maze as a JAX program: a ball with two motors that looks for one goal.

It follows PointMaze_*-v3 of Gymnasium-Robotics, episodic and sparse: in free space the two agree
to float32 rounding. At walls MuJoCo's contact is soft and ours is hard: there the ball sinks in by
up to a third of its radius and is pushed out over several steps. docs/tasks.md has the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.errors import TaskError
from warmstart.tasks.maps import GOAL_RADIUS, START_NOISE, get_maze
from warmstart.types import Array, Spec

_RADIUS, _TIME_STEP, _GEAR, _DAMPING, _TOP_SPEED = 0.1, 0.01, 100.0, 1.0, 5.0
_MASS = 1000.0 * 4.0 / 3.0 * np.pi * _RADIUS**3


class PointMazeState(NamedTuple):
    """Position [2], velocity [2] and steps taken in the episode."""

    position: Array
    velocity: Array
    t: Array


class PointMaze:
    """A `JaxEnv`: observation [4] = position and velocity, action [2] = force on both axes.

    The goal is fixed and therefore not observed. The raw reward is 1 within 0.45 of the goal,
    where the episode terminates, and 0 elsewhere; the time limit truncates.

    Args:
        maze: "umaze", "medium" or "large".
        start_cells: an episode starts in one of these (row, column), drawn evenly; none: in any
            free cell but the goal's, as in Gymnasium-Robotics. Either way with uniform noise of
            0.25 on both axes.
        horizon: time limit in steps; None: 300, 600 and 800 for the three mazes.
        frame_skip: hundredths of a second that one step takes; the action is held meanwhile, and
            a ball that passes the goal on the way has arrived.
        friction: share of its speed along a wall that a ball loses in a hundredth of a second in
            which it is pushed against it. At 0.9 nothing slides along walls any more, and what
            has learnt nothing gets stuck.

    Raises:
        TaskError: there is no such maze, or no start in one of the cells: a wall, or the goal.
    """

    def __init__(
        self,
        maze: str = "large",
        start_cells: Sequence[Sequence[int]] = (),
        horizon: int | None = None,
        frame_skip: int = 1,
        friction: float = 0.0,
    ) -> None:
        self.maze = get_maze(maze)
        self.frame_skip: int = frame_skip
        self.friction: float = friction
        self.spec: Spec = Spec(obs_dim=4, action_dim=2, horizon=horizon or self.maze.horizon)
        self._walls = np.array(self.maze.walls)
        free = [cell for cell in map(tuple, self.maze.free.tolist()) if cell != self.maze.goal_cell]
        cells = [tuple(cell) for cell in start_cells] or free
        for cell in cells:
            if cell not in free:
                raise TaskError(
                    f"No episode of the {maze} maze can start in cell {cell}: choose a free "
                    f"(row, column) other than the goal's, {self.maze.goal_cell}."
                )
        self._starts = self.maze.centre(np.array(cells)).astype(np.float32)
        self._goal = self.maze.goal.astype(np.float32)

    def reset(self, key: Array) -> tuple[PointMazeState, Array]:
        """A new episode at rest: the state and the observation [4]."""
        cell_key, noise_key = jax.random.split(key)
        start = jax.random.choice(cell_key, jnp.asarray(self._starts))
        noise = jax.random.uniform(noise_key, (2,), minval=-START_NOISE, maxval=START_NOISE)
        state = PointMazeState(start + noise, jnp.zeros(2, jnp.float32), jnp.zeros((), jnp.int32))
        return state, _observe(state)

    def step(
        self, state: Any, action: Array
    ) -> tuple[PointMazeState, Array, Array, Array, Array, Array]:
        """Hold an action for a step: state, obs [4], reward, terminated, truncated, success."""
        force = _GEAR * jnp.clip(action, -1.0, 1.0)

        def moved(_: Array, now: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            position, velocity = self._move(now[0], now[1], force)
            arrived = jnp.linalg.norm(position - self._goal) <= GOAL_RADIUS
            new = (position, velocity, arrived)
            return jax.tree.map(lambda before, after: jnp.where(now[2], before, after), now, new)

        start = (state.position, state.velocity, jnp.bool_(False))
        position, velocity, success = jax.lax.fori_loop(0, self.frame_skip, moved, start)
        state = PointMazeState(position, velocity, state.t + 1)
        truncated = (state.t >= self.spec.horizon) & ~success
        return state, _observe(state), success.astype(jnp.float32), success, truncated, success

    def _move(self, position: Array, velocity: Array, force: Array) -> tuple[Array, Array]:
        """One hundredth of a second."""
        velocity = jnp.clip(velocity, -_TOP_SPEED, _TOP_SPEED)
        # MuJoCo's Euler step treats joint damping implicitly.
        velocity += _TIME_STEP * (force - _DAMPING * velocity) / (_MASS + _TIME_STEP * _DAMPING)
        return self._collide(position + _TIME_STEP * velocity, velocity)

    def _collide(self, position: Array, velocity: Array) -> tuple[Array, Array]:
        """Keep the ball a radius away from walls and corners; the speed along them stays."""
        height, width = self._walls.shape
        walls = jnp.asarray(self._walls)
        row = jnp.floor(height / 2 - position[1]).astype(jnp.int32)
        column = jnp.floor(position[0] + width / 2).astype(jnp.int32)
        centre = jnp.stack([column + 0.5 - width / 2, height / 2 - row - 0.5])
        offset = position - centre
        side = jnp.where(offset > 0, 1, -1)
        i, j = row - side[1], column + side[0]
        # Straight ahead: the nearer wall of this cell on each axis.
        wall = jnp.stack([walls[row, j], walls[i, column]])
        hit = wall & (jnp.abs(offset) > 0.5 - _RADIUS)
        offset = jnp.where(hit, side * (0.5 - _RADIUS), offset)
        velocity = jnp.where(hit & (velocity * side > 0), 0.0, velocity)
        velocity = jnp.where(hit[::-1], (1.0 - self.friction) * velocity, velocity)
        # Diagonally: the nearest corner, which only matters where both ways past it are open.
        away = offset - 0.5 * side
        gap = jnp.sqrt(jnp.maximum(jnp.sum(away**2), 1e-12))
        normal = away / gap
        touch = walls[i, j] & ~jnp.any(wall) & (gap < _RADIUS)
        into = jnp.minimum(jnp.dot(velocity, normal), 0.0)
        offset = jnp.where(touch, offset + (_RADIUS - gap) * normal, offset)
        velocity = jnp.where(touch, velocity - into * normal, velocity)
        return centre + offset, velocity


def _observe(state: PointMazeState) -> Array:
    return jnp.concatenate([state.position, state.velocity]).astype(jnp.float32)
