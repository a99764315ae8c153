"""A method's numbers by name: one word in Python and with `--set`, resolved here.

A short name (`expectile`) is a field of the `Config` of the method that stands first, and goes into
its recipe before any path (`finetune.learner.value_fit.expectile`) is applied: where both are given
the path wins. `pretrain_steps` and `steps` are short names of every method.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from warmstart.api.changes import changed
from warmstart.api.given import by_name
from warmstart.api.in_words import QUESTIONS, taken
from warmstart.api.own import Method, find_method, short_name, the_users
from warmstart.config import names_of, resolve
from warmstart.errors import RecipeError, did_you_mean
from warmstart.methods.compose import compose
from warmstart.recipe import Recipe
from warmstart.values import as_text, get, paths

LENGTHS = ("pretrain_steps", "steps")
LONG = r"pretrain\.\d+\.updates|finetune\.steps"
"""The paths of what lengths may mean."""


def names_for(method: Any) -> tuple[str, ...]:
    """The short names of a method that is named, as a user names it; of a Recipe the lengths.

    Raises RecipeError where there is no such method.
    """
    if not isinstance(method, str):
        return LENGTHS
    return tuple(dict.fromkeys((*_names(find_method(the_users(method))), *LENGTHS)))


def joined(changes: Any, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """What was given as changes and what as arguments of their own, as one.

    Raises RecipeError for changes that are no values by name, and where the two contradict.
    """
    given = by_name("changes", changes, '{"finetune.steps": 20_000}', RecipeError)
    for name, value in numbers.items():
        if not _same(given.setdefault(name, value), value):
            raise _contradiction(name, value, name, given[name])
    return given


def recipe_of(
    method: str,
    module: Method,
    made: Recipe | None,
    preset: str,
    given: Mapping[str, Any],
    discount: float,
    lengths: Collection[str] = (),
) -> Recipe:
    """The recipe of a method with everything that is given by name or by path.

    `made`: the recipe itself, where it was handed in. `lengths`: those that are arguments of their
    own, beside which no path may say anything else.

    Raises RecipeError: an unknown name or path, a number that is of no consequence, or answers that
    contradict each other.
    """
    answers, names = taken(given), _names(module, preset)
    short = {n: v for n, v in given.items() if _is_short(n)}
    deep = {p: v for p, v in given.items() if p not in answers and p not in short}
    apart = {n: short.pop(n) for n in LENGTHS if n in short and not _own(n, names, answers)}
    for name, value in short.items():
        if name not in names:
            raise _unknown(method, names, name, value, answers, preset)
    recipe = compose(_made(module, made, preset, short), answers, preset, deep)
    for name in short:
        others = {n: v for n, v in short.items() if n != name}
        unmoved = compose(_made(module, made, preset, others), answers, preset, deep)
        if (
            unmoved == recipe
            and resolve(module.PRESETS, preset, {name: short[name]}) != (module.PRESETS[preset])
        ):
            raise _idle(method, name, short[name], answers)
    if "pretrain_steps" in given and not recipe.pretrain:
        raise RecipeError(
            f"{short_name(method)} has no pre-training; leave --pretrain-steps (pretrain_steps=) "
            "out, or take one from another method, such as pretrain=iql"
        )
    recipe = recipe.with_discount(discount)
    last = {"pretrain_steps": f"pretrain.{len(recipe.pretrain) - 1}.updates"}
    last["steps"] = "finetune.steps"
    for name in lengths:
        means = {last[name]} if name in apart else set(_long(recipe, given[name], deep))
        for path in means & deep.keys():
            if not _same(given[name], deep[path]):
                raise _contradiction(name, given[name], path, deep[path])
    return changed(recipe, {**{last[name]: value for name, value in apart.items()}, **deep})


def _names(module: Method, preset: str | None = None) -> tuple[str, ...]:
    preset = next(iter(module.PRESETS)) if preset is None else preset
    return names_of(module.PRESETS[preset])


def _is_short(name: str) -> bool:
    """Whether a name is of a number, and neither of an answer nor a path."""
    return "." not in name and name not in (*QUESTIONS, "name")


def _own(name: str, names: tuple[str, ...], answers: Mapping[str, str]) -> bool:
    """Whether a length is the method's own number, of a phase that is the method's own."""
    return name in names and not (name == "pretrain_steps" and "pretrain" in answers)


def _made(module: Method, made: Recipe | None, preset: str, short: Mapping[str, Any]) -> Recipe:
    if made is not None:
        return made
    config = resolve(module.PRESETS, preset, short) if short else preset
    return module.recipe(config)


def _long(recipe: Recipe, length: Any, deep: Mapping[str, Any]) -> list[str]:
    """The changed paths that hold a length already, and so are what it means."""
    found = [path for path in deep if re.fullmatch(LONG, path)]
    known = dict(paths(recipe))
    return [path for path in found if path in known and _same(get(recipe, path), length)]


def _same(one: Any, other: Any) -> bool:
    return as_text(one).replace("_", "") == as_text(other).replace("_", "")


def _contradiction(name: str, value: Any, path: str, other: Any) -> RecipeError:
    return RecipeError(
        f"{name}={as_text(value)} and {path}={as_text(other)} contradict each other; give one of "
        "them"
    )


def _unknown(
    method: str,
    names: tuple[str, ...],
    name: str,
    value: Any,
    answers: Mapping[str, str],
    preset: str,
) -> RecipeError:
    """What is wrong with a short name that the method has not."""
    who = short_name(method)
    for answer, giver in answers.items():
        module = find_method(giver)
        theirs = preset if preset in module.PRESETS else "paper"
        if name in _names(module, theirs):
            usual, new = (_made(module, None, theirs, n) for n in ({}, {name: value}))
            was = dict(paths(usual))
            found = [p for p, v in paths(new) if p.startswith(f"{answer}.") and was.get(p) != v]
            way = f"set its path, {found[0]}={as_text(value)}" if found else "leave it out"
            return RecipeError(
                f"'{name}' is a number of {giver}, from which {answer} is taken, and short names "
                f"are those of {who}; {way}"
            )
    hint = did_you_mean(name, {*names, *LENGTHS, *QUESTIONS})
    return RecipeError(
        f"{who} has no number '{name}'. {hint} `warmstart show {who}` lists its numbers and paths"
    )


def _idle(method: str, name: str, value: Any, answers: Mapping[str, str]) -> RecipeError:
    said = f"{name}={as_text(value)} changes nothing here"
    if answers:
        given = " and ".join(f"{answer} is taken from {giver}" for answer, giver in answers.items())
        return RecipeError(f"{said}: {given}; leave it out, or set the path of a field there")
    return RecipeError(
        f"{said}: {short_name(method)} does not read it beside its other numbers; leave it out"
    )
