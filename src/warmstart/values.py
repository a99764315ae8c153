"""Frozen dataclasses as values: written as JSON, read back, changed by a path.

A method is a value. Every part, learner and recipe is a frozen dataclass registered under its
class name; nothing else can be built from JSON, so that a file never names code to run.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

from warmstart.errors import RecipeError, did_you_mean
from warmstart.ranges import require_fields

_KNOWN: dict[str, type] = {}
T = TypeVar("T")


def register(cls: type[T]) -> type[T]:
    """Class decorator: the frozen dataclass may stand in a recipe and in its JSON.

    Making one raises RecipeError where a field holds what its type has no room for: `ranges`.
    """
    other = _KNOWN.setdefault(cls.__name__, cls)
    if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
        raise RecipeError(
            f"two parts are called '{cls.__name__}' ({other.__module__} and {cls.__module__}); "
            "rename one of them"
        )
    _hold_fields(cls)
    _KNOWN[cls.__name__] = cls
    return cls


def _hold_fields(cls: type) -> None:
    """Have the fields looked at before the class looks at them itself, if it does."""
    name = "__post_init__" if hasattr(cls, "__post_init__") else "__init__"
    own = getattr(cls, name)

    @functools.wraps(own)
    def held(self: Any, *args: Any, **fields: Any) -> None:
        if name == "__post_init__":
            require_fields(self)
            own(self)
        else:
            own(self, *args, **fields)
            require_fields(self)

    setattr(cls, name, held)


def registered() -> dict[str, type]:
    """Every part that may stand in a recipe, by its name."""
    return dict(_KNOWN)


def to_json(value: Any) -> Any:
    """Nested dicts, lists and plain values; a dataclass becomes a dict with its class as `is`."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"is": type(value).__name__, **fields}
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise RecipeError(f"{value!r} cannot be written as JSON; use numbers, strings, tuples or parts")


def from_json(data: Any) -> Any:
    """The inverse of `to_json`; lists become tuples. Raises RecipeError on unknown parts."""
    if isinstance(data, dict):
        if "is" not in data:
            return {key: from_json(item) for key, item in data.items()}
        name = data["is"]
        if not isinstance(name, str) or name not in _KNOWN:
            raise RecipeError(f"there is no part '{name}'. {did_you_mean(str(name), _KNOWN)}")
        cls = _KNOWN[name]
        names = [f.name for f in dataclasses.fields(cls)]
        for key in data:
            if key != "is" and key not in names:
                raise RecipeError(f"{name} has no field '{key}'. {did_you_mean(key, names)}")
        fields = {key: from_json(item) for key, item in data.items() if key != "is"}
        return _made(name, lambda: cls(**fields))
    if isinstance(data, list):
        return tuple(from_json(item) for item in data)
    return data


def as_text(value: Any) -> str:
    """A value as the text that `with_` reads back as the same: `--set` and stored changes.

    A part, or a tuple of parts, becomes its JSON. Raises RecipeError where JSON has no such value.
    """
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if dataclasses.is_dataclass(value) or _holds_parts(value):
        return json.dumps(to_json(value), separators=(",", ":"))
    if isinstance(value, (tuple, list)):
        return ",".join(as_text(item) for item in value)
    return str(value)


