"""Floor 8: one declared run: method, task, seeds and numbers, resolved and writable as JSON."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from warmstart.engine import Schedule
from warmstart.errors import RecipeError, RunError, did_you_mean
from warmstart.methods import METHODS
from warmstart.recipe import Recipe
from warmstart.tasks import Task, get_task
from warmstart.values import paths

QUESTIONS = ("pretrain", "handover", "replay", "acting", "finetune")


@dataclass(frozen=True)
class Declared:
    """Everything that decides a run. Equal declarations give equal results on one machine.

    Attributes:
        method: name in the table of methods.
        family: whose numbers the recipe started from.
        changes: what `--set` changed, path -> value as given.
        holdout: share of whole episodes kept for measurement alone.
        source: folder of the run whose pre-training this one continues, or None.
    """

    method: str
    family: str
    recipe: Recipe
    task: Task
    seeds: tuple[int, ...]
    schedule: Schedule
    changes: tuple[tuple[str, str], ...] = ()
    holdout: float = 0.05
    data_seed: int = 0
    source: str | None = None

    def to_json(self) -> dict[str, Any]:
        """What run.json holds of it."""
        warmup = self.recipe.replay.warmup
        return {
            "method": self.method,
            "family": self.family,
            "task": self.task.name,
            "task_facts": json.loads(self.task.to_json()),
            "recipe": self.recipe.to_json(),
            "describe": describe(self),
            "seeds": list(self.seeds),
            "schedule": dataclasses.asdict(self.schedule),
            "changes": [list(change) for change in self.changes],
            "holdout": self.holdout,
            "data_seed": self.data_seed,
            "source": self.source,
            "warmup_steps": warmup.steps,
            "score_label": "success rate (%)" if self.task.success else "normalised score",
            "command": self.command(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Declared:
        """The inverse of `to_json`. Raises RunError on a record that lacks something."""
        try:
            schedule = {**data["schedule"], "early": tuple(data["schedule"]["early"])}
            return cls(
                method=data["method"],
                family=data["family"],
                recipe=Recipe.from_json(data["recipe"]),
                task=Task.from_json(json.dumps(data["task_facts"])),
                seeds=tuple(data["seeds"]),
                schedule=Schedule(**schedule),
                changes=tuple((path, value) for path, value in data["changes"]),
                holdout=data["holdout"],
                data_seed=data["data_seed"],
                source=data["source"],
            )
        except KeyError as missing:
            raise RunError(
                f"run.json lacks {missing}; it was not written by this version of warmstart. "
                "Start the run anew"
            ) from missing

    def command(self) -> str:
        """The command line that repeats the run, where the task is the catalogue's."""
        words = ["warmstart", "finetune" if self.source else "run", self.method]
        words.append(f"--from {self.source}" if self.source else self.task.name)
        words.append("--seeds " + ",".join(map(str, self.seeds)))
        words += [f"--set {path}={value}" for path, value in self.changes]
        return " ".join(words)


def declare(
    method: str,
    task: str | Task,
    *,
    seeds: Sequence[int] = (0,),
    family: str | None = None,
    changes: Mapping[str, Any] | None = None,
    pretrain_steps: int | None = None,
    steps: int | None = None,
    holdout: float = 0.05,
    data_seed: int = 0,
    schedule: Mapping[str, Any] | None = None,
) -> Declared:
    """Resolve a method on a task.

    Precedence: `changes`, then the method's family, then the task. `pretrain_steps` and `steps`
    are short for the updates of the last pre-training stage and the online environment steps.

    Raises:
        RecipeError: unknown method, family or field, or answers that contradict each other.
        TaskError: unknown task.
    """
    task = get_task(task) if isinstance(task, str) else task
    module = METHODS.get(method)
    if module is None:
        raise RecipeError(f"there is no method '{method}'. {did_you_mean(method, METHODS)}")
    if family is None:
        family = task.family if task.family in module.FAMILIES else "paper"
    elif family not in module.FAMILIES:
        hint = did_you_mean(family, module.FAMILIES)
        raise RecipeError(f"{method} has no family '{family}'. {hint}")
    recipe = module.recipe(family).with_discount(task.discount)
    given = dict(changes or {})
    if pretrain_steps is not None and recipe.pretrain:
        given.setdefault(f"pretrain.{len(recipe.pretrain) - 1}.updates", pretrain_steps)
    if steps is not None:
        given.setdefault("finetune.steps", steps)
    for path, value in given.items():
        recipe = recipe.with_(path, value)
    return Declared(
        method=method,
        family=family,
        recipe=recipe,
        task=task,
        seeds=check_seeds(seeds),
        schedule=schedule_for(recipe, schedule),
        changes=tuple((path, str(value)) for path, value in given.items()),
        holdout=holdout,
        data_seed=data_seed,
    )


