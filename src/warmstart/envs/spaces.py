"""Between Gymnasium's spaces and our flat float32 observations and [-1, 1] actions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from warmstart.envs.interface import MOST_COLOURS, camera_name, is_camera
from warmstart.errors import TaskError
from warmstart.types import Camera


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
    with np.errstate(over="ignore"):  # infinite, which whoever steps the environment refuses
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
    except OverflowError:  # a whole number of hundreds of digits
        return math.inf if value > 0 else -math.inf
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


def cameras_of(space: spaces.Space[Any], path: tuple[str, ...] = ()) -> tuple[Camera, ...]:
    """The images among the observations, in sorted key order."""
    if isinstance(space, spaces.Dict):
        return tuple(c for key in sorted(space) for c in cameras_of(space[key], (*path, key)))
    if isinstance(space, spaces.Box) and is_camera(space.shape, space.dtype):
        height, width, colours = space.shape
        return (Camera(camera_name(path), (height, width, colours)),)
    return ()


def _require_camera(space: spaces.Box, where: str) -> None:
    """Refuse (TaskError) images of another form than ours; [H, W, C] uint8 pass."""
    shape, kind = space.shape, np.dtype(space.dtype)
    if not looks_like_images(shape, kind) or is_camera(shape, kind):
        return
    if kind != np.uint8:
        what, fix = f"are {kind} and no bytes", "observe uint8 from 0 to 255"
    elif len(shape) == 2:
        what, fix = "have no axis of colours", f"observe {[*shape, 1]}"
    elif len(shape) == 3 and shape[0] <= MOST_COLOURS:
        what, fix = "have their colours first", f"observe {[*shape[1:], shape[0]]}"
    else:
        what, fix = f"are no [H, W, C] with at most {MOST_COLOURS} colours", "observe such"
    raise TaskError(
        f"{where} has observations of shape {list(shape)}, which look like images and {what}: "
        f"{fix}, or, if they are no images, wrap it with gymnasium.wrappers.FlattenObservation."
    )


def flatten_seen(observation: Any, parts: Sequence[Mapping[str, Any]], where: str) -> np.ndarray:
    """[O] float32 of an observation with images: the `parts` of `describe_spaces`, side by side.

    Raises TaskError for a part that is missing or of another shape, and for images that are no
    bytes.
    """
    flat = []
    for part in parts:
        name, held = camera_name(part["path"]), observation
        try:
            for key in part["path"]:
                held = held[key]
        except (KeyError, TypeError, IndexError) as error:
            raise TaskError(
                f"{where} observed no '{name}', which its observation space declares: let both "
                "say the same."
            ) from error
        held, shape = np.asarray(held), tuple(part["shape"])
        image = is_camera(shape, part["dtype"])
        if held.shape != shape or (image and held.dtype != np.uint8):
            raise TaskError(
                f"{where} observed '{name}' as {held.dtype} {list(held.shape)}, its observation "
                f"space declares {part['dtype']} {list(shape)}: let both say the same."
            )
        flat.append(held.reshape(-1).astype(np.float32))
    return np.concatenate(flat)


def observation_size(space: spaces.Space[Any], where: str) -> int:
    """O of a Box, its axes joined in C order, or of a (nested) Dict of them; else TaskError.

    Images of bytes [H, W, C] count with all their pixels.
    """
    if isinstance(space, spaces.Dict):
        return sum(observation_size(space[key], f"{where}['{key}']") for key in sorted(space))
    if isinstance(space, spaces.Box):
        _require_camera(space, where)
        return int(np.prod(space.shape))
    raise TaskError(
        f"{where} has observations of type {type(space).__name__}: only numbers in a Box, or a "
        "Dict of them, can be learned from. Wrap it with gymnasium.wrappers.FlattenObservation."
    )


def observation_bounds(space: spaces.Space[Any]) -> tuple[np.ndarray, np.ndarray]:
    """(low [O], high [O]) of the numbers, infinite where there is no bound; images have none."""
    if isinstance(space, spaces.Dict):
        inside = [observation_bounds(space[key]) for key in sorted(space)]
        low, high = zip(*inside, strict=True)
        return np.concatenate(low), np.concatenate(high)
    box: Any = space
    if is_camera(box.shape, box.dtype):
        return np.zeros(0), np.zeros(0)
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
    observations in float64. Images stand last, without bounds.
    """
    known = sorted(_parts(observation, ()), key=is_camera_part)
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


def is_camera_part(part: Mapping[str, Any]) -> bool:
    """Whether a part that `describe_spaces` gave is an image."""
    return is_camera(tuple(part["shape"]), part.get("dtype", "float32"))


def _parts(space: spaces.Space[Any], path: tuple[str, ...]) -> list[dict[str, Any]]:
    if isinstance(space, spaces.Dict):
        return [part for key in sorted(space) for part in _parts(space[key], (*path, key))]
    box: Any = space
    if is_camera(box.shape, box.dtype):
        plain = {"path": list(path), "shape": list(box.shape), "dtype": "uint8"}
        return [{**plain, "low": None, "high": None}]
    low, high = (
        [value if math.isfinite(value) else None for value in side.reshape(-1).tolist()]
        for side in (box.low, box.high)
    )
    shape, dtype = list(box.shape), str(box.dtype)
    return [{"path": list(path), "shape": shape, "dtype": dtype, "low": low, "high": high}]
