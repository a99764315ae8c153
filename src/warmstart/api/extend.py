"""A run is declared longer than it was, and goes on."""

from __future__ import annotations

import dataclasses
import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from warmstart.api.declare import Declared
from warmstart.api.prepare import problem_of, require_data
from warmstart.api.python_values import given_again
from warmstart.engine import Problem
from warmstart.engine.carry import budget_of, preloaded, remembers_places
from warmstart.errors import RunError, typed
from warmstart.recipe import Recipe
from warmstart.replay import Layout
from warmstart.runs.folder import extend_run, is_finished, read_run
from warmstart.types import Evaluated

LOG = logging.getLogger("warmstart")


def extend(
    path: Path, steps: int, env: Any = None, data: Any = None, policy: Any = None
) -> tuple[Declared, Problem]:
    """Declare the run in a folder with `steps` online steps, and say what goes on how.

    `env`, `data` and `policy` as they were handed in at first.

    `run.json` then says so, with what was declared before under `extensions`. What is learnt is,
    to the last bit, that of a run which was declared so from the start, but for what the remarks
    name.

    Raises:
        RunError: no more steps than before, or a run that only pre-trains.
    """
    config = read_run(path)
    declared = given_again(Declared.from_json(config), env, data, policy)
    former = declared.recipe.finetune.steps
    if type(steps) is not int or steps <= former:
        raise RunError(
            f"the run in '{path}' is declared with {former:,} online steps; --steps {steps} is not "
            "more: give the new number of steps in all, or leave it out to go on with an "
            "interrupted run"
        )
    if config["until"] != "done":
        raise RunError(
            f"the run in '{path}' only pre-trains; fine-tune from it: "
            f"{typed('finetune', declared.method, '--from', path, '--steps', steps)}"
        )
    require_data(declared, path)
    problem = problem_of(declared, examine=False)
    longer, said = _longer(declared, problem, steps, is_finished(path))
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    entry = {"from": former, "to": steps, "when": now, "remarks": said}
    before = config.get("extensions", [])
    extend_run(path, {**config, **longer.to_json(), "extensions": [*before, entry]})
    for sentence in said:
        LOG.info(sentence)
    return longer, problem


def _longer(
    declared: Declared, problem: Problem, steps: int, finished: bool
) -> tuple[Declared, list[str]]:
    """The declaration with more steps, and in sentences what is otherwise than from the start."""
    recipe, said = declared.recipe, []
    former = recipe.finetune.steps
    changes: dict[str, Any] = {"finetune.steps": steps}
    if anneals(recipe):
        changes["finetune.anneal_steps"] = budget_of(recipe)
        said.append(
            "What is annealed over the run stays declared over the first "
            f"{budget_of(recipe):,} steps, and keeps its end value behind them."
        )
    layout = Layout.of(problem.spec)
    rows = len(preloaded(recipe, layout, problem.rows)) + former
    if recipe.replay.capacity > rows and remembers_places(recipe, layout):
        changes["replay.capacity"] = rows
        said.append(
            f"The ring keeps its {rows:,} rows, since each has a priority of its own: from then on "
            "the oldest go first."
        )
    if finished and Evaluated in recipe.subscribes:
        said.append(f"The method has heard the evaluation after {former:,} steps.")
    if not said:
        said.append(f"What is learnt is that of a run declared with {steps:,} steps.")
    looks = declared.schedule
    every = f"every {looks.online_every:,} steps and" if looks.online_every else "next"
    said.append(f"It is evaluated {every} at the end, after {steps:,} steps.")
    for name, value in changes.items():
        recipe = recipe.with_(name, value)
    told = {**dict(declared.changes), **{name: str(value) for name, value in changes.items()}}
    return dataclasses.replace(declared, recipe=recipe, changes=tuple(told.items())), said


def anneals(recipe: Recipe) -> bool:
    """Whether something changes over the online phase's length: see `Finetune`.

    Of parts of the user's own, whose code is not known here, it is taken to be so.
    """
    return any(map(_anneals, (recipe.replay.source, recipe.acting, recipe.finetune)))


def _anneals(part: Any) -> bool:
    if isinstance(part, tuple):
        return any(map(_anneals, part))
    if not dataclasses.is_dataclass(part) or isinstance(part, type):
        return False
    own = not type(part).__module__.startswith("warmstart.")
    fields = (getattr(part, f.name) for f in dataclasses.fields(part))
    return own or getattr(part, "anneals", False) or any(map(_anneals, fields))
