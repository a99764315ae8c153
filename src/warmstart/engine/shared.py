"""Programs that are equal are traced and compiled once in a process.

Two trainers of one recipe need the same programs, as a run and its continuation do. A program is
known by all that its function holds: its code, and the values that its closure caught. Only plain
values and the package's own frozen dataclasses count as known, and what holds anything else, such
as a part of the user's own, whose code may be edited in a notebook, is compiled by itself.
"""

from __future__ import annotations

import dataclasses
import threading
import types
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import jax

T = TypeVar("T")
MOST = 128
"""What was used least recently goes when there are more."""

_KEPT: OrderedDict[Hashable, Any] = OrderedDict()
_LOCK = threading.RLock()
_PLAIN = (bool, int, float, str, bytes, type(None))
_STRUCTURE = (jax.tree_util.PyTreeDef, jax.ShapeDtypeStruct)


class _UnknownError(Exception):
    """It holds something that has no value of its own."""


def once(key: Hashable | None, make: Callable[[], T]) -> T:
    """What `make` gave for this key before, or gives now; with the key None always again."""
    if key is None:
        return make()
    with _LOCK:
        if key in _KEPT:
            _KEPT.move_to_end(key)
            return _KEPT[key]
        made = _KEPT[key] = make()
        while len(_KEPT) > MOST:
            _KEPT.popitem(last=False)
    return made


def forget() -> None:
    """Let every program go that nobody else holds; the next that is equal is compiled again."""
    with _LOCK:
        _KEPT.clear()


def key_of(thing: Any) -> Hashable | None:
    """All that a value or function holds, so that equal keys mean equal programs; None where that
    cannot be told."""
    try:
        return _key(thing)
    except _UnknownError:
        return None


def _key(thing: Any) -> Hashable:
    kind = type(thing)
    if kind in _PLAIN:
        return kind, repr(thing)  # 1, 1.0 and True are equal, and so are 0.0 and -0.0
    if isinstance(thing, _STRUCTURE):
        return thing
    if isinstance(thing, tuple):
        return kind, *(_key(item) for item in thing)
    if isinstance(thing, types.MethodType):
        return _key(thing.__func__), _key(thing.__self__)
    if isinstance(thing, types.FunctionType):
        if thing.__defaults__ or thing.__kwdefaults__ or not _ours(thing.__module__):
            raise _UnknownError
        return thing.__code__, *(_key(cell.cell_contents) for cell in thing.__closure__ or ())
    if _is_value(kind):
        fields = [field.name for field in dataclasses.fields(kind)]
        if set(getattr(thing, "__dict__", ())) <= set(fields):
            return kind, *(_key(getattr(thing, name)) for name in fields)
    raise _UnknownError


def _is_value(kind: type) -> bool:
    made = getattr(kind, "__dataclass_params__", None)
    return made is not None and made.frozen and _ours(kind.__module__)


def _ours(module: str) -> bool:
    return module.partition(".")[0] == "warmstart"
