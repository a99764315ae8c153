"""An environment's own observations and actions, and the flat numbers that a network has.

What an environment's spaces say, as plain JSON: `{"observation": {...}, "action": {...}}`. A run
writes it down with each policy, so that acting needs no environment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.errors import TaskError
from warmstart.types import TOO_LARGE, Spec

MOST_COLOURS = 16
"""Of an image: several pictures may stand one behind another, as a stack does."""
Path = tuple[str, ...]
"""Keys of (nested) dicts, from the outside in; empty for an observation that is an array."""


def is_camera(shape: tuple[int, ...], dtype: Any) -> bool:
    """Whether a part of an observation is an image [H, W, C] of bytes, colours last."""
    bytes_, colours = np.dtype(dtype) == np.uint8, len(shape) == 3 and shape[2] <= MOST_COLOURS
    return bytes_ and colours and min(shape[:2]) >= 8 and shape[2] >= 1


def camera_name(path: Sequence[str]) -> str:
    """What the image at a path of keys is called."""
    return "/".join(path) or "image"


def to_box(action: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """[..., A] actions in [-1, 1], clipped, to the box [low, high]."""
    unit = np.minimum(np.maximum(action, -1.0), 1.0)
    return low + (unit + 1.0) * 0.5 * (high - low)


def from_box(action: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """[..., A] actions of the box [low, high] to [-1, 1], not clipped."""
    return 2.0 * (action - low) / (high - low) - 1.0


class ActionBox:
    """Actions in [-1, 1] as an environment takes them: its box, shape and type.

    Args:
        low, high: the limits, in the environment's own shape and type.

    Attributes:
        limits: these two.
        low, high: [A] float32.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray) -> None:
        self.limits: tuple[np.ndarray, np.ndarray] = low, high
        self.low: np.ndarray = np.asarray(low, np.float32).reshape(-1)
        self.high: np.ndarray = np.asarray(high, np.float32).reshape(-1)
        self._unit = bool(np.all(self.low == -1.0) and np.all(self.high == 1.0))
        self._whole = bool(np.issubdtype(low.dtype, np.integer))

    @property
    def size(self) -> int:
        """A."""
        return len(self.low)

    def __call__(self, action: np.ndarray) -> np.ndarray:
        """[A] or [N, A] float32 in [-1, 1], clipped, to the environment's own actions."""
        (low, high), lead = self.limits, action.shape[:-1]
        if self._unit:
            boxed = np.minimum(np.maximum(action, np.float32(-1.0)), np.float32(1.0))
        else:
            boxed = to_box(action, self.low, self.high)
        if self._whole:  # the nearest, where a cast takes 6.9999995 for 6
            boxed = np.rint(boxed)
        boxed = boxed.reshape(*lead, *low.shape).astype(low.dtype)
        # float32 may round past a limit in float64
        return boxed if self._unit else np.clip(boxed, low, high)


@dataclass(frozen=True, eq=False)
class Part:
    """One array of an observation: where it stands, and its shape."""

    path: Path
    shape: tuple[int, ...]
    image: bool = False

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def name(self) -> str:
        """For messages."""
        return "the observation" + "".join(f"['{key}']" for key in self.path)

    def require_bytes(self, value: np.ndarray) -> None:
        """Refuse (TaskError) an image of anything but uint8."""
        if self.image and value.dtype != np.uint8:
            raise TaskError(
                f"{self.name} is an image of {value.dtype}, this policy sees uint8 from 0 to 255; "
                "give what the environment observes"
            )


