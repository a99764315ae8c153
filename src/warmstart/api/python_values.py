"""Environments, data and facts of a task that are handed in as Python values."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gymnasium

from warmstart.data.arrays import dataset_of_arrays
from warmstart.data.makers import dataset_for
from warmstart.data.makers.roll import Progress
from warmstart.envs.given import MARK, Handed, handed
from warmstart.errors import RunError, TaskError, did_you_mean
from warmstart.tasks import TASKS, DataSource, Task, custom_task, get_task
from warmstart.types import Dataset, HostEnv

if TYPE_CHECKING:
    from warmstart.api.declare import Declared

FACTS = (
    "horizon",
    "reward_scale",
    "reward_bias",
    "discount",
    "return_rule",
    "success",
    "success_when",
    "reference",
    "physical",
    "at_once",
)
"""What may be said of a task where it is named, as `custom_task` says it."""


def handed_in(
    env: Any, data: Any = None, facts: Mapping[str, Any] | None = None
) -> tuple[Task, Handed | None, Any]:
    """The task; the environment and the data where no name stands for them, else None.

    Args:
        env: a Task or its name; an environment's id, the object itself (of which there is one, as
            of a robot: `Task.physical`), a factory of such, or (observation space, action space).
        data: a path or Minari id, a `Dataset`, or arrays as `dataset_of_arrays` takes them.
        facts: `FACTS` by name, in place of the task's own.

    Raises:
        TaskError: no such task, nothing that is an environment, or facts that cannot be.
        RunError: facts of other names.
    """
    facts = dict(facts or {})
    for name in facts:
        if name not in FACTS:
            raise RunError(f"there is no argument '{name}'. {did_you_mean(name, FACTS)}")
    given = None
    if isinstance(env, Task) or (isinstance(env, str) and not _is_id(env)):
        task = env if isinstance(env, Task) else get_task(env)
        task = _with_facts(task, facts)
    elif isinstance(env, str):
        task = custom_task(env, **facts)
    else:
        given = handed(env)
        facts.setdefault("physical", not given.many)
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", given.name)
        task = custom_task(f"{MARK}{name}", name=name.lower(), **facts)
    if data is None:
        return task, given, None
    if isinstance(data, str | os.PathLike):
        return dataclasses.replace(task, data=DataSource(path=os.fspath(data))), given, None
    offset = None if task.data is None else task.data.obs_offset
    source = DataSource(path=f"{MARK}arrays", obs_offset=offset)
    return dataclasses.replace(task, data=source), given, data


def _is_id(name: str) -> bool:
    """Whether a text names an environment rather than a task of the catalogue."""
    if name in TASKS:
        return False
    return ":" in name or bool(re.search(r"-v\d+$", name)) or name in gymnasium.registry


def _with_facts(task: Task, facts: dict[str, Any]) -> Task:
    scale, bias = facts.pop("reward_scale", None), facts.pop("reward_bias", None)
    if scale is not None or bias is not None:
        told = {"scale": scale, "bias": bias}
        told = {name: value for name, value in told.items() if value is not None}
        facts["reward"] = dataclasses.replace(task.reward, **told)
    return dataclasses.replace(task, **facts)


def data_of(
    task: Task,
    arrays: Any,
    seed: int = 0,
    progress: Progress | None = None,
    env: HostEnv | None = None,
) -> Dataset:
    """A task's logged data, whichever way they come; `arrays` are those that were handed in.

    Raises:
        TaskError, DataError: as `dataset_for` and `dataset_of_arrays`.
    """
    path = None if task.data is None else task.data.path
    if arrays is None and path is not None and path.startswith(MARK):
        raise TaskError(
            "the data were handed in from Python and stand in no file; give them again as data="
        )
    if arrays is None:
        return dataset_for(task, seed=seed, progress=progress, env=env)
    offset = None if task.data is None else task.data.obs_offset
    horizon = task.horizon if env is None else env.spec.horizon
    return dataset_of_arrays(arrays, getattr(env, "action_box", None), horizon, offset)


def given_again(declared: Declared, env: Any, data: Any, policy: Any = None) -> Declared:
    """A declaration with the environment, the data and the base policy that are handed in now, as
    `handed_in` takes objects and arrays. Raises TaskError for an environment that is none."""
    task, given, arrays = declared.task, declared.env, declared.arrays
    if env is not None:
        given = handed(env)
        task = dataclasses.replace(task, physical=not given.many)
    if isinstance(data, str | os.PathLike):
        old = task.data or DataSource()
        task = dataclasses.replace(task, data=dataclasses.replace(old, path=os.fspath(data)))
    elif data is not None:
        arrays = data
    base = declared.base if policy is None else policy
    return dataclasses.replace(declared, task=task, env=given, arrays=arrays, base=base)
