"""Numbers that a fine-tuning has behind it, and those of its pre-training that it lacks."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from warmstart.api.in_words import QUESTIONS
from warmstart.api.numbers import LENGTHS, recipe_of
from warmstart.api.own import find_method, short_name
from warmstart.errors import RecipeError
from warmstart.recipe import Recipe
from warmstart.values import paths

if TYPE_CHECKING:
    from warmstart.api.declare import Declared


def of_pretraining(declared: Declared, name: str) -> bool:
    """Whether a change of a run, of a name or of a path, moves nothing but its pre-training."""
    given = dict(declared.changes)
    without = _recipe(declared, {n: v for n, v in given.items() if n != name})
    return without is not None and _online(without) == _online(declared.recipe)


def refuse_of_pretraining(arm: Declared, before: Declared, folder: str) -> None:
    """Raises RecipeError for a number that moves nothing but pre-training, unless it is what was
    pre-trained with: that is done in `folder`."""
    given = dict(arm.changes)
    theirs = dict(before.changes) if arm.method == before.method else {}
    for name, value in given.items():
        if name == "pretrain" and value == dict(before.changes).get(name, before.method):
            continue
        without = _recipe(arm, {n: v for n, v in given.items() if n != name})
        if without == arm.recipe and name in theirs:  # the preset's own: not theirs?
            without = _recipe(arm, {**given, name: theirs[name]})
        if without is None or _online(without) != _online(arm.recipe):
            continue
        was, done = paths(without), paths(before.recipe)
        if any(leaf not in was and leaf not in done for leaf in paths(arm.recipe)):
            raise RecipeError(
                f"{name}={value} is of the pre-training alone, which '{folder}' has "
                f"behind it; leave it out, or give it to `warmstart pretrain "
                f"{short_name(arm.method)}` and go on from that"
            )


def not_taken_over(arm: Declared, before: Declared, folder: str) -> str | None:
    """What to tell where the same method was pre-trained with numbers that move its online phase
    too, and goes on without them; None where there are none."""
    if arm.method != before.method:
        return None
    given = dict(arm.changes)
    missing = []
    for name, value in before.changes:
        if name in (*given, *LENGTHS, "finetune.steps") or name.endswith("normalise"):
            continue
        kept = _recipe(arm, {**given, name: value})
        if kept is not None and _online(kept) != _online(arm.recipe):
            missing.append(f"{name}={value}")
    if not missing:
        return None
    way = " ".join(f"--set {shlex.quote(each)}" for each in missing)
    return (
        f"'{folder}' was pre-trained with {', '.join(missing)}, which counts online as well, and "
        f"a fine-tuning takes over what was learnt, not the numbers; to keep them: {way}"
    )


def _recipe(arm: Declared, given: Mapping[str, Any]) -> Recipe | None:
    """The arm's recipe with these numbers in place of its own; None where there is none."""
    module = find_method(arm.method)
    try:
        return recipe_of(arm.method, module, None, arm.preset, given, arm.task.discount)
    except RecipeError:
        return None


def _online(recipe: Recipe) -> list[Any]:
    return [getattr(recipe, question) for question in QUESTIONS if question != "pretrain"]
