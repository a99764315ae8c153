"""Pickled NPY files, read without running any of them.

`pickle.load` runs whatever a file names. Here the opcodes are only listed (`pickletools.genops`
executes nothing) and a small interpreter of our own answers them. A name in the file is looked up
in one short table and never imported; the results are numbers, text, lists, tuples,
dicts and arrays of plain numbers.
"""

from __future__ import annotations

import io
import pickletools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.data.mapped import BROKEN
from warmstart.errors import DataError


class Refused(Exception):
    """Something in the file that is neither numbers nor text nor a container of them."""


class _Name:
    """What stands for a name of the table: it can do nothing."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Kind:
    """A dtype in the making."""

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype


class _Array:
    """An array in the making; `value` once its state was given."""

    value: Any = None


_NAMES = {
    "numpy ndarray": "array",
    "numpy dtype": "dtype",
    **{f"numpy.{core}.multiarray _reconstruct": "reconstruct" for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray scalar": "scalar" for core in ("core", "_core")},
    **{f"numpy.{core}.numeric _frombuffer": "frombuffer" for core in ("core", "_core")},
    "_codecs encode": "encode",
}
_MARK = object()
_IGNORED = {"PROTO", "FRAME", "STOP"}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], Any]] = {
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
}
_VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE",
    "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip


def read_pickled_npy(path: Path) -> Any:
    """The object that a pickled `.npy` file holds: lists, tuples, dicts, text, numbers, arrays.

    An array of objects comes back as a list. Plain `.npy` files come back as their array.

    Raises:
        DataError: no NPY file, a broken one, or one that holds anything else.
    """
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            header = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            _, _, dtype = header(file)
            body = file.read() if dtype.hasobject else b""
        return plain(body) if dtype.hasobject else np.load(path, allow_pickle=False)
    except Refused as error:
        raise DataError(
            f"{path} holds {error}: only numbers, text, lists, dicts and arrays are read from "
            "pickled files, and nothing is run. Get it from its authors, or convert it to NPZ "
            "where you trust it."
        ) from error
    except (*BROKEN, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise DataError(
            f"{path} is not a readable NPY file ({type(error).__name__}: {error}): copy it again "
            "from its source."
        ) from error


def plain(pickled: bytes) -> Any:
    """The plain data of a pickle. Raises Refused, or ValueError and the like on a broken one."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    argument: Any
    for opcode, argument, _ in pickletools.genops(io.BytesIO(pickled)):
        name = opcode.name
        if name in _IGNORED:
            continue
        if name in _VALUES:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name == "MARK":
            stack.append(_MARK)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            memo[len(memo) if name == "MEMOIZE" else argument] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name in _STEPS:
            _STEPS[name](stack)
        elif name == "GLOBAL":
            stack.append(_named(str(argument)))
        else:
            raise Refused(f"an instruction to {name.lower().replace('_', ' ')} something")
    return _finished(stack.pop())


def _named(name: str) -> _Name:
    if name not in _NAMES:
        raise Refused(f"the name '{name.replace(' ', '.')}', which would be code")
    return _Name(_NAMES[name])


def _marked(stack: list[Any]) -> list[Any]:
    """What lies above the last mark; the mark goes too."""
    above: list[Any] = []
    while (item := stack.pop()) is not _MARK:
        above.append(_finished(item))
    return above[::-1]


def _finished(value: Any) -> Any:
    """An array in the making as its array, which must be there by now."""
    if isinstance(value, _Array):
        if value.value is None:
            raise Refused("an array without contents")
        return value.value
    return value


def _pop(stack: list[Any], count: int) -> list[Any]:
    return [_finished(stack.pop()) for _ in range(count)][::-1]


def _global(stack: list[Any]) -> None:
    module, name = _pop(stack, 2)
    stack.append(_named(f"{module} {name}"))


def _append(stack: list[Any]) -> None:
    (value,) = _pop(stack, 1)
    _of(stack[-1], list).append(value)


def _appends(stack: list[Any]) -> None:
    values = _marked(stack)
    _of(stack[-1], list).extend(values)


def _set(stack: list[Any]) -> None:
    key, value = _pop(stack, 2)
    _of(stack[-1], dict)[key] = value