def declare_finetune(
    method: str,
    source: Declared,
    folder: str,
    *,
    family: str | None = None,
    changes: Mapping[str, Any] | None = None,
    steps: int | None = None,
    schedule: Mapping[str, Any] | None = None,
) -> Declared:
    """An online arm on the pre-training of the run in `folder`, paired by seed."""
    arm = declare(
        method,
        source.task,
        seeds=source.seeds,
        family=family or (source.family if source.family in families_of(method) else None),
        changes=changes,
        steps=steps,
        holdout=source.holdout,
        data_seed=source.data_seed,
        schedule=schedule,
    )
    if not source.recipe.pretrain:
        raise RunError(
            f"the run in '{folder}' has no pre-training to go on from ({source.method} learns "
            "online only); give a run of a method that pre-trains"
        )
    recipe = dataclasses.replace(arm.recipe, pretrain=source.recipe.pretrain)
    return dataclasses.replace(arm, recipe=recipe, source=folder)


def families_of(method: str) -> Mapping[str, Any]:
    """The families of a method, or nothing where there is no such method."""
    return METHODS[method].FAMILIES if method in METHODS else {}


def schedule_for(recipe: Recipe, given: Mapping[str, Any] | None) -> Schedule:
    """Evaluation times that fit the recipe's length, overridden by `given`."""
    updates = sum(stage.updates for stage in recipe.pretrain)
    defaults = {
        "offline_every": max(1, min(50_000, round(updates / 4, -2) or updates // 4))
        if updates
        else 0,
        "online_every": 5_000,
        "log_every": 1_000 if max(updates, recipe.finetune.steps) >= 10_000 else 100,
    }
    return Schedule(**{**{k: int(v) for k, v in defaults.items()}, **dict(given or {})})


def check_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    """Seeds as a tuple. Raises RunError where there is none, one twice, or one out of range."""
    chosen = tuple(int(seed) for seed in seeds)
    if not chosen or len(set(chosen)) != len(chosen) or min(chosen) < 0 or max(chosen) >= 2**31:
        raise RunError(
            f"seeds {list(chosen)} will not do; give different whole numbers from 0 on, "
            "such as --seeds 0,1,2"
        )
    return chosen


def describe(declared: Declared) -> list[list[str]]:
    """The five answers in words, from the method's docstring, and what was changed."""
    text = METHODS[declared.method].__doc__ or ""
    answers = [[question, answer(text, question)] for question in QUESTIONS]
    if declared.source:
        answers[0][1] = f"the pre-training of {declared.source}"
    if declared.changes:
        answers.append(["changed", ", ".join(f"{p} = {v}" for p, v in declared.changes)])
    return answers


def answer(docstring: str, question: str) -> str:
    """One of the five lines of a method's docstring, with its continuation lines joined."""
    found = re.search(rf"^{question} +(.+(?:\n {{6,}}.+)*)", docstring, re.MULTILINE)
    return re.sub(r"\s+", " ", found.group(1)) if found else ""


def numbers(recipe: Recipe) -> list[tuple[str, Any]]:
    """Every field of a recipe with its path, for `--set`."""
    return paths(recipe)
