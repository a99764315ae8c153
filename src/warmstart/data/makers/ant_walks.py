"""Walks of an ant between many places of a maze, relabelled to the task's goal.

The way is `maze_walks`'; the legs are the shipped walker of `ant-walk`, told the direction of the
next waypoint. As in OGBench's data (Park et al. 2025) each action of the walker gets Gaussian
noise of deviation 0.2. The walker learnt on OGBench's ant. Gymnasium-Robotics' has the same limbs
and five times the strength (gear 150 for 30), so that a fifth of each action moves it alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from warmstart.data.makers.ball import BallController
from warmstart.data.makers.maze_walks import KINDS, Ground, Ogbench
from warmstart.data.makers.roll import Episodes, Progress, roll
from warmstart.data.makers.shipped_policies import load_policy
from warmstart.envs.make import GymEnv
from warmstart.errors import TaskError, did_you_mean
from warmstart.tasks import Maze, keep, relabel
from warmstart.tasks.behaviour import behaviour
from warmstart.types import Dataset, HostEnv, Spec

WALKER = "ant-walk"
NOISE = 0.2


def make_ant_walks(
    env: HostEnv,
    seed: int,
    episodes: Episodes = 100,
    progress: Progress | None = None,
    *,
    kind: str = "navigate",
) -> Dataset:
    """`episodes` walks, relabelled to the task's goal: rows that begin there are left out.

    Args:
        env: an ant maze of OGBench or Gymnasium-Robotics with one goal.
        seed: of starts, targets, draws and noise.
        episodes: how many walks, or which; one that passes the goal gives several episodes.
        progress: called with (walks done, walks in all).
        kind: one of `maze_walks.KINDS`.

    Raises:
        TaskError: another environment, an unknown kind, or no walker is shipped.
    """
    if kind not in KINDS:
        raise TaskError(f"There are no '{kind}' walks. {did_you_mean(kind, KINDS)}")
    ground, chosen = _ground(env), KINDS[kind]
    walker = load_policy(WALKER, walker_level(), Spec(29, 8))

    def policy(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
        way = BallController(ground.maze, rng, 0.0, reach=chosen["reach"], arrived=ground.near)

        def act(obs: np.ndarray) -> np.ndarray:
            if chosen["random"] and rng.random() < chosen["random"]:
                return ground.strength * rng.uniform(-1.0, 1.0, 8)
            ahead = ground.act(way, obs[:2])
            ahead = ahead / max(float(np.linalg.norm(ahead)), 1e-6)
            action = walker(np.concatenate([obs[2:], ahead]))
            return ground.strength * np.clip(action + NOISE * rng.standard_normal(8), -1.0, 1.0)

        return act

    steps = min(chosen["steps"], ground.maze.horizon)  # no episode may be longer than the task's
    walks = roll(ground, policy, seed, episodes, progress, stream=steps)
    return keep(*relabel(walks, ground.goal, ground.radius, **ground.told))


def walker_level() -> str:
    """Which of the shipped walkers walks: the best; TaskError where none is shipped."""
    return behaviour(WALKER).best or "medium"


class _Ogbench(Ogbench):
    """The same frame; only the place is set, the legs start as the environment has them."""

    strength = 1.0

    def __init__(self, env: GymEnv) -> None:
        super().__init__(env)
        self.radius: float = env.simulator._goal_tol
        self.near = self.radius / self._unit

    def reset(self, seed: int) -> np.ndarray:
        place: Any = super().reset(seed)
        whole = np.asarray(self._bare.get_ob(), np.float32)
        assert np.allclose(whole[:2], place, atol=1e-4)
        return whole


class _Robotics(Ground):
    """A map whose cells are some metres wide; a walk starts in any, as the environment has it."""

    strength = 0.2

    def __init__(self, env: GymEnv) -> None:
        bare = env.simulator.maze
        assert env.task.goal_cell is not None
        maze = Maze.of(bare.maze_map, env.task.goal_cell, env.spec.horizon)
        super().__init__(env, maze, env.simulator.goal.copy())
        self._width: float = bare.maze_size_scaling
        self.near = self.radius / self._width

    def act(self, drive: BallController, obs: np.ndarray) -> np.ndarray:
        x, y = (obs.astype(float) / self._width).tolist()
        return drive(x, y, (0.0, 0.0))


def _ground(env: HostEnv) -> _Ogbench | _Robotics:
    if isinstance(env, GymEnv) and env.spec.obs_dim == 29:
        if type(env.simulator).__module__.startswith("ogbench.locomaze"):
            return _Ogbench(env)
        if hasattr(env.simulator, "ant_env") and env.task.goal_cell is not None:
            env.reset(0)  # the first reset puts the goal into its cell
            return _Robotics(env)
    raise TaskError(
        "The maker 'ant_walks' needs an ant in a maze with one goal, which this environment is "
        "not: use it with an antmaze or ogbench-antmaze task."
    )
