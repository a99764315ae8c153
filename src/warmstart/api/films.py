"""An episode before and after, for people: a film, or in a maze the paths taken."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.engine.episodes import EVALUATE, episode_seed
from warmstart.envs.make import make_env
from warmstart.errors import RunError, WarmstartError
from warmstart.files.durable import make_folder, write_atomic
from warmstart.reports.video import record_episode, trajectory_figure
from warmstart.tasks import Task, get_maze
from warmstart.user_code.trust import code_of, name_code

LOG = logging.getLogger("warmstart")
PATHS = 20
"""Episodes drawn in one figure of a maze."""
LONGEST = 500
"""Steps of a film."""
FILM_SECONDS = 180


def make_films(driver: Any) -> None:
    """`videos/before.*` (the frozen pre-trained policy) and `videos/after.*` of the first seed.

    In the point mazes the figure shows the paths of the first fixed evaluation episodes. Where a
    simulator cannot draw, nothing is written and the log says why. Raises RunError where the disk
    takes no more.
    """
    trainer = driver.trainer
    folder = driver.folder / "videos"
    for name, pretrained in (("before", True), ("after", False)):
        if pretrained and not driver.declared.recipe.pretrain:
            continue
        make_folder(folder)
        task = driver.declared.task
        kwargs = task.data.kwargs if task.data is not None else {}
        maze = kwargs.get("maze") if task.goal_cell is not None else None
        if maze is not None:
            _paths(trainer, get_maze(maze), folder / f"{name}.png", pretrained)
        elif not _film(driver, folder / f"{name}.mp4", pretrained):
            break


def _played(trainer: Any, pretrained: bool, episodes: int) -> list[Any]:
    learner = trainer.carries.learner(trainer.position)
    at, state = trainer.position, trainer.state
    return trainer.evaluator.play(at, learner, state, episodes, 0, pretrained)[0]


def _paths(trainer: Any, maze: Any, path: Any, pretrained: bool) -> None:
    paths = [played.obs[:, :2] for played in _played(trainer, pretrained, PATHS)]
    figure = trajectory_figure(maze.walls, paths, maze.goal)
    write_atomic(path, lambda file: figure.savefig(file, dpi=110, bbox_inches="tight"))


def _film(driver: Any, path: Path, pretrained: bool) -> bool:
    """Play the first fixed episode's actions again, in a process of its own that draws.

    False where that fails, which the log tells. A graphics library that finds no display may end
    the whole process: not this one.
    """
    played = _played(driver.trainer, pretrained, 1)[0]
    task = driver.declared.task
    order = {
        "task": json.loads(task.to_json()),
        "code": code_of(task.env_id, task.env_kwargs),  # which has run in this process
        "seed": episode_seed(driver.declared.seeds[0], EVALUATE, 0),
        "actions": played.actions[:LONGEST].tolist(),
        "path": str(path),
    }
    environment = {"MUJOCO_GL": "egl", **os.environ, "JAX_PLATFORMS": "cpu"}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "warmstart.api.films"],
            input=json.dumps(order),
            env=environment,
            capture_output=True,
            text=True,
            timeout=FILM_SECONDS,
            check=False,
        )
        reason = done.stdout.strip() or (done.stderr.strip().splitlines() or ["it crashed"])[-1]
        failed = done.returncode != 0 or not path.parent.is_dir()
    except subprocess.TimeoutExpired:
        failed, reason = True, f"drawing took longer than {FILM_SECONDS} seconds"
    if failed and reason.startswith("Cannot write"):
        raise RunError(reason)
    if failed:
        LOG.info("No films: this simulator cannot draw here (%s).", reason.rstrip("."))
    return not failed


def draw(order: dict[str, Any]) -> bool:
    """Film an order of `_film`; False where the simulator gives no pictures."""
    actions = [np.asarray(action, np.float32) for action in order["actions"]]
    left = iter(actions)
    name_code(order["code"])
    env = make_env(Task.from_json(json.dumps(order["task"])), render=True)()
    try:
        film = record_episode(
            env, lambda _: next(left), order["seed"], Path(order["path"]), max_steps=len(actions)
        )
    finally:
        env.close()
    return film is not None


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s", force=True)  # its last line is the reason
    try:
        drawn = draw(json.load(sys.stdin))
    except WarmstartError as error:
        drawn = False
        print(error)
    sys.exit(0 if drawn else 1)
