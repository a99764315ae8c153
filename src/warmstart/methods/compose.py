"""Answers of different methods in one recipe."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from warmstart.errors import RecipeError, did_you_mean
from warmstart.learners import Learner
from warmstart.methods import METHODS
from warmstart.recipe import Recipe, Stage
from warmstart.values import with_

ANSWERS = ("finetune", "pretrain", "handover", "replay", "acting")
"""In the order in which they are taken: networks follow the online learner."""


def compose(
    recipe: Recipe,
    taken: Mapping[str, str],
    preset: str = "paper",
    changes: Mapping[str, Any] | None = None,
) -> Recipe:
    """`recipe` with some of its five answers taken from other methods.

    Args:
        recipe: what stays.
        taken: answer -> name of the method that gives it.
        preset: whose numbers the givers use; `paper` where they have no such preset.
        changes: path -> value of single fields, without which the answers may contradict.

    Pre-training is rebuilt with the networks of the online learner, whichever method that is from.
    Where the new learner's policy is of another kind (deterministic or not) its method's acting
    rule comes with it, unless another one is named. The number of online steps stays.

    Raises:
        RecipeError: a name that does not exist, or answers that contradict each other.
    """
    for name, giver in taken.items():
        if name not in ANSWERS:
            hint = did_you_mean(name, ANSWERS)
            raise RecipeError(f"'{name}' is none of the five answers. {hint}")
        if giver not in METHODS:
            raise RecipeError(f"there is no method '{giver}'. {did_you_mean(giver, METHODS)}")
    try:
        return _composed(recipe, taken, preset, changes)
    except RecipeError as error:
        if re.search(r"; set (replay|finetune|pretrain)\.", str(error)):
            raise  # one field fixes it
        for more in _with(recipe, taken):
            try:
                _composed(recipe, {**taken, **more}, preset)
            except RecipeError:
                continue
            reason = str(error).partition(";")[0]
            said = " and ".join(f"{name}={giver}" for name, giver in more.items())
            raise RecipeError(f"{reason}; set {said} too") from error
        raise


def _with(recipe: Recipe, taken: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Further answers that may make the `taken` ones fit, the fewest first."""
    if "pretrain" not in taken:
        if "finetune" in taken:
            likely = (taken["finetune"], "td3_bc", "cal_ql", "off2on")
            yield from ({"pretrain": giver} for giver in likely)
        elif not recipe.pretrain:
            yield from ({"pretrain": giver} for giver in taken.values())
    if "finetune" not in taken and "pretrain" in taken:
        yield {"finetune": taken["pretrain"]}
    for giver in taken.values():
        more = {"pretrain": giver, "finetune": giver, "replay": giver, "acting": giver}
        kept = {name: giver for name, giver in more.items() if name not in taken}
        yield {name: giver for name, giver in kept.items() if name == "replay"}
        yield {name: giver for name, giver in kept.items() if name in ("pretrain", "replay")}
        yield {name: giver for name, giver in kept.items() if name != "acting"}
        yield kept


def _composed(
    recipe: Recipe,
    taken: Mapping[str, str],
    preset: str,
    single: Mapping[str, Any] | None = None,
) -> Recipe:
    given = {name: _recipe(giver, preset) for name, giver in taken.items()}
    plain = ("handover", "replay")
    changes: dict[str, Any] = {name: getattr(given[name], name) for name in plain if name in given}
    finetune = recipe.finetune
    if "finetune" in given:
        donor = given["finetune"]
        finetune = dataclasses.replace(donor.finetune, steps=recipe.finetune.steps)
        if donor.finetune.learner.policy_kind != recipe.finetune.learner.policy_kind:
            changes["acting"] = donor.acting
        changes["finetune"] = finetune
    if "acting" in given:
        changes["acting"] = given["acting"].acting
    stages = given["pretrain"].pretrain if "pretrain" in given else recipe.pretrain
    if "pretrain" in given or "finetune" in given:
        fitted = tuple(_fitted(stage, finetune.learner) for stage in stages)
        changes["pretrain"] = fitted
    try:
        return dataclasses.replace(recipe, **changes)
    except RecipeError:
        answers = {name: changes.get(name, getattr(recipe, name)) for name in ANSWERS}
        for path, value in (single or {}).items():
            if path.partition(".")[0] in ANSWERS:
                with contextlib.suppress(RecipeError):  # said where it is made alone
                    answers = with_(answers, path, value)
        return dataclasses.replace(recipe, **answers)


def _recipe(method: str, preset: str) -> Recipe:
    module = METHODS[method]
    return module.recipe(preset if preset in module.PRESETS else "paper")


def _fitted(stage: Stage, online: Learner) -> Stage:
    """The stage with the online learner's networks, so that what it learns can cross."""
    return dataclasses.replace(stage, learner=stage.learner.networks_of(online))
