"""Floor 8: a run in words."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from warmstart.api.own import find_method
from warmstart.engine import Schedule
from warmstart.recipe import Recipe
from warmstart.tasks import TASKS, DataSource, Task, custom_task
from warmstart.values import as_text, paths

QUESTIONS = ("pretrain", "handover", "replay", "acting", "finetune")


def taken(changes: Mapping[str, Any]) -> dict[str, str]:
    """Those changes that take a whole answer from another method: answer -> method.

    The name of a part (`acting=Noisy`) begins with a capital and is no method's.
    """
    named = {p: v for p, v in changes.items() if p in QUESTIONS and isinstance(v, str)}
    return {p: v for p, v in named.items() if v.islower()}


def describe(
    method: str,
    recipe: Recipe,
    changes: Sequence[tuple[str, str]] = (),
    source: str | None = None,
    ignore: Sequence[str] = (),
) -> list[list[str]]:
    """The five answers in words, from the methods' docstrings, and what was changed."""
    text, others = find_method(method).__doc__ or "", taken(dict(changes))
    answers = [[question, answer(text, question)] for question in QUESTIONS]
    for pair, here in zip(answers, _here(recipe), strict=True):
        if giver := others.get(pair[0]):
            pair[1] = f"as in {giver}: {answer(find_method(giver).__doc__ or '', pair[0])}"
        if here:
            pair[1] += f" (here: {here})"
    if source:
        answers[0][1] = f"the pre-training of {source}"
    if changes:
        answers.append(["changed", ", ".join(f"{p} = {v}" for p, v in changes)])
    if ignore:
        answers.append(["ignored", "errors in the data: " + ", ".join(ignore)])
    return answers


def _here(recipe: Recipe) -> list[str]:
    """The numbers of this run that the five lines of a docstring leave open."""
    warmup, rhythm = recipe.replay.warmup, recipe.finetune.rhythm
    who = {"policy": "the frozen policy", "online": "the learner", "random": "uniform actions"}
    who["untrained"] = "a policy that has learnt nothing"
    block = "episode" if rhythm.every == 0 else "step" if rhythm.every == 1 else "block"
    size = f" of {rhythm.every:,} steps" if rhythm.every > 1 else ""
    each = " for each of its steps" if rhythm.every == 0 and rhythm.per == "row" else ""
    plural = "" if rhythm.updates == 1 else "s"
    what = "update" if recipe.finetune.learner.critic is None else "critic update"
    return [
        ", then ".join(f"{stage.updates:,} updates" for stage in recipe.pretrain),
        "",
        f"{warmup.steps:,} warm-up steps by {who[warmup.by]}" if warmup.steps else "",
        "",
        f"{recipe.finetune.steps:,} steps, {rhythm.updates} {what}{plural} after every "
        f"{block}{size}{each}",
    ]


def answer(docstring: str, question: str) -> str:
    """One of the five lines of a method's docstring, with its continuation lines joined."""
    found = re.search(rf"^{question} +(.+(?:\n {{6,}}.+)*)", docstring, re.MULTILINE)
    return re.sub(r"\s+", " ", found.group(1)) if found else ""


def numbers(recipe: Recipe) -> list[tuple[str, Any]]:
    """Every field of a recipe with its path, for `--set`."""
    return paths(recipe)


ELSEWHERE = {
    "run": (),
    "pretrain": ("online_every", "early", "frozen", "films"),
    "finetune": ("offline_every",),
}
"""The numbers of a schedule of which a command makes no use."""


def schedule_words(schedule: Schedule, usual: Schedule, command: str) -> list[str]:
    """The words of a `command` for what differs from the `usual` schedule."""
    words: list[str] = []
    for field in dataclasses.fields(schedule):
        value, option = getattr(schedule, field.name), "--" + field.name.replace("_", "-")
        if value == getattr(usual, field.name) or field.name in ELSEWHERE[command]:
            continue
        if field.name == "films":
            words.append("--no-films")
        else:
            words += [option] if value is True else [f"{option}={as_text(value)}"]
    return words


def task_words(task: Task) -> list[str] | None:
    """The words of a command line that name this task; None where no words do."""
    own = task.domain == "custom" and task.env_id is not None
    like = _own_task(task) if own else TASKS.get(task.name)
    if like is None:
        return None
    source = task.data
    if source is not None and source.path:
        read = (source.columns, source.view, source.action_box)
        source = DataSource(None, {}, source.path, 0, *read)
    elif not own:
        source = like.data
    if dataclasses.replace(like, data=source, at_once=task.at_once).to_json() != task.to_json():
        return None
    seats = ["--at-once", str(task.at_once)] if task.at_once != like.at_once else []
    return [*(_own_words(task) if own else [task.name]), *_data_words(task), *seats]


def _own_task(task: Task) -> Task:
    """The task that the options of an own environment make of this one."""
    assert task.env_id is not None
    return custom_task(
        task.env_id,
        task.env_kwargs,
        reward_scale=task.reward.scale,
        reward_bias=task.reward.bias,
        discount=task.discount,
        horizon=task.horizon,
        return_rule=task.return_rule,
        success=task.success,
        reference=task.reference,
        physical=task.physical,
    )


def _own_words(task: Task) -> list[str]:
    """--env and what describes it."""
    assert task.env_id is not None
    words = ["--env", task.env_id]
    words += [w for k, v in task.env_kwargs.items() for w in ("--env-arg", f"{k}={json.dumps(v)}")]
    plain = Task("", "", "", "", 0, env_id=task.env_id)
    for name, value, default in (
        ("reward-scale", task.reward.scale, plain.reward.scale),
        ("reward-bias", task.reward.bias, plain.reward.bias),
        ("discount", task.discount, plain.discount),
        ("horizon", task.horizon, plain.horizon),
        ("return-rule", task.return_rule, plain.return_rule),
    ):
        words += [f"--{name}={value}"] if value != default else []
    if task.reference is not None:
        words.append("--reference=" + ",".join(map(str, task.reference)))
    words += ["--success"] if task.success else []
    return [*words, *(["--physical"] if task.physical else [])]


def _data_words(task: Task) -> list[str]:
    """--data and how it is read."""
    data = task.data
    if data is None or not data.path:
        return []
    words = ["--data", data.path]
    if data.columns:
        words += ["--columns", ",".join(f"{what}={name}" for what, name in data.columns.items())]
    words += [] if data.view is None else ["--view", data.view]
    if data.action_box is not None:
        words.append("--action-box=" + ",".join(f"{low}:{high}" for low, high in data.action_box))
    return words
