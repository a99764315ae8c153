"""LeRobot's datasets: `meta/info.json` and Parquet files under `data/`.

Versions 2 (a file for each episode) and 3 (several episodes in a file) alike. Images are read
where the environment shows the same; of the rest only numbers and short vectors.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.data.build import Columns, column
from warmstart.data.columns import Mapped, choose, gather, natural, require, roles_of
from warmstart.data.images import camera_of
from warmstart.data.memory import require_room
from warmstart.data.pictures import decoded, read_film, stacked
from warmstart.data.tables import arrow, numbers, parquet_names, read_parquet
from warmstart.data.views import SUCCESS_AT_END, no_view
from warmstart.errors import DataError

_USUAL = {
    "actions": "action",
    "rewards": "next.reward",
    "terminated": "next.done",
    "success": "next.success",
}


def is_lerobot(path: Path) -> bool:
    """Whether the folder looks like a LeRobot dataset."""
    return (path / "meta" / "info.json").is_file()


def read_lerobot(
    path: Path,
    mapping: Mapped | None = None,
    view: str | None = None,
    cameras: Collection[str] = (),
) -> Columns:
    """All episodes, in the order of `episode_index` and `frame_index`.

    Observations are all features `observation.*` that are vectors of numbers, joined in sorted
    order, and beside these the images of `cameras`: `top` for `observation.images.top`, from the
    Parquet files or from the films under `videos/`. `next.done` marks ends; where the file also has
    `next.success`, only a successful end terminates and any other was a cut, unless the mapping
    says what `done` is. Where it has only `next.success`, an episode that is solved in its last
    frame terminates. Demonstrations without `next.reward` need the view `success-at-end`.

    Raises:
        DataError: the extra `tables` is not installed, files are missing or broken, or the data
            have no rewards and no view says where they come from.
    """
    if view not in (None, SUCCESS_AT_END):
        raise no_view(path, "a LeRobot dataset", view, SUCCESS_AT_END)
    library = arrow(path)
    info = _info(path)
    found = sorted((path / "data").rglob("*.parquet"))
    files = [file for file in found if not file.name.startswith(".")]  # of macOS, for one
    if not files:
        raise DataError(
            f"{path} has no Parquet files under data/: download the whole dataset, with its data."
        )
    names = parquet_names(files[0])
    chosen = choose(path, names, {**_features(path, info, names), **(mapping or {})})
    if view == SUCCESS_AT_END:
        chosen.pop("rewards", None)
    elif "rewards" not in chosen:
        raise DataError(
            f"{path} has no rewards (no feature next.reward): say how its demonstrations are "
            "rewarded, with --view success-at-end for 1 at the end of each, or name a column with "
            "--columns reward=NAME (in Python view=, mapping=)."
        )
    require(path, names, chosen, ("obs", "actions", "episode", "step"))
    wanted = sorted({name for group in chosen.values() for name in group})
    wanted += [n for n in names if camera_of(n) in cameras and n not in wanted]
    try:
        table = library.concat_tables([read_parquet(file, wanted) for file in files])
    except library.ArrowException as error:
        raise DataError(
            f"{path} has Parquet files with different columns, or of different types: download it "
            "again, or record all episodes alike."
        ) from error
    if not table.num_rows:
        raise DataError(f"{path} has no frames: download the rest of data/.")
    order = _order(path, info, table, chosen)

    def get(name: str) -> np.ndarray:
        return numbers(path, name, table.column(name))[order]

    columns = gather(path, chosen, get, name=path.name)
    if seen := _images(path, info, table, order, cameras):
        columns.obs = {"": columns.obs, **seen}
    said = {"terminated", "mask"} & roles_of(mapping or {}).keys()
    if view is None and not said and "next.success" in chosen.get("success", []):
        ends = _last_frames(columns)
        if chosen["terminated"]:
            ends |= column(columns, "terminated", bool)
        columns.terminated = ends & column(columns, "success", bool)
    return columns


def _images(
    path: Path,
    info: Mapping[str, Any],
    table: Any,
    order: np.ndarray,
    cameras: Collection[str],
) -> dict[str, np.ndarray]:
    """The images [N, H, W, C] of each of the cameras, in the order of rows."""
    found = {}
    for name in sorted(info["features"]):
        camera = camera_of(name)
        if not name.startswith("observation.") or camera not in cameras:
            continue
        size = math.prod(n for n in info["features"][name].get("shape", []) if isinstance(n, int))
        require_room(path, len(order) * size)
        if name in table.column_names:
            held = table.column(name).to_pylist()
            rows = [held[i] for i in order]
            names = [f"{path}, {name} of row {i}" for i in order]
            images = [_still(path, row, where) for row, where in zip(rows, names, strict=True)]
            found[camera] = stacked(images, names)
        else:
            found[camera] = _films(path, name, len(order))
    return found


def _still(path: Path, row: Any, where: str) -> np.ndarray:
    """An image as LeRobot stores it in a table: its file's bytes, or that file's path."""
    held = row if isinstance(row, Mapping) else {}
    if held.get("bytes"):
        return decoded(bytes(held["bytes"]), where)
    file = (path / str(held.get("path") or "")).resolve()
    if not file.is_relative_to(path.resolve()) or not file.is_file():
        raise DataError(f"{where} holds no image: download the dataset again, with its images.")
    return decoded(file, where)


def _films(path: Path, name: str, rows: int) -> np.ndarray:
    """The frames of all films of a camera, in natural order of the files: one for each row."""
    found = [p for p in (path / "videos").rglob("*.mp4") if name in p.parts]
    films = sorted(found, key=lambda p: natural(str(p.relative_to(path))))
    if not films:
        raise DataError(
            f"{path} has no films of {name} under videos/: download the dataset with its videos."
        )
    frames = np.concatenate([read_film(film) for film in films])
    if len(frames) != rows:
        raise DataError(
            f"{path} has {len(frames)} frames of {name} for {rows} rows: download the rest of "
            "videos/."
        )
    return frames


def _features(path: Path, info: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """The columns that LeRobot's names give a meaning to."""
    features = info["features"]
    found: dict[str, Any] = {k: v for k, v in _USUAL.items() if v in names}
    states = [
        name
        for name in sorted(features)
        if name.startswith("observation.") and name in names and _is_vector(features[name])
    ]
    if states:
        found["obs"] = states
    if "terminated" not in found:
        found["terminated"] = "never"
    return found


