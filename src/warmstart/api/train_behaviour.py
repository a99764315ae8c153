"""Train a robot's behaviour policies, and make the replay set of the medium one again.

Both are one declared run of SAC in a folder, killed and resumed like any other run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np

from warmstart.api.declare import Declared, declare
from warmstart.api.driver import Driver, Interrupted, Observer
from warmstart.api.prepare import problem_of
from warmstart.data.makers import data_root, trained_folder
from warmstart.data.manifest import holds, save_folder
from warmstart.engine import RunEvent
from warmstart.replay import Layout
from warmstart.runs.folder import create_run, open_run
from warmstart.tasks import Task
from warmstart.tasks.behaviour import behaviour
from warmstart.types import Dataset

EVERY = 10_000
"""Environment steps between two evaluations, each of 10 episodes of the policy's mode."""

Seen = Callable[[int, float, dict[str, np.ndarray]], None]
"""Called with (environment steps, score, the actor's arrays by name)."""


class _Enough(Exception):
    """The training has taken the steps that were wanted."""


def declared_training(robot: str, steps: int, seed: int = 0) -> Declared:
    """SAC on a robot, nothing forgotten by its buffer."""
    every = {"online_every": EVERY, "episodes": 10}
    changes = {"replay.capacity": steps}
    return declare("sac", robot, seeds=(seed,), steps=steps, changes=changes, schedule=every)


def train(
    declared: Declared,
    folder: Path,
    observe: Observer,
    seen: Seen | None = None,
    stop: int | None = None,
) -> np.ndarray:
    """Train, or go on training, in `folder`; the rows [N, W] of all steps taken.

    Args:
        declared: see `declared_training`.
        folder: of the run; made where there is none.
        observe: sees every event.
        seen: sees the actor at each evaluation.
        stop: an evaluated number of environment steps at which to stop; None: the end.

    Raises:
        Interrupted: asked to stop; the same call goes on.
    """
    if folder.exists():
        declared = Declared.from_json(open_run(folder))
    else:
        create_run(folder.parent, folder.name, declared.to_json())
    driver = Driver(folder, declared)

    def watch(event: RunEvent) -> None:
        if event.kind == "progress" and stop is not None:
            event = replace(event, values={**event.values, "total": stop})
        observe(event)
        if event.kind == "eval" and event.tag != "frozen" and seen is not None:
            actor = driver.trainer.state.get(lambda state: state.nets["actor"]).host()
            leaves = jax.tree_util.tree_leaves_with_path(actor)
            arrays = {jax.tree_util.keystr(path): np.asarray(leaf)[0] for path, leaf in leaves}
            seen(event.env_steps, event.values["score"], arrays)
        if stop is not None and event.kind == "safe" and event.env_steps >= stop:
            raise _Enough

    try:
        driver.go("done", watch)
    except _Enough:
        pass
    finally:
        rows = driver.trainer.rows(0, driver.trainer.collected)[0]
        driver.close()
    return rows if stop is None else rows[:stop]


def make_replay(
    task: Task, root: Path | None = None, observe: Observer = lambda event: None
) -> Path:
    """The folder of a robot's `medium-replay` data: made by training again, unless it is there.

    The training is the one whose medium policy is shipped; on another machine or with other
    package versions it takes another course, and the manifest holds the versions.

    Raises:
        Interrupted: asked to stop; the same call goes on.
    """
    folder, recipe = trained_folder(task, Path(root or data_root()))
    workspace = folder.with_name(f".{folder.name}.training")
    if holds(folder, recipe):
        shutil.rmtree(workspace, ignore_errors=True)  # of a process that was killed just then
        return folder
    known = behaviour(recipe["kwargs"]["robot"])
    declared = declared_training(known.robot, known.steps, known.seed)
    again = f"go on with `warmstart data make {task.name}`"
    try:
        rows = train(declared, workspace, observe, stop=recipe["kwargs"]["steps"])
    except Interrupted as asked:
        raise Interrupted(
            f"the training is saved; go on with: warmstart data make {task.name}"
        ) from asked
    save_folder(as_dataset(rows, declared), folder, recipe, again)
    shutil.rmtree(workspace, ignore_errors=True)
    return folder


def as_dataset(rows: np.ndarray, declared: Declared) -> Dataset:
    """Rows [N, W] of a buffer with the environment's raw rewards; the last one ends an episode."""
    task = declared.task
    t = Layout.of(problem_of(declared, examine=False).spec).unpack(rows)
    terminated = np.asarray(t.mask) == 0.0
    ends = np.asarray(t.last) > 0
    ends[-1] = True
    rewards = (np.asarray(t.reward, np.float64) - task.reward.bias) / task.reward.scale
    return Dataset(
        obs=np.ascontiguousarray(t.obs),
        actions=np.ascontiguousarray(t.action),
        rewards=rewards.astype(np.float32),
        terminated=terminated,
        truncated=ends & ~terminated,
        next_obs=np.ascontiguousarray(t.next_obs),
    )
