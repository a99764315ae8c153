"""Logged data for the point mazes, from a controller with its own subtasks.

As in D4RL's maze2d and antmaze (Fu et al. 2020) the data come from trips between random places,
and one place is called the goal. An episode is a stream: the ball starts anywhere, drives to a
random cell, then to the next, until it passes the evaluation goal (reward 1, terminated: the
stream is cut there) or the time is up (truncated). That is D4RL's relabelling, done while driving.
Some trips head for the goal, else a small dataset would hardly ever reach it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from warmstart.data.makers.ball import BallController
from warmstart.data.makers.roll import Episodes, Progress, roll
from warmstart.errors import TaskError
from warmstart.tasks import get_maze
from warmstart.types import Dataset, HostEnv


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
        env: observes [x, y, vx, vy], or where the goal changes from episode to episode
            [x, y, goal x, goal y, x, y, vx, vy].
        seed: of starts, trips and noise.
        episodes: how many streams, or which.
        progress: called with (episodes done, episodes in all).
        maze: "umaze", "medium" or "large": the map that `env` has.
        noise: standard deviation of the Gaussian added to each action before clipping.
        goal_share: share of trips that head for the evaluation goal, on top of chance.

    Raises:
        TaskError: `env` is not a point maze, or a share outside [0, 1].
    """
    if env.spec.obs_dim not in (4, 8) or env.spec.action_dim != 2:
        raise TaskError(
            f"The maker 'point_maze' steers 4 observations and 2 actions, this environment has "
            f"{env.spec.obs_dim} and {env.spec.action_dim}: use it with a pointmaze task."
        )
    if not 0.0 <= goal_share <= 1.0:
        raise TaskError(f"goal_share is {goal_share}: choose a share between 0 and 1.")
    plan, tells_goal = get_maze(maze), env.spec.obs_dim == 8

    def policy(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
        if not tells_goal:
            drive = BallController(plan, rng, noise, goal_share)
            return lambda obs: _steer(drive, obs)
        driver: list[BallController] = []

        def act(obs: np.ndarray) -> np.ndarray:
            if not driver:
                driver.append(
                    BallController(plan, rng, noise, goal_share, (obs[2].item(), obs[3].item()))
                )
            return _steer(driver[0], obs[4:])

        return act

    return roll(env, policy, seed, episodes, progress)


def _steer(drive: BallController, obs: np.ndarray) -> np.ndarray:
    x, y, *velocity = obs.tolist()
    return drive(x, y, velocity)
