"""Images beside rows: bytes that stand once each, and are looked up by the numbers in the rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.errors import DataError
from warmstart.replay.rows import Layout
from warmstart.types import Array, Transition

LARGEST = 1 << 24
"""Frames that one store may count: a float32 in a row has to name each exactly."""
SPARE = 16
"""One frame in so many is for the ends of episodes, each of which shows one more than it has
rows. Where episodes are shorter than that, a full ring loses its oldest rows a little sooner."""
FEW = 1024
"""So many rows have room for an episode each: that costs next to nothing."""


class Logged(NamedTuple):
    """A dataset with images."""

    rows: Array  # [N, W]
    frames: Array  # [F, P] uint8


class Frames(NamedTuple):
    """The images of a ring's own rows: number i stands at i % F."""

    pixels: Array  # [F, P] uint8
    first: Array  # [] int32, the oldest row, counted as `Ring.added` does, whose images are there
    kept: Array  # [] int32, rows that stood in the ring before the first step: of the dataset


def frames_for(rows: int) -> int:
    """F, frames that a ring of this many rows of its own holds."""
    return rows + max(rows // SPARE, min(rows, FEW)) + 2


def empty_frames(layout: Layout, count: int, kept: int = 0) -> Frames | None:
    """Room for so many images of rows behind `kept` others; None where rows have none."""
    if not layout.pixels:
        return None
    start = jnp.int32(kept)
    pixels = jnp.zeros((count, layout.pixels), jnp.uint8)
    return Frames(pixels, start, start)


def see(
    frames: Frames, layout: Layout, row: Array, pictures: Array, rows: Array, added: Array
) -> Frames:
    """With the two images [2, P] of the newest row [W]; a second call does the same again.

    Args:
        rows: of the ring [C, W], with that row.
        added: as of the ring, with that row.
    """
    size = frames.pixels.shape[0]
    pixels, at = frames.pixels, layout.frames(row)
    for number, picture in zip(at, pictures, strict=True):
        pixels = jax.lax.dynamic_update_slice(pixels, picture[None], (number % size, 0))
    first = jnp.maximum(frames.first, added - rows.shape[0])
    for _ in at:  # two frames are lost at most, and each row begins with another one
        begins = layout.frames(rows[first % rows.shape[0]])[0]
        gone = (begins <= at[1] - size) & (first < added)
        first = first + gone.astype(jnp.int32)
    return frames._replace(pixels=pixels, first=first)


def pictured(layout: Layout, batch: Transition, logged: Array | None, own: Any) -> Transition:
    """Unpacked rows with their images: the dataset's [F, P], or `own` for the ring's rows."""
    if not layout.pixels:
        return batch
    online = batch.online[..., None] > 0

    def frames(number: Array) -> Array:
        if logged is None:
            return own.pixels[number % own.pixels.shape[0]]
        old = logged[number % logged.shape[0]]
        if own is None:
            return old
        return jnp.where(online, own.pixels[number % own.pixels.shape[0]], old)

    return layout.pictured(batch, frames)


def compact(layout: Layout, rows: np.ndarray, frames: np.ndarray) -> Logged:
    """A few rows [R, W] with the frames [2 R, P] that they alone need, numbered anew. NumPy."""
    rows, count = rows.copy(), len(rows)
    before, after = layout.frame_columns
    at = np.concatenate([rows[:, before], rows[:, after]]).astype(np.int64)
    rows[:, before], rows[:, after] = np.arange(count), np.arange(count, 2 * count)
    return Logged(rows, frames[at])


def require_countable(frames: int, whose: str) -> None:
    """Refuse (DataError) more frames than a row can number."""
    if frames > LARGEST:
        raise DataError(
            f"{whose} would have {frames:,} images, at most {LARGEST:,} can be told apart: give "
            "fewer steps or rows"
        )
