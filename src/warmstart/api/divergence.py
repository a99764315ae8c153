"""Learning diverged: what to try, and what is saved."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.api.declare import Declared
from warmstart.api.own import short_name
from warmstart.engine import Position, Problem
from warmstart.errors import DivergedError
from warmstart.learners import unwrapped
from warmstart.replay import Layout

WILD = 1e6
"""A logged or observed number of this size is a fault, or is to be scaled before it is learnt."""
USUAL = 1e-3
"""Adam with a greater learning rate than this diverges by itself."""


def stands(at: Position) -> str:
    """Where a checkpoint stands, in words."""
    if at.phase in ("online", "done"):
        return f"environment step {at.env_steps:,}"
    return f"update {at.updates:,} of pre-training"


def advised(
    error: DivergedError,
    declared: Declared,
    problem: Problem,
    at: Position,
    folder: Path,
    kept: str | None,
    seen: np.ndarray | None = None,
) -> DivergedError:
    """The error with what to try and what was saved.

    Args:
        error: what is not finite, and since when.
        at: where the run stands.
        folder: of the run.
        kept: where the newest checkpoint stands, in words; None: there is none.
        seen: the newest online rows of every seed [S, n, W], the last of them of this moment.
    """
    online = at.phase in ("online", "done")
    branch = online and bool(declared.recipe.pretrain)
    change, tries = _tries(error.number, declared, problem, at, seen, at.env_steps)
    saved = f"The last good checkpoint, of {kept}, is kept" if kept else "Nothing was saved before"
    if not branch:
        return DivergedError(f"{error}. {tries}. {saved}; start again with that", error.number)
    words = ["warmstart", "finetune", short_name(declared.method), "--from"]
    words.append(declared.source or str(folder))
    new = change.removeprefix("--set ") if change.startswith("--set ") else ""
    field = new.partition("=")[0].removeprefix("learner.")
    for path, value in declared.changes:  # the networks have to be the same
        if not path.startswith("pretrain.") and not (field and path.endswith(field)):
            words += ["--set", f"{path}={value}"]
    words += ["--set", new] if new else []
    return DivergedError(f"{error}. {tries}. {saved}; go on: {shlex.join(words)}", error.number)


def explained(
    error: DivergedError, declared: Declared, problem: Problem, at: Position, seen: Any, last: int
) -> DivergedError:
    """The error of an agent, with what to try; `last` is the step of the last row of `seen`."""
    option, tries = _tries(error.number, declared, problem, at, seen, last)
    change, said = option.removeprefix("--set ") if option.startswith("--set ") else "", tries
    if change:
        path, _, value = change.partition("=")
        shown = value if value.replace(".", "").replace("e-", "").isdigit() else repr(value)
        said = tries.replace(option, f'changes={{"{path}": {shown}}}')
    return DivergedError(f"{error}. {said}", error.number, str(error), tries, change)


def _tries(
    number: str, declared: Declared, problem: Problem, at: Position, seen: Any, last: int
) -> tuple[str, str]:
    """The option to try, "" where none would help, and the sentence about it."""
    online = at.phase in ("online", "done")
    if shown := _shown(problem, seen, last):
        return "", f"{shown}: mend what it shows there, or let it end the episode"
    if wild := _wild(problem):
        return "", f"{wild}: see `warmstart data check`, and fix those rows or leave them out"
    change, why = _change(number, declared, online, online and bool(declared.recipe.pretrain))
    return change, f"{why}: try {change}"


def _change(number: str, declared: Declared, online: bool, branch: bool) -> tuple[str, str]:
    """The option to try first, and why."""
    recipe = declared.recipe
    learner: Any = recipe.finetune.learner
    if not online and recipe.pretrain:
        learner = recipe.pretrain[-1].learner
    inner = unwrapped(learner)
    own = f"{number.partition('_')[0]}_optimiser"
    known = (own, "critic_optimiser", "value_optimiser", "actor_optimiser", "optimiser")
    fields = {field.name for field in dataclasses.fields(inner)}
    rates = {name: getattr(inner, name).lr for name in known if name in fields}
    for name, rate in rates.items():
        if rate > USUAL:
            return f"--set learner.{name}.lr=0.0003", f"The learning rate is {rate:g}"
    if learner.normalise == "none" and not branch:
        kind = "dataset" if recipe.needs_dataset else "running"
        return f"--set learner.normalise={kind}", "Observations are learnt as they are"
    for name, rate in rates.items():
        return f"--set learner.{name}.lr={rate / 10:g}", f"The learning rate is {rate:g}"
    return "smaller learning rates", "The steps were too long"


def _shown(problem: Problem, seen: np.ndarray | None, last: int) -> str:
    """The first wild number that the environment gave online, in words, or nothing."""
    if seen is None or not seen.size:
        return ""
    layout = Layout.of(problem.spec)
    rows, o = layout.unpack(seen), layout.numbers
    both = (np.asarray(rows.obs)[..., :o], np.asarray(rows.next_obs)[..., :o])
    obs = np.maximum(*map(np.abs, both))
    paid = np.abs(np.asarray(rows.reward))[..., None]
    for what, sizes in (("observation", obs), ("reward", paid)):
        wild = np.argwhere(~(sizes <= WILD))
        if len(wild):
            _, row, number = wild[np.argmin(wild[:, 1])]
            step = last - seen.shape[1] + int(row) + 1
            which = f" number {int(number)}" if what == "observation" else ""
            size = sizes[:, row, number].max()
            return f"The environment's {what}{which} reaches {size:.3g} in step {step:,}"
    return ""


def _wild(problem: Problem) -> str:
    """What is wild in the logged rows, in words, or nothing."""
    if problem.rows is None:
        return ""
    layout = Layout.of(problem.spec)
    o = layout.numbers
    for what, first, stop in (
        ("observation", 0, o),
        ("reward", layout.scalars, layout.scalars + 1),
    ):
        size = np.abs(problem.rows[:, first:stop]).max(axis=0)
        if size.max() > WILD:
            which = f" number {int(size.argmax())}" if what == "observation" else ""
            return f"The logged {what}{which} reaches {size.max():.3g}"
    return ""
