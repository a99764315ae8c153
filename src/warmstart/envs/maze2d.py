"""D4RL's maze2d: a ball that is paid for staying near one goal, for ever.

The mazes and the ball are those of Gymnasium-Robotics' PointMaze, which took them over from D4RL
(Fu et al. 2020); reward, goal and starts are D4RL's, whose port has others.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import DependencyNotInstalled
from gymnasium.spaces import Box

from warmstart.envs.registry import is_installed
from warmstart.tasks import MAZES

NAMES = {f"warmstart/Maze2D-{size}-v0": size for size in MAZES}
RADIUS, START_NOISE, START_SPEED = 0.5, 0.1, 0.1
_THEIRS = {"umaze": "UMaze", "medium": "Medium", "large": "Large"}


class Maze2D(gymnasium.Wrapper):
    """The reward is 1 within 0.5 of the goal, else 0, and nothing ends an episode but time.

    Observation [4]: position and velocity; the goal, a cell's centre, is always the same. An
    episode starts within 0.1 of the centre of any free cell, the goal's included, with velocities
    of standard deviation 0.1.

    Args:
        maze: "umaze", "medium" or "large".
        render_mode: as Gymnasium's.
    """

    def __init__(self, maze: str, render_mode: str | None = None) -> None:
        port = f"PointMaze_{_THEIRS[maze]}-v3"
        if not is_installed(port):
            raise DependencyNotInstalled("gymnasium-robotics")
        theirs = gymnasium.make(
            port,
            render_mode=render_mode,
            continuing_task=True,
            reset_target=False,
            disable_env_checker=True,
        )
        super().__init__(theirs.unwrapped)
        self._maze = MAZES[maze]
        self._free = self._maze.centre(self._maze.free)
        high = np.full(4, np.inf)
        self.observation_space = Box(-high, high, dtype=np.float64)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """The first observation [4] and {}."""
        bare: Any = self.unwrapped
        self.env.reset(seed=seed, options={"goal_cell": np.array(self._maze.goal_cell)})
        bare.goal = self._maze.goal  # without the noise that the port adds
        bare.update_target_site_pos()
        draw = bare.np_random
        place = draw.choice(self._free) + draw.uniform(-START_NOISE, START_NOISE, 2)
        speed = START_SPEED * draw.standard_normal(2)
        bare.point_env.set_state(place, speed)
        return np.concatenate([place, speed]), {}

    def step(self, action: Any) -> Any:
        """One hundredth of a second."""
        seen, *_ = self.env.step(action)
        obs = seen["observation"]
        reward = float(np.linalg.norm(obs[:2] - self._maze.goal) <= RADIUS)
        return obs, reward, False, False, {}


for name, size in NAMES.items():
    if name not in gymnasium.registry:
        gymnasium.register(
            name,
            entry_point="warmstart.envs.maze2d:Maze2D",
            kwargs={"maze": size},
            max_episode_steps=MAZES[size].horizon,
        )
