"""Checkpoints: the whole training state, saved so that a kill at any moment loses nothing.

One checkpoint is one folder `<step>.<serial>`: `state/`, written by Orbax, and `checkpoint.json`,
which lists the leaves, the checksum of every file, and the caller's own record. It is filled under
a hidden name, forced to disk, and renamed: what bears the right name is complete.

All leaves lie in one vector of bytes, back to back: exact for every dtype (also -0.0, NaN payloads
and empty arrays), and several times faster than one Orbax array for each leaf.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import warnings
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orbax.checkpoint as ocp

from warmstart.edge import leaves
from warmstart.edge.durable import (
    cannot_write,
    entries,
    fsync_path,
    is_temporary,
    make_folder,
    read_json,
    temporary,
    to_json,
    write_json_atomic,
)
from warmstart.errors import RunError

VERSION = 1
_NAME = re.compile(r"(\d{12})\.(\d+)")


class DamagedCheckpoint(RunError):
    """A checkpoint whose files are missing, cut or altered."""


class Saved(NamedTuple):
    """One complete checkpoint on disk; the serial tells apart two saves of one step."""

    step: int
    serial: int
    path: Path


def size_estimate(tree: Any) -> int:
    """Bytes that one checkpoint of `tree` takes on disk, without the caller's record."""
    described = leaves.describe(tree)
    return leaves.count_bytes(described) + 160 * len(described) + 16_384


