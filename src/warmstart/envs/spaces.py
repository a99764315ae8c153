"""Between Gymnasium's spaces and our flat float32 observations and [-1, 1] actions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from warmstart.errors import TaskError


def flatten_observation(observation: Any, offset: np.ndarray | None = None) -> np.ndarray:
    """[O] float32: arrays as they are, (nested) dicts joined in sorted key order.

    `offset` [O] is taken away in float64. Always a copy: an environment may go on to write into
    the array that it returned.
    """
    if offset is not None:
        flat = _joined(observation)
        # Another size is refused by whoever knows the environment.
        return (flat - offset if flat.shape == offset.shape else flat).astype(np.float32)
    if isinstance(observation, Mapping):
        parts = [flatten_observation(observation[key]) for key in sorted(observation)]
        return np.concatenate(parts)
    return np.array(observation, np.float32).reshape(-1)


def _joined(observation: Any) -> np.ndarray:
    if isinstance(observation, Mapping):
        return np.concatenate([_joined(observation[key]) for key in sorted(observation)])
    return np.array(observation, np.float64).reshape(-1)


def one_number(value: Any) -> float:
    """A reward as an environment gives it: a number, or an array that holds one.

    Raises:
        TypeError, ValueError: anything else.
    """
    try:
        return float(value)
    except (TypeError, ValueError):
        return float(np.asarray(value).item())


def truth(value: Any) -> bool:
    """A yes or no as an environment gives it: a bool, 0 or 1, or an array that holds one.

    Raises:
        TypeError, ValueError: anything else: None and text have no truth here.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    held = np.asarray(value)
    if held.dtype.kind not in "biuf" or held.item() not in (0, 1):
        raise TypeError("it is neither true nor false")
    return bool(held.item())


def flatten_rows(observations: Any, kind: Any = np.float32) -> np.ndarray:
    """[T, O] float32: the same for arrays, or dicts of arrays, whose first axis is time.

    `kind` None: in the type that they have, for whoever looks at them before they are rounded.

    Raises:
        ValueError, TypeError: text, dates, complex numbers, images, or rows of different length.
    """
    if isinstance(observations, Mapping):
        parts = [flatten_rows(observations[key], kind) for key in sorted(observations)]
        return np.concatenate(parts, axis=1)
    held = np.asarray(observations)
    if held.dtype.kind not in "biuf":
        raise TypeError(f"it holds {held.dtype.name}, not numbers")
    if held.dtype == np.uint8 and looks_like_images(held.shape[1:], held.dtype):
        raise TypeError(f"rows of shape {held.shape[1:]} look like images")
    with np.errstate(over="ignore"):  # too large is infinite: the data check tells
        rows = held if kind is None else held.astype(kind, copy=False)
    return rows.reshape(len(rows), math.prod(rows.shape[1:]))


def looks_like_images(shape: tuple[int, ...], dtype: Any) -> bool:
    """Whether one observation of this shape is a picture, and no table such as (4, 3): 8 x 8 bytes
    or more, or 32 x 32 other numbers; a camera's colours may stand first or last."""
    least = 8 if np.dtype(dtype) == np.uint8 else 32
    return len(shape) >= 2 and max(min(shape[:2]), min(shape[-2:])) >= least


def observation_size(space: spaces.Space[Any], where: str) -> int:
    """O of a Box, its axes joined in C order, or of a (nested) Dict of them; else TaskError."""
    if isinstance(space, spaces.Dict):
        return sum(observation_size(space[key], f"{where}['{key}']") for key in sorted(space))
    if isinstance(space, spaces.Box) and not looks_like_images(space.shape, space.dtype):
        return int(np.prod(space.shape))
    if isinstance(space, spaces.Box):
        raise TaskError(
            f"{where} has observations of shape {space.shape}, which look like images: only flat "
            "vectors can be learned from. Choose an environment with state observations, or, if "
            "they are none, wrap it with gymnasium.wrappers.FlattenObservation."
        )
    raise TaskError(
        f"{where} has observations of type {type(space).__name__}: only numbers in a Box, or a "
        "Dict of them, can be learned from. Wrap it with gymnasium.wrappers.FlattenObservation."
    )


def observation_bounds(space: spaces.Space[Any]) -> tuple[np.ndarray, np.ndarray]:
    """(low [O], high [O]) of what `observation_size` counts, infinite where there is no bound."""
    if isinstance(space, spaces.Dict):
        inside = [observation_bounds(space[key]) for key in sorted(space)]
        low, high = zip(*inside, strict=True)
        return np.concatenate(low), np.concatenate(high)
    box: Any = space
    return box.low.reshape(-1).astype(np.float64), box.high.reshape(-1).astype(np.float64)


def action_bounds(space: spaces.Space[Any], where: str) -> tuple[np.ndarray, np.ndarray]:
    """Finite (low [A], high [A]), low < high, of a continuous action space; else TaskError."""
    if not isinstance(space, spaces.Box):
        raise TaskError(
            f"{where} has {type(space).__name__} actions: only continuous actions (a Box) can be "
            "learned. Choose an environment with continuous actions."
        )
    with np.errstate(over="ignore"):
        low, high = (np.asarray(side, np.float32).reshape(-1) for side in (space.low, space.high))
        finite = bool(np.all(np.isfinite(high - low)))  # the largest float32 means no limit too
    if not len(low):
        raise TaskError(
            f"{where} takes no numbers as an action: declare at least one in its action_space."
        )
    if not finite:
        raise TaskError(
            f"{where} has an unbounded action box: actions are rescaled from [-1, 1], which needs "
            "finite limits. Declare them in its action_space."
        )
    if not np.all(low < high):
        axis = int(np.flatnonzero(~(low < high))[0])
        raise TaskError(
            f"{where} has an action box without width: number {axis} lies between {low[axis]:g} "
            f"and {high[axis]:g}. Leave it out, or widen it in its action_space."
        )
    return low, high


def describe_spaces(
    observation: spaces.Space[Any],
    action: spaces.Space[Any],
    kept: Sequence[str] | None = None,
    offset: np.ndarray | None = None,
) -> dict[str, Any]:
    """An environment's spaces as plain JSON, in the order in which observations are joined.

    See `warmstart.envs.interface`. Where `kept` is given, only these keys of the outermost
    dict are looked at. Bounds are null where they are infinite. `offset` [O] is taken away from
    observations in float64.
    """
    known = _parts(observation, ())
    parts = [part for part in known if kept is None or part["path"][0] in kept]
    ignored = [part["path"] for part in known if part not in parts]
    box: Any = action
    taken = None if offset is None else offset.tolist()
    return {
        "observation": {"parts": parts, "ignored": ignored, "offset": taken},
        "action": {
            "shape": list(box.shape),
            "dtype": str(box.dtype),
            "low": box.low.reshape(-1).tolist(),
            "high": box.high.reshape(-1).tolist(),
        },
    }


def _parts(space: spaces.Space[Any], path: tuple[str, ...]) -> list[dict[str, Any]]:
    if isinstance(space, spaces.Dict):
        return [part for key in sorted(space) for part in _parts(space[key], (*path, key))]
    box: Any = space
    low, high = (
        [value if math.isfinite(value) else None for value in side.reshape(-1).tolist()]
        for side in (box.low, box.high)
    )
    shape, dtype = list(box.shape), str(box.dtype)
    return [{"path": list(path), "shape": shape, "dtype": dtype, "low": low, "high": high}]
