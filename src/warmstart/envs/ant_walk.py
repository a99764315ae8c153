"""OGBench's ant, asked to walk in a direction: what a maze's low-level policy learns on.

As the authors of OGBench trained the walker of their ant mazes (Park et al. 2025), but with the
environment's own random generator, so that an episode is a function of its seed.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import DependencyNotInstalled
from gymnasium.spaces import Box

NAME = "warmstart/AntWalk-v0"
ANEW = 100
"""Steps after which another direction is wanted."""


class AntWalk(gymnasium.Wrapper):
    """The reward of a step is how far the torso moved in the wanted direction, in metres.

    Observation: the 27 numbers of OGBench's ant (no position) and the direction, a unit vector.
    An episode ends (terminates) where the torso leaves the heights between 0.2 and 1 metre.
    """

    def __init__(self, render_mode: str | None = None) -> None:
        try:
            from ogbench.online_locomotion.ant import AntEnv
        except ImportError as error:
            raise DependencyNotInstalled("ogbench") from error
        super().__init__(AntEnv(render_mode=render_mode))
        low = np.full(29, -np.inf)
        self.observation_space = Box(low, -low, dtype=np.float64)
        self._way, self._steps = np.zeros(2), 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """The first observation [29] and {}."""
        obs, info = self.env.reset(seed=seed, options=options)
        self._steps = 0
        self._turn()
        return np.concatenate([obs, self._way]), info

    def step(self, action: Any) -> Any:
        """One step of a tenth of a second."""
        before = self._place()
        obs, _, terminated, truncated, _ = self.env.step(action)
        reward = float((self._place() - before) @ self._way)
        self._steps += 1
        if self._steps % ANEW == 0:
            self._turn()
        return np.concatenate([obs, self._way]), reward, terminated, truncated, {}

    def _turn(self) -> None:
        angle = self.unwrapped.np_random.uniform(-np.pi, np.pi)
        self._way = np.array([np.cos(angle), np.sin(angle)])

    def _place(self) -> np.ndarray:
        simulator: Any = self.unwrapped
        return simulator.data.qpos[:2].copy()


if NAME not in gymnasium.registry:
    gymnasium.register(NAME, entry_point="warmstart.envs.ant_walk:AntWalk", max_episode_steps=1000)