class Checkpoints:
    """The checkpoints of one run. Only one process may save (`runs.RunLock` sees to that).

    Args:
        folder: created if need be; RunError where that fails.
        keep: how many of the newest stay, at least 1. The best one stays too.
    """

    def __init__(self, folder: Path, keep: int = 3) -> None:
        if keep < 1:
            raise RunError(f"keep = {keep} would delete every checkpoint. Keep at least 1.")
        self.folder, self.keep = Path(folder).absolute(), keep
        make_folder(self.folder)
        self._orbax = ocp.PyTreeCheckpointer(use_compression=False)

    def save(self, step: int, tree: Any, meta: dict[str, Any], best: bool = False) -> None:
        """Save `tree` and `meta` as of `step`; both are on disk when this returns.

        Once it is safe, checkpoints beyond `keep` are removed, and so are those of later steps:
        they belong to a course that the run has left. A second save of a step replaces the first.

        Args:
            step: a count that grows over the whole run, from 0.
            tree: pytree of JAX or NumPy arrays, of any sharding.
            meta: what JSON can hold; NumPy arrays in it come back as lists.
            best: keep this one for good, in place of the best before.

        Raises:
            RunError: if the disk refuses (the checkpoints before are then intact), or if `tree`
                or `meta` hold something else.
        """
        record = {"version": VERSION, "step": step, "meta": meta, "leaves": leaves.describe(tree)}
        self._sweep()
        serial = 1 + max((saved.serial for saved in self._saved() if saved.step == step), default=0)
        final = self.folder / f"{step:012d}.{serial}"
        temp = temporary(final)
        try:
            temp.mkdir()
            self._orbax.save(temp / "state", {"bytes": leaves.pack(tree)})
            record["files"] = _checksums(temp / "state")
            (temp / "checkpoint.json").write_bytes(to_json(record))
            for path in [*temp.rglob("*"), temp]:
                fsync_path(path)
            os.rename(temp, final)
            fsync_path(self.folder)
        except RunError:
            raise
        except Exception as error:  # Orbax passes on errors of several libraries
            raise cannot_write(final, error) from error
        finally:
            shutil.rmtree(temp, ignore_errors=True)
        if best:
            write_json_atomic(self.folder / "best.json", {"step": step})
        self._remove_all_but_newest(Saved(step, serial, final))

    def steps(self) -> list[int]:
        """The steps that were saved to the end, in order."""
        return sorted({saved.step for saved in self._saved()})

    def latest(self) -> int | None:
        """The newest step that was saved to the end, or None."""
        return max(self.steps(), default=None)

    def best(self) -> int | None:
        """The step last saved as best, or None. Raises RunError if `best.json` is damaged."""
        path = self.folder / "best.json"
        if not path.exists():
            return None
        record = read_json(path)
        if not isinstance(record, dict) or "step" not in record:
            raise RunError(f"'{path}' is damaged (it names no step). Remove this file.")
        return record["step"] if record["step"] in self.steps() else None

    def restore(self, step: int, like: Any) -> tuple[Any, dict[str, Any]]:
        """The tree and the meta that were saved at `step`, bit for bit.

        Args:
            step: as given to `save`.
            like: a tree of the same structure, shapes and dtypes (jax.ShapeDtypeStruct will do),
                or a function from the meta to one. A JAX leaf comes back on the devices of its
                model, a NumPy leaf as NumPy.

        Raises:
            DamagedCheckpoint: if files are missing, cut or altered.
            RunError: if there is no such step, or if it does not fit `like`; the message names
                the first leaf that differs.
        """
        matching = [saved for saved in self._saved() if saved.step == step]
        if not matching:
            steps = ", ".join(map(str, self.steps()))
            raise RunError(
                f"'{self.folder}' has no checkpoint of step {step}. "
                + (f"Choose one of: {steps}." if steps else "Start the run anew.")
            )
        return self._read(matching[-1].path, like)

    def restore_newest(self, like: Any) -> tuple[int, Any, dict[str, Any]] | None:
        """`(step, tree, meta)` of the newest checkpoint that is sound; None where there is none.

        `like` is a tree, or a function from a checkpoint's meta to one, for a run whose tree
        changes its shape on the way.

        Damaged ones are passed over with a warning and stay where they are. Raises RunError if
        all are damaged, or if the newest sound one does not fit `like`.
        """
        damage: DamagedCheckpoint | None = None
        for saved in reversed(self._saved()):
            try:
                tree, meta = self._read(saved.path, like)
            except DamagedCheckpoint as error:
                warnings.warn(f"{error} Going back to the one before.", stacklevel=2)
                damage = error
            else:
                return saved.step, tree, meta
        if damage:
            raise damage
        return None

    def discard_after(self, step: int) -> None:
        """Remove the checkpoints of later steps: call it before a run goes on from `step`.

        Otherwise, if that run were killed before its next save, a later one would name rows and
        metrics that have been written over.
        """
        self._remove([saved for saved in self._saved() if saved.step > step])

    def _saved(self) -> list[Saved]:
        """All complete checkpoints, oldest first."""
        found = []
        for path in entries(self.folder):
            if match := _NAME.fullmatch(path.name):
                found.append(Saved(int(match[1]), int(match[2]), path))
        return sorted(found)

    def _read(self, path: Path, like: Any) -> tuple[Any, dict[str, Any]]:
        try:
            record = read_json(path / "checkpoint.json")
        except RunError as error:
            raise _damaged(path, "checkpoint.json") from error
        if not isinstance(record, dict) or "version" not in record:
            raise _damaged(path, "checkpoint.json")
        if record["version"] != VERSION:
            raise RunError(
                f"Checkpoint '{path}' has format {record['version']}, this warmstart reads "
                f"{VERSION}. Use the version of warmstart that run.json names."
            )
        if not {"meta", "leaves", "files"} <= record.keys():
            raise _damaged(path, "checkpoint.json")
        like = like(record["meta"]) if callable(like) else like
        differs = leaves.difference(record["leaves"], leaves.describe(like))
        if differs:
            raise RunError(
                f"Checkpoint '{path}' does not fit: {differs}. Continue with the recipe, task and "
                "seeds that run.json names."
            )
        try:
            sums = _checksums(path / "state")
        except OSError as error:
            raise _damaged(path, str(error)) from error
        for name in sorted(record["files"].keys() | sums.keys()):
            if record["files"].get(name) != sums.get(name):
                raise _damaged(path, f"state/{name}")
        arrays = {"bytes": ocp.RestoreArgs(restore_type=np.ndarray)}
        packed = self._orbax.restore(path / "state", restore_args=arrays)["bytes"]
        return leaves.unpack(packed, like), record["meta"]

    def _remove_all_but_newest(self, newest: Saved) -> None:
        behind = [saved for saved in self._saved() if saved.step < newest.step]
        best = self.best()
        keep = {newest, *behind[max(0, len(behind) - self.keep + 1) :]}
        keep |= {saved for saved in behind if saved.step == best}
        self._remove([saved for saved in self._saved() if saved not in keep])

    def _remove(self, unwanted: list[Saved]) -> None:
        """Rename, then delete: a kill in between leaves no half folder under a right name."""
        for saved in reversed(unwanted):
            try:
                os.rename(saved.path, temporary(saved.path))
            except OSError as error:
                warnings.warn(str(cannot_write(saved.path, error)), stacklevel=3)
        self._sweep()

    def _sweep(self) -> None:
        """Remove what killed saves and removals left behind."""
        for path in filter(is_temporary, entries(self.folder)):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()


def _checksums(folder: Path) -> dict[str, list[int]]:
    """Size and CRC-32 of every file below `folder`, by its name from there."""
    return {
        str(path.relative_to(folder)): [path.stat().st_size, zlib.crc32(path.read_bytes())]
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _damaged(path: Path, part: str) -> DamagedCheckpoint:
    return DamagedCheckpoint(
        f"Checkpoint '{path}' is damaged ({part}). Resume from an older one, or restore it from "
        "a backup."
    )