class Observations:
    """An environment's own observations, one or a batch, as flat float32 numbers.

    Args:
        parts: what is joined, in this order.
        ignored: paths that the environment observes and the policy does not look at.
        offset: [O] float64, taken away before the numbers become float32; None: nothing.
        largest: what a number may be at most, behind the offset.
    """

    def __init__(
        self,
        parts: tuple[Part, ...],
        ignored: tuple[Path, ...],
        offset: np.ndarray | None,
        largest: float = TOO_LARGE,
    ) -> None:
        self.largest: float = largest
        self.parts: tuple[Part, ...] = parts
        self.ignored: tuple[Path, ...] = ignored
        self.offset: np.ndarray | None = offset
        self.size: int = sum(part.size for part in parts)
        self._dict = parts[0].path != ()

    def __call__(self, observation: Any) -> tuple[np.ndarray, bool]:
        """Flat numbers [N, O], and whether it was a batch (False: N is 1).

        Raises:
            TaskError: another shape than the environment's, [O] or [N, O]; something else than
                finite numbers.
        """
        if isinstance(observation, Mapping):
            flat, batch = self._joined(observation)
        else:
            flat, batch = self._array(observation)
        if self.offset is not None:
            flat = flat.astype(np.float64) - self.offset
        with np.errstate(over="ignore"):  # too large is infinite, and refused
            flat = flat.astype(np.float32, copy=False)
        good = np.abs(flat) <= self.largest
        if not good.all():
            number = int(np.argmin(good.all(axis=0)))
            value = float(flat[int(np.argmin(good[:, number])), number])
            kind = "not finite (NaN, infinity, or beyond float32)"
            if np.isfinite(value):
                kind = f"beyond {self.largest:g}, too large for float32"
            raise TaskError(
                f"number {number} of an observation is {value:g}, which is {kind}: look into the "
                "environment or sensor before you act on it"
            )
        return flat, batch

    def _array(self, observation: Any) -> tuple[np.ndarray, bool]:
        held, own = _numbers(observation, "the observation"), None
        if not self._dict:
            own = self.parts[0].shape  # first, where it could be read in two ways
        for shape in (own, (self.size,)):
            if shape == own and held.shape[-len(shape or ()) :] == shape:
                self.parts[0].require_bytes(held)
            if shape is not None and held.shape == shape:
                return held.reshape(1, self.size), False
            if shape is not None and held.ndim == 1 + len(shape) and held.shape[1:] == shape:
                return held.reshape(len(held), self.size), True
        wanted = f"[{self.size}] or [N, {self.size}]"
        if self._dict:
            wanted = f"a dict of {', '.join(part.name for part in self.parts)}, or {wanted}"
        elif own != (self.size,):
            wanted = f"{list(own or ())}, {wanted}"
        raise TaskError(
            f"an observation of shape {list(held.shape)} does not fit this policy, which sees "
            f"{wanted}; give what the environment observes"
        )

    def _joined(self, observation: Mapping[str, Any]) -> tuple[np.ndarray, bool]:
        if not self._dict:
            keys, shape = ", ".join(map(str, observation)), list(self.parts[0].shape)
            raise TaskError(
                f"the observation is a dict of {keys}, this policy sees an array of shape {shape}; "
                "give what the environment observes"
            )
        known = [part.path for part in self.parts]
        given = _paths(observation, (*known, *self.ignored))
        extra = [path for path in given if path not in known and path not in self.ignored]
        missing = [path for path in known if path not in given]
        if extra or missing:
            which = "lacks" if missing else "has the unknown key"
            raise TaskError(
                f"the observation {which} {'/'.join((missing or extra)[0])!r}; this policy sees "
                f"{', '.join('/'.join(path) for path in known)}: give what the "
                "environment observes"
            )
        held = [_numbers(given[part.path], part.name) for part in self.parts]
        lead: tuple[int, ...] | None = None
        for part, value in zip(self.parts, held, strict=True):
            own = value.shape[: max(0, value.ndim - len(part.shape))]
            fits = len(own) <= 1 and value.shape[len(own) :] == part.shape
            if not fits or (lead is not None and own != lead):
                raise TaskError(
                    f"{part.name} has shape {list(value.shape)}, this policy sees "
                    f"{list(part.shape)}, or [N] of these alike in every key; give what the "
                    "environment observes"
                )
            part.require_bytes(value)
            lead = own
        lead = lead or ()
        count = lead[0] if lead else 1
        rows = [
            value.reshape(count, part.size) for part, value in zip(self.parts, held, strict=True)
        ]
        return np.concatenate(rows, axis=-1), bool(lead)


def _numbers(value: Any, name: str) -> np.ndarray:
    try:
        held = np.asarray(value)
    except ValueError as error:
        raise TaskError(f"{name} is no array ({error}); give numbers") from error
    if held.dtype.kind not in "biuf":
        raise TaskError(f"{name} holds {held.dtype.name}, not numbers; give numbers")
    return held


def _paths(observation: Mapping[str, Any], known: tuple[Path, ...]) -> dict[Path, Any]:
    """Every value of nested dicts with its path; what is `known` is not looked into."""
    found: dict[Path, Any] = {}
    for key, value in observation.items():
        if isinstance(value, Mapping) and (key,) not in known:
            inner = tuple(path[1:] for path in known if path[:1] == (key,))
            found |= {(key, *path): item for path, item in _paths(value, inner).items()}
        else:
            found[(str(key),)] = value
    return found


def plain_interface(spec: Spec) -> dict[str, Any]:
    """Of a simulator without spaces of its own: [O] float32, actions in [-1, 1]."""
    part = {"path": [], "shape": [spec.obs_dim], "dtype": "float32", "low": None, "high": None}
    return {
        "observation": {"parts": [part], "ignored": [], "offset": None},
        "action": {
            "shape": [spec.action_dim],
            "dtype": "float32",
            "low": [-1.0] * spec.action_dim,
            "high": [1.0] * spec.action_dim,
        },
    }


def _part(path: Path, shape: tuple[int, ...], dtype: Any) -> Part:
    return Part(path, shape, is_camera(shape, dtype))


def observations_of(described: Mapping[str, Any], largest: float = TOO_LARGE) -> Observations:
    """The inverse. Raises ValueError, TypeError or KeyError where it is none."""
    parts = tuple(
        _part(
            tuple(map(str, part["path"])),
            tuple(map(int, part["shape"])),
            part.get("dtype", "float32"),
        )
        for part in described["parts"]
    )
    if not parts or (len(parts) > 1 and any(part.path == () for part in parts)):
        raise ValueError("an observation of no parts")
    ignored = tuple(tuple(map(str, path)) for path in described["ignored"])
    offset = described["offset"]
    taken = None if offset is None else np.asarray(offset, np.float64)
    seen = Observations(parts, ignored, taken, largest)
    if seen.size < 1 or (seen.offset is not None and seen.offset.shape != (seen.size,)):
        raise ValueError("sizes of an observation that do not fit together")
    return seen


def box_of(described: Mapping[str, Any]) -> ActionBox:
    """The inverse. Raises ValueError, TypeError or KeyError where it is none."""
    dtype, shape = np.dtype(described["dtype"]), tuple(map(int, described["shape"]))
    if dtype.kind not in "iuf":
        raise ValueError(f"actions of type {dtype}")
    low, high = (np.array(described[k], dtype).reshape(shape) for k in ("low", "high"))
    if not low.size or not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise ValueError("an action box without limits")
    if not np.all(low < high):
        raise ValueError("an action box without width")
    return ActionBox(low, high)
