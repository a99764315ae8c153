"""The images of logged data: told apart from numbers, and each kept once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from warmstart.envs.interface import MOST_COLOURS, camera_name, is_camera
from warmstart.envs.spaces import flatten_rows, looks_like_images
from warmstart.errors import DataError
from warmstart.types import Camera, Dataset

BARE = ("obs", "observation", "observations", "next_obs", "next_observations", "image")
"""Columns that are the whole observation: an image there is that of an environment without keys."""
_BLOCK = 1024
"""Rows whose images are compared at once."""


class Seen(NamedTuple):
    """Observations with their images taken out."""

    numbers: Any  # as it was, or None where nothing but images is observed
    cameras: tuple[Camera, ...]
    images: list[np.ndarray]  # [N, H, W, C] uint8 of each camera


def told_apart(observations: Any, source: str) -> Seen:
    """The images among observations [N, ...], an array or (nested) dict of such.

    Raises DataError for images that are no bytes [N, H, W, C], or whose sizes change.
    """
    found: list[tuple[Camera, np.ndarray]] = []
    numbers = _without_images(observations, (), source, found)
    return Seen(numbers, tuple(camera for camera, _ in found), [held for _, held in found])


def _without_images(held: Any, path: tuple[str, ...], source: str, found: list[Any]) -> Any:
    if isinstance(held, Mapping):
        inside = {
            key: _without_images(held[key], (*path, str(key)), source, found)
            for key in sorted(held)
        }
        kept = {key: value for key, value in inside.items() if value is not None}
        return kept or None
    name = camera_name([key for key in path if key])
    if isinstance(held, list | tuple) and held and np.ndim(held[0]) == 3:
        sizes = {np.shape(image) for image in held}
        if len(sizes) > 1:
            shown = " and ".join(str(list(size)) for size in sorted(sizes)[:2])
            raise DataError(
                f"{source}: the images of '{name}' change their size ({shown}): give all of them "
                "one size."
            )
    try:
        array = held if isinstance(held, np.ndarray) else np.asarray(held)
    except ValueError:  # said better by whoever makes numbers of it
        return held
    shape, kind = array.shape[1:], array.dtype
    if is_camera(shape, kind):
        found.append((Camera(name, (shape[0], shape[1], shape[2])), array))
        return None
    _require_bytes(shape, kind, f"{source}: '{name}'")
    return held


def _require_bytes(shape: tuple[int, ...], kind: Any, where: str) -> None:
    if len(shape) != 3 or not looks_like_images(shape, kind):
        return
    if shape[2] > MOST_COLOURS and shape[0] > MOST_COLOURS:
        return
    if kind != np.uint8:
        raise DataError(
            f"{where} holds images of {kind}: write them as uint8 from 0 to 255, which takes a "
            "quarter of the room."
        )
    raise DataError(
        f"{where} holds images of shape {list(shape)}, their colours first: write them as "
        f"{[*shape[1:], shape[0]]}."
    )


def side_by_side(images: Sequence[np.ndarray]) -> np.ndarray:
    """The images [N, H, W, C] of all cameras as [N, P] uint8."""
    flat = [np.asarray(held).reshape(len(held), -1) for held in images]
    return flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)


def images_of_cameras(frames: np.ndarray, cameras: Sequence[Camera]) -> list[np.ndarray]:
    """The inverse: the images [N, H, W, C] of each camera."""
    stops = np.cumsum([camera.size for camera in cameras])
    return [
        frames[:, stop - camera.size : stop].reshape(len(frames), *camera.shape)
        for camera, stop in zip(cameras, stops, strict=True)
    ]


def kept_once(before: np.ndarray, after: np.ndarray) -> dict[str, np.ndarray]:
    """Images [N, P] before and after each step as frames, of which rows have the numbers.

    What is seen after a step is mostly what is seen before the next one.
    """
    count = len(before)
    same = np.zeros(count, bool)
    for at in range(0, count - 1, _BLOCK):
        stop = min(at + _BLOCK, count - 1)
        same[at:stop] = np.all(before[at + 1 : stop + 1] == after[at:stop], axis=1)
    new = np.flatnonzero(~same)
    following = np.arange(1, count + 1)
    following[new] = count + np.arange(len(new))
    frames = np.concatenate([before, after[new]])
    return {"frames": frames, "frame": np.arange(count), "next_frame": following}


def images_of(
    source: str, seen: Seen, after: Seen | None, terminated: np.ndarray, rows: int
) -> dict[str, Any]:
    """The images before and after each of `rows` steps, as `Dataset` takes them, if there are any.

    `after` None: what is seen after a step is what is seen before the next one, and after one that
    `terminated` what was seen before it: nothing reads a value there. Raises DataError.
    """
    if not seen.cameras and (after is None or not after.cameras):
        return {}
    if after is not None and after.cameras != seen.cameras:
        raise DataError(
            f"{source}: observations show {words(seen.cameras)}, next observations "
            f"{words(after.cameras)}: write the same images in both."
        )
    counts = {len(held) for held in (*seen.images, *(after.images if after else ()))}
    if counts != {rows}:
        raise DataError(
            f"{source}: {rows} rows but {sorted(counts - {rows})[0]} images: write one "
            "image a step for every camera."
        )
    before = side_by_side(seen.images)
    if after is not None:
        kept = kept_once(before, side_by_side(after.images))
    else:
        frame = np.arange(rows)
        following = np.where(terminated, frame, np.minimum(frame + 1, rows - 1))
        kept = {"frames": before, "frame": frame, "next_frame": following}
    return {**kept, "cameras": seen.cameras}


def arrays_of_images(dataset: Dataset) -> dict[str, np.ndarray]:
    """What is stored of a dataset's images, by name; nothing where it has none."""
    if dataset.frames is None or dataset.frame is None or dataset.next_frame is None:
        return {}
    return {"frames": dataset.frames, "frame": dataset.frame, "next_frame": dataset.next_frame}


