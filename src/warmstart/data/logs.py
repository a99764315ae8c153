"""A folder of logs: many files of one kind, each with one episode or several."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.data.columns import natural
from warmstart.data.images import joined_images
from warmstart.errors import DataError
from warmstart.types import Dataset

KINDS: dict[str, tuple[str, ...]] = {
    "CSV": (".csv", ".csv.gz"),
    "Parquet": (".parquet", ".pq"),
    "NPZ": (".npz",),
    "HDF5": (".hdf5", ".h5"),
    "JSON": (".jsonl", ".jsonl.gz", ".ndjson"),
}
"""What a log's file may be called, by kind."""
DEPTH = 3
"""So many folders below the one that was named are looked into."""


def log_files(folder: Path) -> list[Path]:
    """The logs of a folder in natural order (`run_2` before `run_10`), or none.

    Logs stand in the folder itself; where it has none, up to `DEPTH` folders below it. Hidden
    files and folders and links to folders are not looked at, and files of other kinds (notes,
    films) are passed over.

    Raises:
        DataError: logs of several kinds, of which nobody can say which are meant.
        OSError: a folder that may not be read: its logs would be missing without a word.
    """
    if not folder.is_dir():
        return []
    found: list[Path] = []
    for at, folders, names in os.walk(folder, onerror=_refuse):
        deep = len(Path(at).relative_to(folder).parts) >= DEPTH
        folders[:] = [] if deep else [name for name in folders if not name.startswith(".")]
        here = [Path(at, name) for name in names if not name.startswith(".")]
        found += [path for path in here if _kind(path) and path.is_file()]
        if found and Path(at) == folder:
            break
    kinds = sorted({_kind(path) or "" for path in found})
    if len(kinds) > 1 and "JSON" in kinds:  # notes beside the logs, in all likelihood
        found, kinds = [p for p in found if _kind(p) != "JSON"], [k for k in kinds if k != "JSON"]
    if len(kinds) > 1:
        counts = " and ".join(f"{sum(_kind(p) == k for p in found)} {k}" for k in kinds)
        raise DataError(
            f"{folder} holds {counts} files: put the logs that shall be read into a folder of "
            "their own, all of one kind."
        )
    return sorted(found, key=lambda path: natural(str(path.relative_to(folder))))


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # what is gone holds no logs
        raise error


def join(source: str | Path, parts: Sequence[Dataset]) -> Dataset:
    """All rows of all parts, one after another; the last row of each part ends an episode.

    Raises:
        DataError: two parts whose rows cannot stand in one table.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    for other in parts[1:]:
        _alike(first, other)
    names = ("obs", "actions", "rewards", "terminated", "truncated", "next_obs")
    columns: dict[str, Any] = {n: np.concatenate([getattr(p, n) for p in parts]) for n in names}
    if first.success is not None:
        columns["success"] = np.concatenate([np.asarray(part.success) for part in parts])
    path = Path(source)
    told = {
        k: v
        for k, v in first.info.items()
        if k in ("columns", "widths", "obs_offset", "rounded", "env_id", "env_kwargs")
    }
    told |= {"name": path.stem, "source": str(source), "parts": len(parts)}
    told |= {**_outside(parts), **_partly(parts), **_summed(parts)}
    return Dataset(**columns, **joined_images(parts, str(source)), info=told)


def _alike(first: Dataset, dataset: Dataset) -> None:
    one, other = first.info["source"], dataset.info["source"]
    ours, theirs = (d.info.get("columns", {}) for d in (first, dataset))
    for role in sorted({*ours, *theirs}):
        if ours.get(role) != theirs.get(role):
            there, here = (", ".join(made.get(role, ["nothing"])[:6]) for made in (theirs, ours))
            raise DataError(
                f"{other} has {there} for {role}, but {one} has {here}: write the same columns in "
                "every file, or name those that all have with --columns (in Python mapping=)."
            )
    for role in ("obs", "actions"):
        sizes = [getattr(d, role).shape[1] for d in (dataset, first)]
        if sizes[0] != sizes[1]:
            raise DataError(
                f"a row of {role} has {sizes[0]} numbers in {other}, but {sizes[1]} in {one}: "
                "write the same numbers in every file."
            )
    if (first.success is None) != (dataset.success is None):
        raise DataError(f"Only one of {one} and {other} tells successes: write them in every file.")


def _outside(parts: Sequence[Dataset]) -> dict[str, Any]:
    """What `unit_actions` told of each part, for all of them; its rows are those of the files."""
    told, begin = [], 0
    for part in parts:
        if "actions_outside" in part.info:
            own = part.info["actions_outside"]
            told.append({**own, "first": own["first"] + begin})
        begin += len(part)
    if not told:
        return {}
    rows, largest = sum(t["rows"] for t in told), max(t["largest"] for t in told)
    return {"actions_outside": {"rows": rows, "first": told[0]["first"], "largest": largest}}


def _summed(parts: Sequence[Dataset]) -> dict[str, Any]:
    """What `build` counted in each part, for all of them."""
    found: dict[str, Any] = {}
    for name in ("done_and_truncated", "dropped", "cuts_guessed"):
        counts = [part.info[name] for part in parts if name in part.info]
        if counts and isinstance(counts[0], int):
            found[name] = sum(counts)
        elif counts:
            how = {"min": min, "max": max}
            found[name] = {k: how.get(k, sum)(count[k] for count in counts) for k in counts[0]}
    return found


def _partly(parts: Sequence[Dataset]) -> dict[str, Any]:
    """How many episodes tell successes, where in some part only some do."""
    counts = [p.info.get("success_partly", {"episodes": len(p.episodes())}) for p in parts]
    if all(len(count) == 1 for count in counts):
        return {}
    names = ("episodes", "told", "succeeded")
    return {"success_partly": {n: sum(count.get(n, 0) for count in counts) for n in names}}


def _kind(path: Path) -> str | None:
    name = path.name.lower()
    return next((kind for kind, ends in KINDS.items() if name.endswith(ends)), None)