def _sets(stack: list[Any]) -> None:
    items = _marked(stack)
    _of(stack[-1], dict).update(zip(items[::2], items[1::2], strict=True))


def _dict(stack: list[Any]) -> None:
    items = _marked(stack)
    stack.append(dict(zip(items[::2], items[1::2], strict=True)))


def _of(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise Refused(f"items for something that is no {kind.__name__}")
    return value


def _reduce(stack: list[Any]) -> None:
    """The few calls that make arrays, by hand."""
    arguments, called = stack.pop(), stack.pop()
    if not isinstance(called, _Name) or not isinstance(arguments, tuple):
        raise Refused("a call of something that is no array")
    if called.name == "reconstruct":
        stack.append(_Array())
    elif called.name == "dtype" and arguments and isinstance(arguments[0], str):
        stack.append(_Kind(_plain_dtype(arguments[0])))
    elif called.name == "scalar" and len(arguments) == 2 and isinstance(arguments[0], _Kind):
        stack.append(_filled(arguments[0].dtype, (), _bytes(arguments[1]))[()])
    elif called.name == "frombuffer" and len(arguments) == 4 and isinstance(arguments[1], _Kind):
        contents, kind, shape, order = arguments
        order = "F" if order == "F" else "C"
        stack.append(_filled(kind.dtype, shape, _bytes(contents), order))
    elif called.name == "encode" and arguments and isinstance(arguments[0], str):
        stack.append(arguments[0].encode("latin1"))  # how protocol 2 writes bytes
    else:
        raise Refused(f"a call of {called.name} that makes no array")


def _build(stack: list[Any]) -> None:
    state, target = stack.pop(), stack[-1]
    if isinstance(target, _Kind) and isinstance(state, tuple):
        if len(state) > 1 and state[1] in ("<", ">", "="):
            target.dtype = target.dtype.newbyteorder(state[1])
        return
    if not (isinstance(target, _Array) and isinstance(state, tuple) and len(state) == 5):
        raise Refused("a state for something that is no array")
    _, shape, kind, by_columns, contents = state
    if not isinstance(kind, _Kind):
        raise Refused("an array of no known kind of number")
    if kind.dtype == object:
        target.value = list(_of(contents, list))
        return
    target.value = _filled(kind.dtype, shape, _bytes(contents), "F" if by_columns else "C")


def _bytes(value: Any) -> bytes | bytearray:
    # Python 2 wrote bytes as text, one character each.
    value = value.encode("latin1") if isinstance(value, str) else value
    if not isinstance(value, bytes | bytearray):
        raise Refused("an array whose contents are no bytes")
    return value


def _filled(
    dtype: np.dtype, shape: Any, contents: bytes | bytearray, order: Any = "C"
) -> np.ndarray:
    """Bytes as an array; ValueError where they are too many or too few."""
    return np.frombuffer(contents, dtype).reshape(shape, order=order)


def _plain_dtype(text: str) -> np.dtype:
    if not re.fullmatch(r"[<>=|]?(O8?|[biuf]\d+)", text):
        raise Refused(f"an array of {text}, which are no plain numbers")
    return np.dtype(text)


def _drop(stack: list[Any]) -> None:
    stack.pop()


def _drop_marked(stack: list[Any]) -> None:
    _marked(stack)


def _tuple(count: int) -> Callable[[list[Any]], None]:
    def made(stack: list[Any]) -> None:
        stack.append(tuple(_pop(stack, count)))

    return made


_STEPS: dict[str, Callable[[list[Any]], None]] = {
    "STACK_GLOBAL": _global,
    "REDUCE": _reduce,
    "BUILD": _build,
    "APPEND": _append,
    "APPENDS": _appends,
    "SETITEM": _set,
    "SETITEMS": _sets,
    "DICT": _dict,
    "LIST": lambda stack: stack.append(_marked(stack)),
    "TUPLE": lambda stack: stack.append(tuple(_marked(stack))),
    "TUPLE1": _tuple(1),
    "TUPLE2": _tuple(2),
    "TUPLE3": _tuple(3),
    "POP": _drop,
    "POP_MARK": _drop_marked,
}
