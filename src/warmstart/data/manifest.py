"""Our own dataset folder: `data.npz` (flat, mapped into memory) and `manifest.json`.

A folder is written under a hidden name, forced to disk and renamed, so that a dataset is there
wholly or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.data.diversity import diversity
from warmstart.data.images import IMAGES, arrays_of_images, cameras_of_json, json_of
from warmstart.data.mapped import BROKEN, map_npz, write_npz
from warmstart.errors import DataError
from warmstart.files.durable import cannot_write, fsync_path, make_folder
from warmstart.files.machine import instruction_set, xla_flags
from warmstart.files.workspaces import scratch
from warmstart.types import Dataset

ARRAYS = ("obs", "actions", "rewards", "terminated", "truncated", "next_obs")
_TOLD = (
    "actions_outside",
    "success_partly",
    "done_and_truncated",
    "dropped",
    "cuts_guessed",
    "columns",
    "widths",
    "mapping",
    "obs_offset",
    "rounded",
)
"""What loading found out and stored rows no longer show."""
_PACKAGES = (
    "warmstart",
    "numpy",
    "jax",
    "gymnasium",
    "gymnasium-robotics",
    "mujoco",
    "ogbench",
    "metaworld",
)


def content_hash(dataset: Dataset) -> str:
    """sha256 of names, types, shapes and bytes of all arrays, in a fixed order."""
    digest = hashlib.sha256()
    for name, values in arrays_of(dataset).items():
        array = np.ascontiguousarray(values)
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.data)
    return digest.hexdigest()


def arrays_of(dataset: Dataset) -> dict[str, np.ndarray]:
    """What a folder stores: the rows, successes where the data tell them, and images."""
    arrays = {name: getattr(dataset, name) for name in ARRAYS}
    if dataset.success is not None:
        arrays["success"] = dataset.success
    return arrays | arrays_of_images(dataset)


def package_versions(names: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """Installed versions, by default of everything that has a say in what simulators answer."""
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def arithmetic() -> dict[str, Any]:
    """What of this machine decides how JAX's programs round, for the recipe of rows they make."""
    return {"instruction_set": instruction_set(), "xla_flags": xla_flags()}


def statistics(dataset: Dataset) -> dict[str, Any]:
    """Rows, episodes, mean, least and greatest raw return and length of an episode, diversity."""
    spans = dataset.episodes()
    returns = [float(np.sum(dataset.rewards[a:b], dtype=np.float64)) for a, b in spans]
    lengths = [b - a for a, b in spans]
    found: dict[str, Any] = {"rows": len(dataset), "episodes": len(spans)}
    for name, values in (("return", returns), ("length", lengths)):
        if values:
            found[name] = {"mean": float(np.mean(values)), "min": min(values), "max": max(values)}
    found["diversity"] = diversity(dataset)
    rate = success_rate(dataset)
    return found if rate is None else {**found, "success_rate": rate}


def success_rate(dataset: Dataset) -> float | None:
    """The share of episodes that succeed, as the file or its maker says; None: nobody does.

    Where only some episodes tell, it is the share of those.
    """
    if "success_rate" in dataset.info:
        return float(dataset.info["success_rate"])
    if (partly := dataset.info.get("success_partly")) and partly["told"]:
        return partly["succeeded"] / partly["told"]
    if dataset.success is None or not len(dataset):
        return None
    starts = [start for start, _ in dataset.episodes()]
    return float(np.mean(np.logical_or.reduceat(dataset.success, starts)))


