"""What a field of a part may hold: its type, and of a number the range.

A number's range stands where the field is declared, as its type (`tau: Share`); where none does,
it is any finite number. Numbers are float32 and int32 once they are at work, so what those cannot
hold is refused as well.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from warmstart.errors import RecipeError, WarmstartError

LARGEST = float.fromhex("0x1.fffffep+127")
"""Of float32."""
LARGEST_WHOLE = 2**31 - 1


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`; without the end itself where it is `open`."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number lies inside; NaN lies nowhere."""
        low = value > self.low if self.open_low else value >= self.low
        high = value < self.high if self.open_high else value <= self.high
        return low and high

    def words(self, whole: bool) -> str:
        """For people, behind "give"."""
        what = "a whole number" if whole else "a finite number"
        if self.low == -math.inf:
            return what
        what = "a whole number" if whole else "a number"
        least = f"{self.low:g}"
        if self.high == math.inf:
            return f"{what} above {least}" if self.open_low else f"{what} from {least} on"
        above = "above" if self.open_low else "from"
        return f"{what} {above} {least} to {'below ' if self.open_high else ''}{self.high:g}"


Finite = Annotated[float, Range()]
NotNegative = Annotated[float, Range(0)]
Positive = Annotated[float, Range(0, open_low=True)]
Share = Annotated[float, Range(0, 1)]
BelowOne = Annotated[float, Range(0, 1, open_high=True)]
Whole = Annotated[int, Range(0)]
Count = Annotated[int, Range(1)]


def require_fields(value: Any, wrong: type[WarmstartError] = RecipeError) -> None:
    """Refuse (`wrong`) a dataclass with a field that holds what it cannot.

    Arrays and whatever else JSON does not have are left to whoever reads them.
    """
    for name, hint in _hints(type(value)).items():
        held = getattr(value, name)
        if (wanted := _wrong(held, hint)) is not None:
            raise wrong(f"{type(value).__name__}: {name} cannot be {_shown(held)}; give {wanted}")


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError):  # a user's own part may name types that are not there
        return {}
    return {f.name: hints[f.name] for f in dataclasses.fields(cls) if f.init}


def words_of(hint: Any) -> str:
    """What a field of this type takes, in words."""
    return _wrong({}, hint) or "values by name" if hint is not Any else "anything"


def ranges_of(hint: Any) -> Iterator[tuple[type, Range | None]]:
    """Every kind of number in a field's type, with the range that is declared for it."""
    if typing.get_origin(hint) is Annotated:
        kind, *notes = typing.get_args(hint)
        if kind in (int, float):
            yield kind, next((note for note in notes if isinstance(note, Range)), None)
    elif hint in (int, float):
        yield hint, None
    elif typing.get_origin(hint) is not Literal:
        for inner in typing.get_args(hint):
            yield from ranges_of(inner)


def _wrong(value: Any, hint: Any) -> str | None:
    """What to give instead, in words; None where `value` will do."""
    if typing.get_origin(hint) is Annotated:
        kind, *notes = typing.get_args(hint)
        limits = next((note for note in notes if isinstance(note, Range)), Range())
        return _wrong_number(value, kind, limits) if kind in (int, float) else _wrong(value, kind)
    if hint in (int, float):
        return _wrong_number(value, hint, Range())
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        said = [_wrong(value, inner) for inner in typing.get_args(hint)]
        return None if None in said else " or ".join(filter(None, said))
    if hint in (None, type(None)):
        return None if value is None else "none"
    if typing.get_origin(hint) is Literal:
        known = typing.get_args(hint)
        fits = any(value == word and type(value) is type(word) for word in known)
        return None if fits else f"one of {', '.join(map(str, known))}"
    if typing.get_origin(hint) is tuple:
        return _wrong_tuple(value, typing.get_args(hint))
    if typing.get_origin(hint) is Mapping:
        return None if isinstance(value, Mapping) else "values by name"
    if typing.get_origin(hint) is Sequence:
        return _wrong_tuple(value, (*typing.get_args(hint), Ellipsis))
    if hint in (str, bool):
        fits = isinstance(value, hint) or not _is_plain(value)
        return None if fits else {str: "a word", bool: "true or false"}[hint]
    if hint is Any or not _is_plain(value):
        return None
    if isinstance(value, list):
        return "a tuple, as which it comes back from JSON"
    return "a part, as `Recipe.to_json()` of a method's own recipe has it"


def _wrong_number(value: Any, kind: type, limits: Range) -> str | None:
    if not _is_plain(value):
        return None
    whole = kind is int
    fits = isinstance(value, numbers.Integral if whole else numbers.Real)
    if fits and not isinstance(value, bool):
        most, number = LARGEST_WHOLE if whole else LARGEST, typing.cast(float, value)
        if abs(number) <= most and limits.holds(number):
            return None
        if most < abs(number) < math.inf:
            return f"{limits.words(whole)} of at most {most:.3g}"
    return limits.words(whole)


def _wrong_tuple(value: Any, inner: tuple[Any, ...]) -> str | None:
    if not isinstance(value, tuple | list):
        return "several, with commas"
    if len(inner) == 2 and inner[1] is Ellipsis:
        inner = (inner[0],) * len(value)
    if len(value) != len(inner):
        return f"{len(inner)} of them, with commas"
    return next(filter(None, map(_wrong, value, inner)), None)


def _is_plain(value: Any) -> bool:
    """Whether it is of a kind that JSON has: of all else the type is its own business."""
    return value is None or isinstance(value, str | bool | numbers.Real | dict | list | tuple)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:77]}..."


__all__ = [
    "BelowOne",
    "Count",
    "Finite",
    "NotNegative",
    "Positive",
    "Range",
    "Share",
    "Whole",
    "ranges_of",
    "require_fields",
    "words_of",
]
