"""`data check`: the data check's report on a terminal, as JSON, and as a figure."""

from __future__ import annotations

import dataclasses
import difflib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from warmstart.api.own import find_method, the_users
from warmstart.commands.arguments import source_of
from warmstart.commands.exits import FOUND_ERRORS
from warmstart.commands.options import DataCheck
from warmstart.commands.pairs import env_kwargs
from warmstart.data import load_source
from warmstart.data.checks import ISSUES, examine
from warmstart.data.makers import dataset_for
from warmstart.envs.make import make_env
from warmstart.envs.registry import is_installed
from warmstart.envs.trial import try_out
from warmstart.errors import DataError, RecipeError, TaskError, did_you_mean
from warmstart.recipe import Recipe
from warmstart.tasks import TASKS, Task, custom_task, get_task
from warmstart.types import Dataset, HostEnv
from warmstart.user_code.trust import code_of, name_code


def check_data(given: DataCheck) -> int:
    """Findings, the worst first; exit code 1 where one is an error."""
    dataset, env, task = _open(given)
    try:
        named = given.env is not None and not given.physical
        if named and env is not None and task is not None:
            try_out(env, task)
        report = examine(dataset, env, task, recipe=_recipe(given, task))
        path = None
        drawable = not any(ISSUES[finding.name].fatal for finding in report.errors)
        if drawable and (given.figure is not None or not given.json):
            path = _draw(given, dataset, env, task)
    finally:
        if env is not None:
            env.close()
    if given.json:
        print(json.dumps({**report.to_json(), "figure": None if path is None else str(path)}))
    else:
        from warmstart.data.checks.terminal import page

        console = Console(highlight=False)
        console.print(page(report))
        if path is not None:
            console.print(f"figure: {path}", soft_wrap=True, markup=False)
    return FOUND_ERRORS if report.errors else 0


def _open(given: DataCheck) -> tuple[Dataset, HostEnv | None, Task | None]:
    """The dataset, and the environment and task to compare it with: named, or told by the data."""
    if given.env is not None and given.task is not None:
        raise TaskError("both --env and --task are given; leave one of them out")
    if given.env_arg and given.env is None:
        raise RecipeError("--env-arg describes an environment; give --env too, or leave it out")
    own = given.data in TASKS and not Path(given.data).exists()
    if given.physical and given.env is None and (own or given.task is not None):
        raise TaskError(
            f"--physical describes an environment of your own, and '{given.task or given.data}' is "
            "a task with its own; leave --physical out, or use --env"
        )
    task = None
    if given.env is not None:
        kwargs = env_kwargs(given.env_arg)
        name_code(code_of(given.env, kwargs))
        task = custom_task(given.env, kwargs, physical=given.physical)
        task = _as_read(task, given)
    elif given.task is not None:
        task = _as_read(get_task(given.task), given)
    if own:
        task = task or get_task(given.data)
        env = make_env(task)()
        return dataset_for(get_task(given.data)), env, task
    if task is not None:
        env = make_env(task)()
        return _load(given, env), env, task
    dataset = _load(given, None)
    return _told(dataset, given)


def _recipe(given: DataCheck, task: Task | None) -> Recipe | None:
    """Of the method that shall learn from the data, if one is named."""
    if given.method is None:
        if given.preset is not None:
            raise RecipeError("--preset says whose numbers a method takes; give --method too")
        return None
    presets = find_method(the_users(given.method)).PRESETS
    preset = given.preset or (task.preset if task is not None else "paper")
    if preset not in presets and given.preset is not None:
        raise RecipeError(
            f"{given.method} has no preset '{preset}'. {did_you_mean(preset, presets)}"
        )
    return find_method(given.method).recipe(preset if preset in presets else "paper")


def _as_read(task: Task, given: DataCheck) -> Task:
    """The task with an offset of its observations, where the user says one."""
    if given.obs_offset is None:
        return task
    return dataclasses.replace(task, data=source_of(given.data, given))


def _load(given: DataCheck, env: HostEnv | None) -> Dataset:
    try:
        return load_source(source_of(given.data, given), env)
    except DataError as error:
        near = difflib.get_close_matches(given.data, TASKS, n=1)
        if near:
            raise DataError(f"{error} Or did you mean the task '{near[0]}'?") from error
        raise


def _told(dataset: Dataset, given: DataCheck) -> tuple[Dataset, HostEnv | None, Task | None]:
    """With the task or environment that the data name, where it can be opened here."""
    info: Mapping[str, Any] = dataset.info
    task = TASKS.get(str(info.get("name"))) if "manifest" in info else None
    if task is None and isinstance(info.get("env_id"), str) and is_installed(info["env_id"]):
        kwargs = info.get("env_kwargs") or {}
        task = _as_read(custom_task(info["env_id"], kwargs, physical=given.physical), given)
    if task is None:
        return dataset, None, None
    try:
        env = make_env(task)()
    except TaskError as error:
        told = {**info, "no_environment": str(error)}
        return dataclasses.replace(dataset, info=told), None, None
    if task.domain == "custom":
        dataset = _load(given, env)
    return dataset, env, task


def _draw(given: DataCheck, dataset: Dataset, env: HostEnv | None, task: Task | None) -> Path:
    from warmstart.data.checks.figure import draw, write_figure

    return write_figure(draw(dataset, env, task), given.figure or _beside(given.data, dataset))


def _beside(data: str, dataset: Dataset) -> Path:
    """`NAME-check.png` beside a file that the user named, else in the working folder."""
    path = Path(data).expanduser()
    if path.is_file() and os.access(path.parent, os.W_OK):
        return path.with_name(f"{path.stem}-check.png")
    name = str(dataset.info.get("name") or path.name or "data")
    return Path.cwd() / f"{name.replace('/', '-')}-check.png"
