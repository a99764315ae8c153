"""Floor 7: walks of OGBench's ant between many places of a maze, relabelled to the task's goal.

The way is `maze_walks`'; the legs are the shipped walker of `ant-walk`, told the direction of the
next waypoint. As in OGBench's data (Park et al. 2025) each action of the walker gets Gaussian
noise of deviation 0.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from warmstart.edge.environments import GymEnv
from warmstart.edge.makers.behaviour import load_policy
from warmstart.edge.makers.drive import Driver
from warmstart.edge.makers.maze_walks import KINDS, Ogbench
from warmstart.edge.makers.roll import Episodes, Progress, roll
from warmstart.errors import TaskError, did_you_mean
from warmstart.tasks import keep, relabel
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
    """`episodes` walks, relabelled to the task's goal: rows that begin there are left away.

    Args:
        env: an ant maze of OGBench with one goal.
        seed: of starts, targets, draws and noise.
        episodes: how many walks, or which; one that passes the goal gives several episodes.
        progress: called with (walks done, walks in all).
        kind: one of `maze_walks.KINDS`.

    Raises:
        TaskError: another environment, an unknown kind, or no walker is shipped.
    """
    if kind not in KINDS:
        raise TaskError(f"There are no '{kind}' walks. {did_you_mean(kind, KINDS)}")
    ours = isinstance(env, GymEnv) and type(env.simulator).__module__.startswith("ogbench.locomaze")
    if not isinstance(env, GymEnv) or not ours or env.spec.obs_dim != 29:
        raise TaskError(
            "The maker 'ant_walks' needs OGBench's ant in a maze, which this environment is not: "
            "use it with an ogbench-antmaze task."
        )
    walker = load_policy(WALKER, walker_level(), Spec(29, 8))
    ground, chosen = _Ant(env), KINDS[kind]

    def policy(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
        way = Driver(ground.maze, rng, 0.0, reach=chosen["reach"])

        def act(obs: np.ndarray) -> np.ndarray:
            if chosen["random"] and rng.random() < chosen["random"]:
                return rng.uniform(-1.0, 1.0, 8)
            ahead = ground.act(way, obs[:2])
            ahead = ahead / max(float(np.linalg.norm(ahead)), 1e-6)
            action = walker(np.concatenate([obs[2:], ahead]))
            return np.clip(action + NOISE * rng.standard_normal(8), -1.0, 1.0)

        return act

    steps = min(chosen["steps"], ground.maze.horizon)  # no episode may be longer than the task's
    walks = roll(ground, policy, seed, episodes, progress, stream=steps)
    return keep(*relabel(walks, ground.goal, ground.radius, **ground.told))


def walker_level() -> str:
    """Which of the shipped walkers walks: the best; TaskError where none is shipped."""
    return behaviour(WALKER).best or "medium"


class _Ant(Ogbench):
    """The same frame; only the place is set, the legs start as the environment has them."""

    def __init__(self, env: GymEnv) -> None:
        super().__init__(env)
        self.radius: float = env.simulator._goal_tol

    def reset(self, seed: int) -> np.ndarray:
        place: Any = super().reset(seed)
        whole = np.asarray(self._bare.get_ob(), np.float32)
        assert np.allclose(whole[:2], place, atol=1e-4)
        return whole
