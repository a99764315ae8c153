"""Images in Minari's storage: JPEG files, or in Arrow flat numbers; and how ours are laid out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from warmstart.data.memory import require_room
from warmstart.data.pictures import decoded, stacked
from warmstart.types import Camera

NUMBERS = "numbers"
"""The key of what is no image."""
_JPEG, _BYTES = b"\xff\xd8\xff", (bytes, np.ndarray)


def with_images(episode: Mapping[str, Any], space: Any, where: str) -> Mapping[str, Any]:
    """An episode whose observations are `unpacked`."""
    return {**episode, "observations": unpacked(episode["observations"], space, where)}


def unpacked(observations: Any, space: Any, where: str) -> Any:
    """The observations of an episode with their images as [T + 1, H, W, C] uint8.

    Args:
        observations: an array or (nested) dict of such, as they are stored.
        space: what the metadata say of it.
        where: for messages.

    Raises DataError for an image that is torn or of another size than those before.
    """
    told = space if isinstance(space, Mapping) else {}
    if isinstance(observations, Mapping):
        inside = told.get("subspaces")
        inside = inside if isinstance(inside, Mapping) else {}
        return {
            key: unpacked(held, inside.get(key), f"{where}: {key}")
            for key, held in observations.items()
        }
    if _are_files(observations):
        return _decoded(observations, where)
    shape = told.get("shape")
    bytes_ = told.get("dtype") == "uint8" and isinstance(shape, list) and len(shape) == 3
    if bytes_ and np.ndim(observations) == 2 and math.prod(shape or ()) == observations.shape[1]:
        return observations.astype(np.uint8).reshape(-1, *(shape or ()))
    return observations


def _are_files(held: Any) -> bool:
    """Whether every element is a JPEG file: bytes, or, where all have one length, rows of them."""
    if not isinstance(held, np.ndarray) or not len(held):
        return False
    if held.dtype == object:
        return all(isinstance(each, _BYTES) and bytes(each[:3]) == _JPEG for each in held)
    rows = held.ndim == 2 and held.dtype == np.uint8 and held.shape[1] > len(_JPEG)
    return rows and bool(np.all(held[:, : len(_JPEG)] == [*_JPEG]))


def _decoded(held: np.ndarray, where: str) -> np.ndarray:
    names = [f"{where}, image {k}" for k in range(len(held))]
    first = decoded(bytes(held[0]), names[0])
    require_room(where, len(held) * first.size)
    images = [decoded(bytes(each), name) for each, name in zip(held, names, strict=True)]
    return stacked(images, names)


def as_observed(numbers: Any, images: Sequence[Any], cameras: Sequence[Camera]) -> Any:
    """Numbers and the images of each camera as an environment would observe them.

    Cameras lie in dicts as their names say (`arm/wrist`), numbers beside them as "numbers"; a
    single image without keys is the whole observation, as numbers alone are. Takes arrays and
    spaces alike; `numbers` None: there are none.
    """
    if not cameras:
        return numbers
    if numbers is None and [camera.name for camera in cameras] == ["image"]:
        return images[0]
    whole: dict[str, Any] = {} if numbers is None else {NUMBERS: numbers}
    for camera, held in zip(cameras, images, strict=True):
        *outer, last = camera.name.split("/")
        inside = whole
        for key in outer:
            inside = inside.setdefault(key, {})
        inside[last] = held
    return whole


def as_space(told: Any) -> spaces.Space[Any]:
    """Spaces in nested dicts as one space."""
    if isinstance(told, dict):
        return spaces.Dict({key: as_space(inside) for key, inside in told.items()})
    return told