def _holds_parts(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and any(map(dataclasses.is_dataclass, value))


def get(value: Any, path: str) -> Any:
    """The field at a dotted path, such as `finetune.rhythm.updates` or `pretrain.0.until`."""
    for name in path.split("."):
        value = _child(value, name, path)
    return value


def with_(value: T, path: str, new: Any, where: str | None = None) -> T:
    """A copy of `value` with the field at the dotted `path` replaced.

    Text is read as the field's own type (`"4"` for an int, `"256,256"` for a tuple, `"none"` for
    an optional field); a registered part without arguments may be named by its class.
    Raises RecipeError, with the nearest name, where the path does not exist; it quotes `where`.
    """
    where = where or path
    head, _, rest = path.partition(".")
    old = _child(value, head, where)
    item = with_(old, rest, new, where) if rest else _read(new, old, _hint(value, head), where)
    if isinstance(value, tuple):
        index = int(head)
        return typing.cast(T, (*value[:index], item, *value[index + 1 :]))
    if isinstance(value, dict):
        return typing.cast(T, {**value, head: item})
    return _made(path, lambda: dataclasses.replace(typing.cast(Any, value), **{head: item}))


def _made(what: str, make: Callable[[], T]) -> T:
    """What `make` builds; RecipeError where the given fields do not fit together."""
    try:
        return make()
    except (TypeError, ValueError, AttributeError) as error:
        raise RecipeError(
            f"'{what}' cannot be made of this: {error}; compare with `Recipe.to_json()` of a "
            "method's own recipe"
        ) from error


def paths(value: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Every leaf of a nested value with its dotted path, in order."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        items = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]
    elif isinstance(value, tuple) and any(dataclasses.is_dataclass(v) for v in value):
        items = [(str(i), v) for i, v in enumerate(value)]
    else:
        return [(prefix, value)]
    return [leaf for name, item in items for leaf in paths(item, f"{prefix}.{name}".lstrip("."))]


def _child(value: Any, name: str, path: str) -> Any:
    if isinstance(value, tuple) and name.isdigit() and int(name) < len(value):
        return value[int(name)]
    if isinstance(value, dict) and name in value:
        return value[name]
    if dataclasses.is_dataclass(value):
        names = [f.name for f in dataclasses.fields(value)]
        if name in names:
            return getattr(value, name)
    elif isinstance(value, tuple):
        names = [str(i) for i in range(len(value))]
    else:
        names = []
    hint = did_you_mean(name, names) if names else f"{type(value).__name__} has no fields."
    raise RecipeError(f"there is no field '{name}' in '{path}'. {hint}")


def _hint(value: Any, name: str) -> Any:
    if dataclasses.is_dataclass(value):
        return typing.get_type_hints(type(value)).get(name)
    return None


def _read(new: Any, old: Any, hint: Any, path: str) -> Any:
    if not isinstance(new, str):
        return new
    if new.lstrip("[ ").startswith("{"):
        try:
            part = from_json(json.loads(new))
        except ValueError as error:
            raise RecipeError(
                f"'{path}' cannot be '{new}' ({error}); give JSON as `Recipe.to_json()` writes it"
            ) from None
        if dataclasses.is_dataclass(part) or _holds_parts(part):
            return part
        raise RecipeError(f"'{path}' cannot be '{new}'; the JSON of a part names it under \"is\"")
    either = typing.get_origin(hint) in (types.UnionType, typing.Union)
    allowed = typing.get_args(hint) if either else (hint,)
    if type(None) in allowed and new.lower() in ("none", "null"):
        return None
    worded = [h for h in allowed if typing.get_origin(h) is typing.Literal]
    literals = [word for h in worded for word in typing.get_args(h)]
    if new in literals:
        return new
    if literals and all(h in worded or h is type(None) for h in allowed):
        raise RecipeError(f"'{path}' cannot be '{new}'. {did_you_mean(new, map(str, literals))}")
    if new in _KNOWN and (old is None or dataclasses.is_dataclass(old)):
        return _KNOWN[new]()
    want = type(old) if old is not None else next((h for h in allowed if h is not type(None)), str)
    try:
        truth = new.lower() in ("true", "false")
        if (want is bool and (truth or str not in allowed)) or (bool in allowed and truth):
            return {"true": True, "false": False, "1": True, "0": False}[new.lower()]
        if want is tuple or typing.get_origin(want) is tuple:
            items = [item.strip(" '\"") for item in new.strip("()[] ").split(",") if item.strip()]
            words = isinstance(old, tuple) and old and isinstance(old[0], str)
            return tuple(items) if words else tuple(map(_number, items))
        if want is int and float in allowed:
            return _number(new)
        if want in (int, float):
            return want(new)
    except (KeyError, ValueError):
        kind = getattr(want, "__name__", want)
        raise RecipeError(
            f"'{path}' cannot be '{new}'; give a value like {old!r} ({kind})"
        ) from None
    if isinstance(old, str) or want is str or str in allowed:
        return new
    raise RecipeError(
        f"'{path}' holds a {type(old).__name__}; set one of its fields, such as "
        f"'{path}.{next((p for p, _ in paths(old)), '...')}', or name another part"
    )


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() and "." not in text and "e" not in text else value
