"""From the options of `run` and its kin to a task and the arguments of `declare`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from warmstart.api.own import absolute_data
from warmstart.commands.declaring import Declaring
from warmstart.commands.kinds import Reading
from warmstart.commands.options import Finetune, Learner, Pretrain, Problem, Run
from warmstart.commands.pairs import env_kwargs, pairs
from warmstart.data import known_view, parse_columns
from warmstart.errors import DataError, RunError, TaskError
from warmstart.tasks import DataSource, Task, custom_task, get_task
from warmstart.user_code.load import absolute_environment
from warmstart.user_code.trust import code_of, name_code

OWN = ("reward_scale", "reward_bias", "discount", "reference", "return_rule", "horizon")
"""Options that describe an own environment, beside --success and --env-arg."""


def task_of(given: Problem | Learner) -> Task:
    """The task of the catalogue, with the user's data if named, or the user's own environment.

    Raises:
        TaskError: TASK and --env both or neither, or an option that needs --env.
    """
    data = None if given.data is None else source_of(given.data, given)
    if data is None:
        for name in ("columns", "view", "action_box", "obs_offset"):
            if getattr(given, name) is not None:
                option = "--" + name.replace("_", "-")
                raise DataError(f"{option} says how a file is read; name the file with --data")
    if given.env is None:
        if given.task is None:
            raise TaskError(
                "no task is named; give one of `warmstart list tasks`, or --env with --data"
            )
        _only_with_env(given)
        task = get_task(given.task)
        return _with(task, data, given.at_once)
    if given.task is not None:
        raise TaskError(
            f"both the task '{given.task}' and --env {given.env} are given; leave one of them out"
        )
    named = {k: v for k in OWN if k != "reference" and (v := getattr(given, k)) is not None}
    if not 0.0 < named.get("discount", 1.0) <= 1.0:
        raise TaskError(f"--discount {given.discount} cannot be used; give a number in (0, 1]")
    if named.get("horizon", 1) < 1:
        raise TaskError(f"--horizon {given.horizon} cannot be used; give a number of steps")
    reference = None if given.reference is None else _bounds(given.reference)
    kwargs = env_kwargs(given.env_arg)
    env = environment_of(given.env, kwargs)
    named |= {"success": given.success, "physical": given.physical}
    named |= {} if given.success_when is None else {"success_when": given.success_when}
    task = custom_task(env, kwargs, reference=reference, **named)
    return _with(task, data, given.at_once)


def _with(task: Task, data: DataSource | None, at_once: int | None) -> Task:
    """The task with what the user says about it."""
    if at_once is not None:
        task = dataclasses.replace(task, at_once=at_once)
    return task if data is None else dataclasses.replace(task, data=data)


def declared(given: Run | Pretrain | Finetune | Learner) -> dict[str, Any]:
    """Keyword arguments for `declare` and `declare_finetune`.

    Raises:
        RunError, RecipeError: a number or a pair that cannot be.
    """
    looks = ("episodes", "fixed_episodes", "offline_every", "online_every", "log_every", "frozen")
    said = {k: getattr(given, k, None) for k in looks}
    schedule = {k: v for k, v in said.items() if v is not None and v is not False}
    early: str | None = getattr(given, "early", None)
    if early is not None:
        schedule["early"] = steps_of(early)
    if getattr(given, "no_films", False):
        schedule["films"] = False
    if getattr(given, "no_compare", False):
        schedule["compare"] = False
    for name, least in (
        ("steps", 0),
        ("pretrain_steps", 1),
        ("episodes", 1),
        ("fixed_episodes", 0),
        ("offline_every", 0),
        ("online_every", 0),
        ("log_every", 1),
        ("data_seed", 0),
    ):
        value = getattr(given, name, None)
        if value is not None and value < least:
            option = "--" + name.replace("_", "-")
            raise RunError(f"{option} {value} cannot be used; give {least} or more")
    wanted: dict[str, Any] = {
        "preset": given.preset,
        "changes": dict(pairs(given.set, "--set")),
        "schedule": schedule,
    }
    if not isinstance(given, Pretrain):
        wanted["steps"] = given.steps
    if not isinstance(given, Finetune):
        if not 0.0 <= given.holdout < 1.0:
            raise RunError(f"--holdout {given.holdout} cannot be used; give a share in [0, 1)")
        wanted |= {"pretrain_steps": given.pretrain_steps, "holdout": given.holdout}
        wanted["seeds"] = (given.seed,) if isinstance(given, Learner) else seeds_of(given.seeds)
        wanted |= {"ignore": given.ignore, "data_seed": given.data_seed}
        wanted["policy"] = getattr(given, "policy", None)
    return wanted


def environment_of(env_id: str, kwargs: Mapping[str, Any]) -> str:
    """The id of an environment that the user names, whose code may run from here on."""
    name_code(code_of(env_id, kwargs))
    return absolute_environment(env_id)


def steps_of(text: str) -> tuple[int, ...]:
    """`0,100,...` as numbers of steps; empty: none. Raises RunError."""
    try:
        steps = tuple(int(word) for word in text.split(",") if text)
    except ValueError:
        steps = (-1,)
    if any(step < 0 for step in steps):
        raise RunError(
            f"--early {text} cannot be used; give numbers of steps with commas, such as --early "
            "0,100,1000"
        )
    return steps


def seeds_of(text: str) -> tuple[int, ...]:
    """`0,1,2` as numbers. Raises RunError."""
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise RunError(
            f"--seeds {text} cannot be used; give whole numbers with commas, such as --seeds 0,1,2"
        ) from None


def source_of(data: str, given: Reading) -> DataSource:
    """A path or id with the options that say how it is read. Raises DataError."""
    offset: Any = None if given.obs_offset is None else given.obs_offset.split(",")
    return DataSource(
        path=absolute_data(data),
        columns={} if given.columns is None else parse_columns(given.columns),
        view=None if given.view is None else known_view(given.view),
        action_box=None if given.action_box is None else action_box(given.action_box),
        obs_offset=offset,
    )


def action_box(text: str) -> list[tuple[float, float]]:
    """`LOW:HIGH,...` as pairs. Raises DataError."""
    try:
        pairs = [(float(low), float(high)) for low, high in (p.split(":") for p in text.split(","))]
        good = all(low < high and abs(low) + abs(high) < float("inf") for low, high in pairs)
    except ValueError:
        pairs, good = [], False
    if not good:
        raise DataError(
            f"--action-box {text} cannot be used; give LOW:HIGH, the lower first: "
            "--action-box=-1:1 for all actions, or as many with commas as there are actions"
        )
    return pairs


def _only_with_env(given: Declaring) -> None:
    for name in (*OWN, "env_arg", "success", "success_when", "physical"):
        if getattr(given, name) not in (None, (), False):
            option = "--" + name.replace("_", "-")
            raise TaskError(
                f"{option} describes an environment of your own, and '{given.task}' is a task "
                f"with its own; leave {option} out, or use --env instead of a task"
            )


def _bounds(text: str) -> tuple[float, float]:
    try:
        low, high = (float(word) for word in text.split(","))
    except ValueError:
        low = high = 0.0
    if not -math.inf < low < high < math.inf:
        raise TaskError(
            f"--reference {text} cannot be used; give two returns, the lower first: "
            "--reference 0,3000"
        )
    return low, high
