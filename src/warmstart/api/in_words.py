"""A run in words."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from warmstart.api.own import find_method, short_name
from warmstart.engine import Schedule
from warmstart.engine.shared import key_of, once
from warmstart.envs.given import MARK
from warmstart.handover import Crossed, in_words, table_of
from warmstart.methods.compose import compose
from warmstart.recipe import Recipe
from warmstart.replay import Mixed, whole_rows
from warmstart.tasks import TASKS, DataSource, Task, custom_task
from warmstart.types import Spec
from warmstart.values import as_text, paths

QUESTIONS = ("pretrain", "handover", "replay", "acting", "finetune")


def taken(changes: Mapping[str, Any]) -> dict[str, str]:
    """Those changes that take a whole answer from another method: answer -> method.

    The name of a part (`acting=Noisy`) begins with a capital and is no method's.
    """
    named = {p: v for p, v in changes.items() if p in QUESTIONS and isinstance(v, str)}
    return {p: v for p, v in named.items() if v.islower()}


SPEC = Spec(obs_dim=4, action_dim=2, horizon=100)
"""Sizes with which a handover is tried by shapes: what crosses does not depend on them."""


def crossing(recipe: Recipe) -> tuple[Crossed, ...]:
    """What becomes of each component at the switch; () where nothing is pre-trained.

    Raises RecipeError where something cannot cross.
    """
    if not recipe.pretrain:
        return ()
    rule, before, online = recipe.handover, recipe.pretrain[-1].learner, recipe.finetune.learner
    key = key_of((rule, before, online))
    return once(key and ("crossing", key), lambda: table_of(rule, before, online, SPEC))


def describe(
    method: str,
    recipe: Recipe,
    preset: str = "paper",
    changes: Sequence[tuple[str, str]] = (),
    source: str | None = None,
    ignore: Sequence[str] = (),
    policy: str | None = None,
) -> list[list[str]]:
    """The five answers in words: the handover as it is done, the others from the methods'
    docstrings where the recipe is theirs, else with what it has in their place."""
    module, others = find_method(method), taken(dict(changes))
    known = changes and not method.startswith(MARK) and preset in module.PRESETS
    own = module.recipe(preset) if known else recipe
    usual = compose(own, others, preset, _single(changes, others)) if known else recipe
    paper = module.recipe("paper") if known and "paper" in module.PRESETS else None
    if "acting" not in others and usual.acting != own.acting:  # it came with the online learner
        others["acting"] = others["finetune"]
    here, answers = _here(recipe), []
    for question in QUESTIONS:
        giver = others.get(question)
        said = answer((find_method(giver) if giver else module).__doc__ or "", question)
        said = f"as in {giver}: {said}" if giver else said
        instead = _instead(getattr(usual, question), getattr(recipe, question))
        if paper is not None and giver is None:  # what the paper has is the method's own as well
            away = _instead(getattr(paper, question), getattr(recipe, question))
            instead = [one for one in instead if _within(one, away)]
        if question == "handover":
            said = in_words(crossing(recipe))
        elif instead:
            by = giver or short_name(method)
            said = f"{', '.join(instead)}, where {by} itself has: {said.partition(': ')[2] or said}"
        said += f" (here: {here[question]})" if here.get(question) else ""
        answers.append([question, said])
    if source:
        answers[0][1] = f"the pre-training of {source}"
    if changes:
        answers.append(["changed", ", ".join(f"{p} = {v}" for p, v in changes)])
    if policy:
        answers.append(["base", f"the policy {policy}"])
    if ignore:
        answers.append(["ignored", "errors in the data: " + ", ".join(ignore)])
    return answers


def _single(changes: Sequence[tuple[str, str]], others: Mapping[str, str]) -> dict[str, str]:
    """The changes of single fields."""
    return {path: value for path, value in changes if path not in others}


UNSAID = ("discount", "batch", "updates", "steps", "net", "hidden")
"""Fields of which the words of an answer do not speak, or that stand behind them."""


def _instead(old: Any, new: Any, path: str = "") -> list[str]:
    """What `new` has in the place of `old`, field by field."""
    if type(old) is type(new) and dataclasses.is_dataclass(new):
        names = [f.name for f in dataclasses.fields(new) if f.name not in UNSAID]
        pairs = [(name, getattr(old, name), getattr(new, name)) for name in names]
    elif isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new):
        pairs = [(str(i), *both) for i, both in enumerate(zip(old, new, strict=True))]
        if not any(dataclasses.is_dataclass(item) for item in new):
            return [] if old == new else [f"{path} = {as_text(new)}"]
    else:
        return [] if old == new else [f"{path or 'all'} = {_part(new)}"]
    return [said for name, a, b in pairs for said in _instead(a, b, f"{path}.{name}".lstrip("."))]


def _within(said: str, others: Sequence[str]) -> bool:
    """Whether one of `others` speaks of the same field, or of a part that has it."""
    path = said.partition(" = ")[0]
    return any(f"{path}.".startswith(f"{other.partition(' = ')[0]}.") for other in others)


def _part(value: Any) -> str:
    """A part as it is written in Python, without the parts in it."""
    if not dataclasses.is_dataclass(value):
        return as_text(value)
    fields = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]
    plain = [f"{k}={as_text(v)}" for k, v in fields if not dataclasses.is_dataclass(v)]
    return f"{type(value).__name__}({', '.join(plain)})"


def _here(recipe: Recipe) -> dict[str, str]:
    """The numbers of this run that the five lines of a docstring leave open."""
    warmup, rhythm = recipe.replay.warmup, recipe.finetune.rhythm
    who = {"policy": "the frozen policy", "online": "the learner", "random": "uniform actions"}
    who |= {"untrained": "a policy that has learnt nothing", "base": "the base policy"}
    block = "episode" if rhythm.every == 0 else "step" if rhythm.every == 1 else "block"
    size = f" of {rhythm.every:,} steps" if rhythm.every > 1 else ""
    each = " for each of its steps" if rhythm.every == 0 and rhythm.per == "row" else ""
    plural = "" if rhythm.updates == 1 else "s"
    what = "update" if recipe.finetune.learner.critic is None else "critic update"
    updates = ", then ".join(f"{stage.updates:,} updates" for stage in recipe.pretrain)
    replay = [f"{warmup.steps:,} warm-up steps by {who[warmup.by]}"] if warmup.steps else []
    source, batch = recipe.replay.source, recipe.finetune.learner.batch
    if isinstance(source, Mixed) and source.end is None and source.share:
        replay.append(f"{whole_rows(source.share, batch)} of {batch} rows of a batch are logged")
    online = (
        f"{recipe.finetune.steps:,} steps, {rhythm.updates} {what}{plural} after every "
        f"{block}{size}{each}"
    )
    return {"pretrain": updates, "replay": ", ".join(replay), "finetune": online}


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
    "finetune": ("offline_every", "compare"),
}
"""The numbers of a schedule of which a command makes no use."""


def schedule_words(schedule: Schedule, usual: Schedule, command: str) -> list[str]:
    """The words of a `command` for what differs from the `usual` schedule."""
    words: list[str] = []
    for field in dataclasses.fields(schedule):
        value, option = getattr(schedule, field.name), "--" + field.name.replace("_", "-")
        if value == getattr(usual, field.name) or field.name in ELSEWHERE[command]:
            continue
        if value is False:
            words.append("--no-" + field.name)
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
        read = ("path", "columns", "view", "action_box", "obs_offset")
        source = DataSource(**{name: getattr(source, name) for name in read})
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
        reward_scale=None if task.scale_from_data else task.reward.scale,
        reward_bias=task.reward.bias,
        discount=task.discount,
        horizon=task.horizon,
        return_rule=task.return_rule,
        success=task.success,
        success_when=task.success_when,
        reference=task.reference,
        physical=task.physical,
    )


def _own_words(task: Task) -> list[str]:
    """--env and what describes it."""
    assert task.env_id is not None
    words = ["--env", task.env_id]
    words += [w for k, v in task.env_kwargs.items() for w in ("--env-arg", f"{k}={json.dumps(v)}")]
    plain = Task("", "", "", "", 0, env_id=task.env_id)
    words += [] if task.scale_from_data else [f"--reward-scale={task.reward.scale}"]
    for name, value, default in (
        ("reward-bias", task.reward.bias, plain.reward.bias),
        ("discount", task.discount, plain.discount),
        ("horizon", task.horizon, plain.horizon),
        ("return-rule", task.return_rule, plain.return_rule),
    ):
        words += [f"--{name}={value}"] if value != default else []
    if task.reference is not None:
        words.append("--reference=" + ",".join(map(str, task.reference)))
    words += ["--success"] if task.success and not task.success_when else []
    words += [f"--success-when={task.success_when}"] if task.success_when else []
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
    if data.obs_offset is not None:
        words.append("--obs-offset=" + ",".join(map(repr, data.obs_offset)))
    return words
