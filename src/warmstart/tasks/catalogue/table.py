"""All tasks that come with the package, in the order in which tables show them."""

from __future__ import annotations

from warmstart.errors import TaskError, did_you_mean
from warmstart.tasks.catalogue.dexterity import DEXTERITY
from warmstart.tasks.catalogue.locomotion import LOCOMOTION
from warmstart.tasks.catalogue.manipulation import MANIPULATION
from warmstart.tasks.catalogue.navigation import NAVIGATION
from warmstart.tasks.catalogue.toys import TOYS
from warmstart.tasks.task import Task

TASKS: dict[str, Task] = {
    task.name: task for task in (*NAVIGATION, *LOCOMOTION, *MANIPULATION, *DEXTERITY, *TOYS)
}
"""The tasks of the catalogue by name."""
DEFAULT_TASK = "pointmaze-large"


def get_task(name: str) -> Task:
    """The task of the catalogue with this name; TaskError names the nearest ones."""
    if name not in TASKS:
        raise TaskError(f"There is no task '{name}'. {did_you_mean(name, TASKS)}")
    return TASKS[name]