def _last_frames(columns: Columns) -> np.ndarray:
    """[N] bool: the last frame of each episode."""
    episode = np.asarray(columns.episode)
    return np.concatenate([episode[1:] != episode[:-1], [True]])


def _is_vector(feature: Any) -> bool:
    kind, shape = str(feature.get("dtype", "")), feature.get("shape", [1])
    return kind.startswith(("float", "int", "uint", "bool")) and len(shape) <= 1


def _order(path: Path, info: Mapping[str, Any], table: Any, chosen: dict[str, Any]) -> np.ndarray:
    """Rows by episode and frame; refuses a dataset of which episodes or frames are missing."""
    episode, frame = (
        numbers(path, chosen[role][0], table.column(chosen[role][0]))
        for role in ("episode", "step")
    )
    order = np.lexsort((frame, episode))
    episode, frame = episode[order], frame[order]
    first = np.concatenate([[True], episode[1:] != episode[:-1]])
    promised = info.get("total_episodes")
    if isinstance(promised, int) and promised != int(first.sum()):
        raise DataError(
            f"{path} promises {promised} episodes in meta/info.json, but its Parquet files hold "
            f"{int(first.sum())}: download the rest of data/."
        )
    promised = info.get("total_frames")
    if isinstance(promised, int) and promised != len(frame):
        raise DataError(
            f"{path} promises {promised} frames in meta/info.json, but its Parquet files hold "
            f"{len(frame)}: download data/ again."
        )
    wrong = np.flatnonzero(np.where(first, frame != 0, np.diff(frame, prepend=0) != 1))
    if len(wrong):
        row = wrong[0]
        raise DataError(
            f"{path}: frame {frame[row]} of episode {episode[row]} does not follow the one before "
            "it: download the rest of data/, or record the episode again."
        )
    return order


def _info(path: Path) -> dict[str, Any]:
    file = path / "meta" / "info.json"
    try:
        info = json.loads(file.read_text())
        complete = isinstance(info.get("features"), dict) and all(
            isinstance(feature, dict) and isinstance(feature.get("shape", []), list)
            for feature in info["features"].values()
        )
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise DataError(f"{file} cannot be read ({error}): download the dataset again.") from error
    if not complete:
        raise DataError(f"{file} names no features or shapes: download the dataset again.")
    return info
