"""Out to Minari, whose HDF5 format other libraries read."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Box

from warmstart.data.build import Bounds
from warmstart.data.images import images_of_cameras
from warmstart.data.minari_images import NUMBERS, as_observed, as_space
from warmstart.envs.interface import to_box
from warmstart.envs.registry import close_environment, open_gymnasium
from warmstart.envs.spaces import action_bounds
from warmstart.errors import DataError, TaskError
from warmstart.files.durable import cannot_write, make_folder
from warmstart.files.workspaces import scratch, sweep
from warmstart.types import Dataset

_ROOT = "MINARI_DATASETS_PATH"
_FOR_ALL, _EACH_EPISODE, _BLOCK = 65_536, 24_576, 1 << 20
"""Bytes that HDF5 takes beside the numbers, generously."""
_IN_CHUNKS = 2
"""So many times its size an episode's images may take: their last chunk is mostly empty."""


def export_minari(
    dataset: Dataset,
    minari_id: str,
    root: str | Path | None = None,
    bounds: Bounds | None = None,
) -> Path:
    """Save the dataset under a Minari id.

    Args:
        dataset: what to write.
        minari_id: as "group/name-v0"; it must not exist yet.
        root: Minari's root folder; None: $MINARI_DATASETS_PATH, else Minari's own default.
        bounds: (low [A], high [A]) of the environment's action box, to which actions are rescaled
            as its users expect; None: that of the environment that a folder of ours names, if
            it can be opened; otherwise they are written as they are, in [-1, 1].

    Successes are written as `infos/success`, where the data tell them. Images are written as they
    are, bit for bit, under the names of their cameras, and the numbers beside them as "numbers".

    Returns:
        The folder that now holds it.

    Raises:
        DataError: Minari is not installed, the id is not one or is taken, there are no rows, or a
            camera is called "numbers".
        RunError: the root cannot be written.
    """
    if importlib.util.find_spec("minari") is None:
        raise DataError("Minari is not installed: run `pip install 'warmstart[minari]'`.")
    if dataset.info.get("obs_offset"):
        raise DataError(
            "These observations have an offset taken away, which Minari's readers would not know: "
            "convert the original without --obs-offset."
        )
    if dataset.obs.shape[1] and any(c.name.split("/")[0] == NUMBERS for c in dataset.cameras):
        raise DataError(
            f"A camera is called '{NUMBERS}', as the numbers beside the images are in Minari: give "
            "it another name."
        )
    if not len(dataset):
        raise DataError("There are no rows to export: log at least one episode.")
    root = Path(root or os.environ.get(_ROOT) or "~/.minari/datasets").expanduser().absolute()
    place = root / minari_id
    workspace = root / f".exporting-{minari_id.replace('/', '-')}"
    sweep(workspace)
    if place.exists():
        raise DataError(f"{place} is there already: choose another id, or a higher version.")
    make_folder(root, "try again")
    try:
        # Written aside and renamed: a dataset is there wholly or not at all.
        with scratch(workspace) as room:
            _require_room(room / "room", dataset)
            with _minari_root(str(room)):
                _write(dataset, minari_id, bounds)
            _put(room, root, minari_id)
    except ValueError as error:
        raise DataError(
            f"Minari refuses '{minari_id}' ({error}): choose a free id of the form group/name-v0."
        ) from error
    except OSError as error:
        raise cannot_write(place, error, "try again") from error
    return place


def _require_room(path: Path, dataset: Dataset) -> None:
    """Take the room that a dataset will need for a moment: OSError where there is not so much.

    HDF5 that finds a disk full while it closes a file prints of it for pages, or ends the process.
    """
    arrays = (dataset.obs, dataset.actions, dataset.rewards.astype(np.float64), dataset.terminated)
    size = sum(array.nbytes for array in arrays) + 3 * len(dataset)
    episodes = int(np.count_nonzero(dataset.ends))
    size += _FOR_ALL + _EACH_EPISODE * episodes
    pixels = sum(camera.size for camera in dataset.cameras)
    size += _IN_CHUNKS * pixels * (len(dataset) + episodes)
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            for _ in range(0, size, _BLOCK):
                file.write(bytes(_BLOCK))
    path.unlink()


