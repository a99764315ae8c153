"""A dataset made in parts, so that an interruption costs nothing.

Episode i is a function of (seed, i) alone; a part is a run of episodes, written whole or not at
all beside the final folder, and a later make goes on behind the last part. How the parts are cut
depends on the machine's speed; the rows do not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from warmstart.data.images import IMAGES, arrays_of_images, cameras_of_json, json_of
from warmstart.data.makers.roll import Progress, joined
from warmstart.data.manifest import ARRAYS
from warmstart.errors import DataError
from warmstart.files.durable import write_atomic
from warmstart.files.interrupts import Interrupts
from warmstart.types import Dataset

PART_SECONDS = 3.0
"""About so long does a part take: what a second Ctrl-C can lose, and the wait after the first."""
_FIRST_PART = 4

Draw = Callable[[range, Progress], Dataset]
"""Makes the episodes with these numbers, with `info["successes"]` for each episode of the rows."""


def make_in_parts(
    draw: Draw,
    workspace: Path,
    episodes: int,
    rows: int,
    progress: Progress | None,
    again: str = "try again",
) -> tuple[Dataset, float]:
    """Whole episodes: `episodes` of them, or as few as reach `rows` rows.

    Args:
        draw: makes some of the maker's episodes; the rows of one may be cut into several episodes
            of the dataset.
        workspace: folder of the parts.
        episodes: how many of the maker's episodes; 0: until there are enough rows.
        rows: how many rows; 0: until there are enough episodes.
        progress: called with (episodes or rows done, in all).
        again: what to do after a full disk was fixed, for the message.

    Returns:
        The rows with `info["success_rate"]`, and the seconds that all parts took.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM; what is made so far is in `workspace`.
        RunError: a part cannot be written.
        DataError: a part of an earlier call cannot be read.
    """
    parts = _finished(workspace)
    first = parts[-1][0].stop if parts else 0
    have = sum(len(data) for _, data, _ in parts)
    size, total = _FIRST_PART, episodes or rows

    def tell(done: int) -> None:
        if progress is not None:
            progress(min(done, total), total)

    if parts:
        tell(first if episodes else have)
    with Interrupts() as asked:
        while (first < episodes) if episodes else (have < rows):
            block = range(first, min(first + size, episodes) if episodes else first + size)
            began = time.monotonic()
            within = partial(lambda start, done, _: tell(start + done), block.start)
            data = draw(block, within if episodes else _quiet)
            seconds = time.monotonic() - began
            _write(workspace, block, data, seconds, again)
            parts.append((block, data, seconds))
            first, have = block.stop, have + len(data)
            size = int(max(1, min(4 * size, size * PART_SECONDS / max(seconds, 1e-3))))
            if not episodes:
                tell(have)
            if asked.requested:
                unit = "episodes" if episodes else "rows"
                raise KeyboardInterrupt(
                    f"{first if episodes else have} of {total} {unit} are kept; the same command "
                    "goes on behind them"
                )
    return assembled([d for _, d, _ in parts], rows), sum(seconds for _, _, seconds in parts)


def _quiet(done: int, total: int) -> None:
    """Where rows are counted, a part tells how many it has when it is there."""


def _write(workspace: Path, block: range, data: Dataset, seconds: float, again: str) -> None:
    arrays: dict[str, Any] = {name: getattr(data, name) for name in ARRAYS}
    arrays["successes"] = np.array(data.info["successes"], bool)
    arrays["seconds"] = np.array(seconds)
    if data.cameras:
        arrays |= {**arrays_of_images(data), "cameras": np.array(json_of(data.cameras))}
    path = workspace / f"{block.start:09d}-{block.stop:09d}.npz"
    write_atomic(path, lambda file: np.savez(file, **arrays), again)


def _finished(workspace: Path) -> list[tuple[range, Dataset, float]]:
    """The parts that lie there, one behind the other from episode 0."""
    found, parts = {}, []
    for path in workspace.glob("*-*.npz"):
        start, stop = path.stem.split("-")
        found[int(start)] = (int(stop), path)
    first = 0
    while first in found:
        stop, path = found[first]
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays: dict[str, Any] = {name: file[name] for name in ARRAYS}
                if "cameras" in file:
                    arrays |= {name: file[name] for name in IMAGES}
                    arrays["cameras"] = cameras_of_json(file["cameras"].item())
                data = Dataset(**arrays, info={"successes": file["successes"].tolist()})
                parts.append((range(first, stop), data, float(file["seconds"])))
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise DataError(f"{path} cannot be read ({error}): remove this file.") from error
        first = stop
    return parts


def assembled(parts: Sequence[Dataset], rows: int = 0) -> Dataset:
    """One dataset of what makers returned; with `rows` only the episodes that it takes to have so
    many. `success` stands at the last row of the episodes of `info["successes"]`."""
    whole = joined(parts)
    images = arrays_of_images(whole)
    arrays, successes = {name: getattr(whole, name) for name in ARRAYS}, whole.info["successes"]
    arrays |= {name: images[name] for name in images if name != "frames"}
    stops = np.flatnonzero(arrays["terminated"] | arrays["truncated"]) + 1
    if rows:
        kept = int(np.searchsorted(stops, rows)) + 1
        successes, stops = successes[:kept], stops[:kept]
        arrays = {name: array[: stops[-1]] for name, array in arrays.items()}
    succeeded = np.zeros(len(arrays["rewards"]), bool)
    succeeded[stops - 1] = successes
    info = {"success_rate": float(np.mean(successes))}
    frames = images.get("frames")
    return Dataset(**arrays, info=info, success=succeeded, frames=frames, cameras=whole.cameras)