def joined_images(parts: Sequence[Dataset], source: str) -> dict[str, Any]:
    """The images of several datasets one after another, as `Dataset` takes them.

    Raises DataError where they have not the same cameras.
    """
    cameras = {part.cameras for part in parts}
    if cameras == {()}:
        return {}
    if len(cameras) > 1:
        names = " and ".join(f"({words(held)})" for held in sorted(cameras, key=str)[:2])
        raise DataError(f"{source} has files of different cameras, {names}: read them apart.")
    held = [arrays_of_images(part) for part in parts]
    starts = np.cumsum([0, *(len(own["frames"]) for own in held[:-1])])
    joined: dict[str, Any] = {"frames": np.concatenate([own["frames"] for own in held])}
    for name in ("frame", "next_frame"):
        moved = [own[name] + start for own, start in zip(held, starts, strict=True)]
        joined[name] = np.concatenate(moved)
    return {**joined, "cameras": parts[0].cameras}


IMAGES = ("frames", "frame", "next_frame")
"""The arrays of `arrays_of_images`."""


def json_of(cameras: Sequence[Camera]) -> str:
    """Cameras as JSON text."""
    return json.dumps([[camera.name, list(camera.shape)] for camera in cameras])


def cameras_of_json(text: str) -> tuple[Camera, ...]:
    """The inverse. Raises ValueError, TypeError or KeyError where it is none."""
    return tuple(
        Camera(str(name), (int(height), int(width), int(colours)))
        for name, (height, width, colours) in json.loads(text)
    )


def words(cameras: Sequence[Camera]) -> str:
    """Names and sizes, for messages."""
    return ", ".join(f"{c.name} {list(c.shape)}" for c in cameras) or "no image"


def camera_of(column: str) -> str:
    """The camera whose images a column of a file holds: `obs/wrist`, `observation.images.top`."""
    inside = column.partition("/")[2] or column.removeprefix("observation.").removeprefix("images.")
    return "" if inside in BARE else inside


def among_columns(names: Sequence[str], arrays: Sequence[np.ndarray]) -> dict[str, Any] | None:
    """Columns of observations of which some are images, as a dict; None where none is.

    What are numbers stands in it under their own names, in the order given.
    """
    images = [is_camera((array.shape or ())[1:], array.dtype) for array in arrays]
    if not any(images):
        return None
    found: dict[str, Any] = {}
    for k, (name, array, image) in enumerate(zip(names, arrays, images, strict=True)):
        found[camera_of(name) if image else f"{k:06d} {name}"] = array
    return found


def numbers_in(observations: Any) -> int:
    """How many numbers an observation has beside its images, of [N, ...]."""
    numbers = told_apart(observations, "observations").numbers
    return 0 if numbers is None else flatten_rows(numbers).shape[1]


def beside_images(
    where: str, seen: Sequence[Seen], obs: np.ndarray, next_obs: np.ndarray
) -> tuple[Any, Any]:
    """Numbers before and after each step as dicts with the images of each episode [T + 1, ...].

    Raises DataError where the episodes have not the same cameras.
    """
    if len({held.cameras for held in seen}) > 1:
        raise DataError(f"{where} has episodes of different cameras: read them apart.")
    numbers: list[dict[str, Any]] = [
        {"": side} if side.shape[1] else {} for side in (obs, next_obs)
    ]
    for k, camera in enumerate(seen[0].cameras):
        for side, part in zip(numbers, (slice(None, -1), slice(1, None)), strict=True):
            side[camera.name] = np.concatenate([held.images[k][part] for held in seen])
        if len(numbers[0][camera.name]) != len(obs):
            raise DataError(
                f"{where} has {len(numbers[0][camera.name])} images of {camera.name} for "
                f"{len(obs)} steps: write one more image than steps in every episode."
            )
    return numbers[0], numbers[1]


def with_cameras(dataset: Dataset, cameras: tuple[Camera, ...]) -> Dataset:
    """The dataset with these cameras alone: what the environment does not show is left out.

    Raises DataError for one that it has not, or in another size.
    """
    if dataset.cameras == cameras:
        return dataset
    known = {camera.name: camera for camera in dataset.cameras}
    missing = [camera for camera in cameras if known.get(camera.name) != camera]
    if missing:
        raise DataError(
            f"the environment shows {words(missing)}, and the data have {words(dataset.cameras)}: "
            "log what the environment shows, under the same names and in the same size"
        )
    if not cameras or dataset.frames is None:
        return replace(dataset, frames=None, frame=None, next_frame=None, cameras=())
    starts = dict(zip(known, np.cumsum([0, *(c.size for c in dataset.cameras)]), strict=False))
    kept = [dataset.frames[:, starts[c.name] : starts[c.name] + c.size] for c in cameras]
    return replace(dataset, frames=np.concatenate(kept, axis=1), cameras=cameras)
