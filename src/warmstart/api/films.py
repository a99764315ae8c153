"""Floor 8: an episode before and after, for people: a film, or in a maze the paths taken."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from warmstart.edge.environments import make_env
from warmstart.edge.video import record_episode, trajectory_figure
from warmstart.engine.host import EVALUATE, episode_seed
from warmstart.tasks import get_maze

LOG = logging.getLogger("warmstart")
PATHS = 20
"""Episodes drawn in one figure of a maze."""


def make_films(driver: Any) -> None:
    """`videos/before.*` (the frozen pre-trained policy) and `videos/after.*` of the first seed.

    In the point mazes the figure shows the paths of the first fixed evaluation episodes. Where a
    simulator cannot draw, nothing is written and the log says why.
    """
    trainer = driver.trainer
    folder = driver.folder / "videos"
    for name, prior in (("before", True), ("after", False)):
        if prior and not driver.declared.recipe.pretrain:
            continue
        folder.mkdir(exist_ok=True)
        data = driver.declared.task.data
        maze = data.kwargs.get("maze") if data is not None else None
        if maze is not None:
            _paths(trainer, get_maze(maze), folder / f"{name}.png", prior)
        else:
            _film(driver, folder / f"{name}.mp4", prior)


def _played(trainer: Any, prior: bool, episodes: int) -> list[Any]:
    learner = trainer.carries.learner(trainer.position)
    at, state = trainer.position, trainer.state
    return trainer.looker.play(at, learner, state, episodes, 0, prior)[0]


def _paths(trainer: Any, maze: Any, path: Any, prior: bool) -> None:
    paths = [played.obs[:, :2] for played in _played(trainer, prior, PATHS)]
    figure = trajectory_figure(maze.walls, paths, maze.goal)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110, bbox_inches="tight")


def _film(driver: Any, path: Any, prior: bool) -> None:
    """Play the first fixed episode's actions again in an environment that draws."""
    played = _played(driver.trainer, prior, 1)[0]
    env = make_env(driver.declared.task, render=True)()
    actions = iter(played.actions)
    last = np.zeros_like(played.actions[0])
    try:
        record_episode(
            env,
            lambda _: next(actions, last),
            episode_seed(driver.declared.seeds[0], EVALUATE, 0),
            path,
            max_steps=min(played.length, 500),
        )
    finally:
        env.close()