@contextlib.contextmanager
def _minari_root(folder: str) -> Iterator[None]:
    """Minari keeps its datasets in `folder` meanwhile."""
    before = os.environ.get(_ROOT)
    os.environ[_ROOT] = folder
    try:
        yield
    finally:
        os.environ.pop(_ROOT)
        if before is not None:
            os.environ[_ROOT] = before


def _put(room: Path, root: Path, minari_id: str) -> None:
    """The dataset from one root to another, and what its namespaces say, unless they said so."""
    place = root / minari_id
    place.parent.mkdir(parents=True, exist_ok=True)
    for file in room.rglob("namespace_metadata.json"):
        kept = root / file.relative_to(room)
        if not kept.exists():
            os.replace(file, kept)
    os.rename(room / minari_id, place)


def _write(dataset: Dataset, minari_id: str, bounds: Bounds | None) -> None:
    import minari
    from minari.data_collector.episode_buffer import EpisodeBuffer

    width, env = dataset.actions.shape[1], _environment(dataset)
    if bounds is None and env is not None and "manifest" in dataset.info:
        bounds = _box(env, width)
    low, high = bounds if bounds is not None else (-np.ones(width), np.ones(width))
    low, high = low.astype(np.float32), high.astype(np.float32)
    if bounds is not None:
        dataset = replace(dataset, actions=to_box(dataset.actions, low, high))
    spans = dataset.episodes()  # images are taken up for an episode at a time
    buffers: Any = (_episode(EpisodeBuffer, dataset, *span) for span in spans)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Minari asks for an author's address and the like
            minari.create_dataset_from_buffers(
                dataset_id=minari_id,
                buffer=buffers,
                env=env,
                observation_space=_space(dataset),
                action_space=Box(low, high, dtype=np.float32),
                algorithm_name=str(dataset.info.get("name", "unknown")),
                description="Exported by warmstart; observations are flat.",
                jpeg_encoding=False,
            )
    finally:
        if env is not None:
            close_environment(env, str(dataset.info.get("env_id")))


def _box(env: Any, width: int) -> Bounds | None:
    """The action box of an environment that takes `width` bounded numbers; else None."""
    with contextlib.suppress(TaskError):
        low, high = action_bounds(env.action_space, "")
        return (low, high) if len(low) == width else None
    return None


def _environment(dataset: Dataset) -> Any:
    """The dataset's own environment, from which Minari takes the id and arguments; or None."""
    env_id = dataset.info.get("env_id")
    if not env_id:
        return None
    with contextlib.suppress(TaskError):
        # What stands before a colon is code, which nobody but the user may name.
        return open_gymnasium(env_id.rpartition(":")[2], dataset.info.get("env_kwargs", {}))
    return None


def _space(dataset: Dataset) -> Any:
    """Of the observations as they are written."""
    width, bytes_ = dataset.obs.shape[1], [Box(0, 255, c.shape, np.uint8) for c in dataset.cameras]
    numbers = Box(-np.inf, np.inf, (width,), np.float32) if width or not bytes_ else None
    return as_space(as_observed(numbers, bytes_, dataset.cameras))


def _observed(dataset: Dataset, numbers: np.ndarray, rows: slice) -> Any:
    """What is observed in an episode [T + 1, ...]: its numbers, and the images beside them."""
    if dataset.frames is None or dataset.frame is None or dataset.next_frame is None:
        return numbers
    at = np.append(dataset.frame[rows], dataset.next_frame[rows.stop - 1])
    images = images_of_cameras(dataset.frames[at], dataset.cameras)
    return as_observed(numbers if numbers.shape[1] else None, images, dataset.cameras)


def _episode(buffer: Any, dataset: Dataset, start: int, stop: int) -> Any:
    rows = slice(start, stop)
    ended = dataset.terminated[rows]
    infos = None
    if dataset.success is not None:  # one entry more than steps: the first is the reset's
        infos = {"success": np.concatenate([[False], dataset.success[rows]])}
    numbers = np.concatenate([dataset.obs[rows], dataset.next_obs[stop - 1 : stop]])
    return buffer(
        observations=_observed(dataset, numbers, rows),
        actions=dataset.actions[rows],
        rewards=dataset.rewards[rows],
        terminations=ended,
        truncations=dataset.ends[rows] & ~ended,
        infos=infos,
    )