def save_folder(
    dataset: Dataset,
    folder: str | Path,
    recipe: Mapping[str, Any],
    again: str = "try again",
    **remarks: Any,
) -> Path:
    """Write `dataset` as `folder` in one step.

    Args:
        dataset: the rows.
        folder: must not exist yet, unless it holds this same recipe, which is then kept.
        recipe: plain facts from which the data were made: task, environment, maker, seed.
        again: what to do after a full disk was fixed, for the message.
        remarks: further facts for the manifest that do not decide the content.

    Raises:
        DataError: the folder is there with other contents.
        RunError: it cannot be written: disk full, no permission.
    """
    folder = Path(folder)
    make_folder(folder.parent, again)
    manifest = {
        "format": 1,
        "recipe": dict(recipe),
        "packages": package_versions(),
        "sha256": content_hash(dataset),
        "statistics": statistics(dataset),
        **{name: dataset.info[name] for name in _TOLD if name in dataset.info},
        **({"cameras": json_of(dataset.cameras)} if dataset.cameras else {}),
        **remarks,
    }
    try:
        with scratch(desk_of(folder), again) as room:
            write_npz(room / "data.npz", arrays_of(dataset))
            (room / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True))
            for path in (*room.iterdir(), room):
                fsync_path(path)
            _put(room, folder, recipe)
            fsync_path(folder.parent)
    except OSError as error:
        raise cannot_write(folder, error, again) from error
    return folder


def desk_of(folder: Path) -> Path:
    """Where the files of a dataset folder are written, before they are put there."""
    return folder.with_name(f".making-{folder.name}")


def _put(room: Path, folder: Path, recipe: Mapping[str, Any]) -> None:
    """Rename; where another process was faster with the same data, theirs stay."""
    try:
        os.rename(room, folder)
    except OSError as error:
        if not folder.exists():
            raise
        if not holds(folder, recipe):
            raise DataError(
                f"{folder} exists and holds something else: choose another folder or remove it."
            ) from error


def is_folder(path: str | Path) -> bool:
    """Whether the path is a dataset folder of ours."""
    return (Path(path) / "manifest.json").is_file() and (Path(path) / "data.npz").is_file()


def holds(folder: str | Path, recipe: Mapping[str, Any]) -> bool:
    """Whether the folder is a complete dataset made from this recipe."""
    if not is_folder(folder):
        return False
    return read_manifest(folder)["recipe"] == json.loads(json.dumps(dict(recipe)))


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """The manifest; DataError if it is missing or not one of ours."""
    path = Path(folder) / "manifest.json"
    try:
        manifest = json.loads(path.read_text())
        complete = {"format", "recipe", "sha256", "statistics"} <= set(manifest)
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise DataError(f"{path} cannot be read ({error}): make the dataset again.") from error
    if not complete or manifest["format"] != 1:
        raise DataError(f"{path} is not a manifest of format 1: make the dataset again.")
    return manifest


def read_folder(folder: str | Path) -> Dataset:
    """The dataset of a folder, mapped into memory: its pages are read when they are needed.

    Raises DataError if its bytes are not those that the manifest names.
    """
    manifest = read_manifest(folder)
    path = Path(folder) / "data.npz"
    try:
        stored = map_npz(path)
        arrays: dict[str, Any] = {name: stored[name] for name in ARRAYS}
        arrays["success"] = stored.get("success")
        if "cameras" in manifest:
            arrays |= {name: stored[name] for name in IMAGES}
            arrays["cameras"] = cameras_of_json(manifest["cameras"])
    except BROKEN as error:
        raise DataError(f"{path} cannot be read ({error}): make the dataset again.") from error
    recipe = manifest["recipe"]
    info = {
        "name": recipe.get("task", Path(folder).name),
        "env_id": recipe.get("env_id"),
        "env_kwargs": recipe.get("env_kwargs", {}),
        "source": str(folder),
        "manifest": manifest,
    }
    if "success_rate" in manifest["statistics"]:
        info["success_rate"] = manifest["statistics"]["success_rate"]
    info |= {name: manifest[name] for name in _TOLD if name in manifest}
    dataset = Dataset(**arrays, info=info)
    if content_hash(dataset) != manifest["sha256"]:
        raise DataError(
            f"{path} is not the file that its manifest describes: remove the folder and make the "
            "dataset again."
        )
    return dataset
