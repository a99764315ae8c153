"""The numbers of a method by name: a frozen dataclass, and presets of it.

A method's `Config` has a typed field for each number, with what it means beside the type
(`expectile: Annotated[Share, "tau of eq. 5"] = 0.7`), and the paper's numbers for defaults. A class
that inherits a field may declare it again with another default, `members: Count = 10`, and it goes
on to mean what it meant.
"""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from warmstart.errors import RecipeError, did_you_mean
from warmstart.ranges import require_fields, words_of
from warmstart.values import with_

C = TypeVar("C")


@dataclass(frozen=True)
class Number:
    """One field of a Config.

    Attributes:
        name: by which it is given, in Python and with `--set`.
        meaning: in words; "" where the class does not say.
        takes: what it may hold, in words.
        default: the paper's.
    """

    name: str
    meaning: str
    takes: str
    default: Any


def resolve(
    presets: Mapping[str, C], chosen: str | C, changes: Mapping[str, Any] | None = None
) -> C:
    """A preset, or a Config that is given, with some of its fields changed; text is read as the
    field's type.

    Raises:
        RecipeError: no such preset or field, or what a field cannot hold.
    """
    if isinstance(chosen, str):
        if chosen not in presets:
            raise RecipeError(f"there is no preset '{chosen}'. {did_you_mean(chosen, presets)}")
        chosen = presets[chosen]
    known = names_of(chosen)
    for name, value in (changes or {}).items():
        if name not in known:
            raise RecipeError(f"there is no number '{name}'. {did_you_mean(name, known)}")
        chosen = with_(chosen, name, tuple(value) if isinstance(value, list) else value)
    require_fields(chosen)
    return chosen


def names_of(config: Any) -> tuple[str, ...]:
    """The names of a Config's fields, of a class or of one that is made; () for anything else."""
    if not dataclasses.is_dataclass(config):
        return ()
    return tuple(field.name for field in dataclasses.fields(config))


def only(config: Any, group: type) -> dict[str, Any]:
    """The fields that a Config has in common with a group of them, as keyword arguments."""
    mine = names_of(config)
    return {name: getattr(config, name) for name in names_of(group) if name in mine}


def parted(group: type[C], given: Mapping[str, Any]) -> tuple[C, dict[str, Any]]:
    """A group made of what is `given` of its fields, and whatever else is given."""
    names = names_of(group)
    mine = {name: value for name, value in given.items() if name in names}
    made = group(**mine)
    require_fields(made)
    return made, {name: value for name, value in given.items() if name not in names}


def differences(config: Any) -> dict[str, Any]:
    """The fields that are not the default of the Config's class; of plain values by name, all."""
    if isinstance(config, Mapping):
        return dict(config)
    fields = ((number.name, number.default) for number in numbers_of(type(config)))
    return {n: getattr(config, n) for n, usual in fields if getattr(config, n) != usual}


def numbers_of(config: type) -> tuple[Number, ...]:
    """Every field of a Config, those that its own class brings first."""
    hints, meanings = typing.get_type_hints(config, include_extras=True), _meanings(config)
    bases = [base for base in config.__mro__ if dataclasses.is_dataclass(base)]
    own: dict[str, int] = {}
    for place, base in enumerate(bases):
        own |= dict.fromkeys(inspect.get_annotations(base), place)
    numbers = [
        Number(field.name, meanings.get(field.name, ""), words_of(hints[field.name]), field.default)
        for field in dataclasses.fields(config)
    ]
    return tuple(sorted(numbers, key=lambda number: own[number.name]))


def _meanings(config: type) -> dict[str, str]:
    """What fields mean: the words of the last class that says it."""
    said: dict[str, str] = {}
    for base in reversed(config.__mro__):
        if dataclasses.is_dataclass(base):
            hints = typing.get_type_hints(base, include_extras=True)
            for name in inspect.get_annotations(base):
                if typing.get_origin(hints[name]) is Annotated:
                    notes = [n for n in typing.get_args(hints[name])[1:] if isinstance(n, str)]
                    said |= {name: notes[-1]} if notes else {}
    return said


__all__ = ["Number", "differences", "names_of", "numbers_of", "only", "parted", "resolve"]
