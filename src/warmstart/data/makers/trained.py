"""Where the rows of a repeated training lie; `warmstart.api.train_behaviour` makes them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from warmstart.data.manifest import arithmetic, holds, package_versions
from warmstart.errors import TaskError
from warmstart.tasks import Task
from warmstart.tasks.behaviour import behaviour

TRAINING = "training"
"""The maker of these tasks."""
_PACKAGES = ("warmstart", "numpy", "jax", "gymnasium", "mujoco")


def trained_folder(task: Task, root: Path) -> tuple[Path, dict[str, Any]]:
    """The folder of a task whose rows are a learner's buffer, and the recipe of its manifest.

    Raises:
        TaskError: no behaviour policy of the robot is shipped.
    """
    assert task.data is not None
    known = behaviour(task.data.kwargs["robot"])
    recipe = {
        "task": task.name,
        "env_id": task.env_id,
        "env_kwargs": dict(task.env_kwargs),
        "maker": TRAINING,
        "kwargs": dict(task.data.kwargs),
        "method": known.method,
        "seed": known.seed,
        "packages": package_versions(_PACKAGES),
        "arithmetic": arithmetic(),
    }
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
    return root / f"{task.name}-seed{known.seed}-{digest[:10]}", recipe


def made_before(task: Task, root: Path) -> Path:
    """The folder, where it is there. Raises TaskError with the command that makes it."""
    folder, recipe = trained_folder(task, root)
    if not holds(folder, recipe):
        raise TaskError(
            f"The data of '{task.name}' are a learner's own buffer, which takes minutes of "
            f"training: make them first with `warmstart data make {task.name}`."
        )
    return folder
