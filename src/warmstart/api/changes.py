"""Changes of a recipe, path -> value, in an order in which they make sense."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from warmstart.errors import RecipeError
from warmstart.recipe import Recipe, everywhere
from warmstart.values import with_

Changes = tuple[tuple[str, str], ...]
"""Paths and values, as given."""
EVERYWHERE = ("learner.", "nets.")
"""How paths begin that are meant for every learner."""


def changed(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """The recipe with every change, in an order in which each of them makes sense.

    A whole part comes before its fields, and every learner's field before one learner's, so that
    no change undoes another, in whatever order they are given.
    With a source that draws logged rows the ring begins without them, unless `replay.preload` is
    named too: the share of logged rows in a batch is then the source's.
    Raises RecipeError: what is wrong with the first change that never does.
    """
    replay = recipe.replay
    if _reaches("replay.source", changes) and not _reaches("replay.preload", changes):
        empty = dataclasses.replace(
            replay, preload=dataclasses.replace(replay.preload, kind="none")
        )
        made = _applied(dataclasses.replace(recipe, replay=empty), changes)
        if made.replay.source.logged:
            return made
    return _applied(recipe, changes)


def _reaches(path: str, changes: Mapping[str, Any]) -> bool:
    """Whether some change is of `path` or of a field of it."""
    return any(name == path or name.startswith(f"{path}.") for name in changes)


def _applied(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    left = dict(sorted(changes.items(), key=lambda change: _depth(change[0])))
    while left:
        refused: dict[str, RecipeError] = {}
        for path, value in left.items():
            try:
                recipe = recipe.with_(path, value)
            except RecipeError as error:
                refused[path] = error
        if len(refused) == len(left):
            first = _in_own_words(next(iter(refused.values())), left)
            if len(left) == 1:
                raise first
            try:
                return _together(recipe, left)
            except RecipeError:
                if any(path.startswith(EVERYWHERE) for path in left):
                    raise first from None
                raise
        left = {path: left[path] for path in refused}
    return recipe


def _in_own_words(error: RecipeError, changes: Mapping[str, Any]) -> RecipeError:
    """The error, with the path that the user changed where it advises to set that field under
    another: beside the user's own change, of all learners or of one, it would not help."""
    said = str(error)
    for path in changes:
        parts = re.fullmatch(r"(?:(?:finetune|pretrain\.\d+)\.)?(?:learner\.)+(.+)", path)
        if parts:
            field = re.escape(parts[1])
            said = re.sub(rf"(?<![\w.])[\w.]*learner\.{field}=", f"{path}=", said)
    return RecipeError(said)


def _together(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """The recipe with changes of which each alone would contradict the others."""
    answers = {field.name: getattr(recipe, field.name) for field in dataclasses.fields(recipe)}
    for path, value in changes.items():
        if path.startswith(EVERYWHERE):
            both = everywhere(answers["pretrain"], answers["finetune"], path, value)
            answers["pretrain"], answers["finetune"] = both
        else:
            answers = with_(answers, path, value)
    return dataclasses.replace(recipe, **answers)


def _depth(path: str) -> tuple[int, bool]:
    """How deep a path reaches into a recipe; True: into one learner, not into every one."""
    whole = re.sub(r"^nets\.", "learner.each.net.", path)
    whole = re.sub(r"^((pretrain\.\d+|finetune)\.)?learner\.", "stage.0.learner.", whole)
    return whole.count("."), path.partition(".")[0] not in ("learner", "nets")


def normalised(recipe: Recipe, changes: Changes, how: str) -> tuple[Recipe, Changes]:
    """With this `learner.normalise`, unless a change names one or a learner has no such thing."""
    if any(path.rpartition(".")[2] == "normalise" for path, _ in changes):
        return recipe, changes
    try:
        scaled = recipe.with_("learner.normalise", how)
    except RecipeError:
        return recipe, changes
    return scaled, changes if scaled == recipe else (*changes, ("learner.normalise", how))
