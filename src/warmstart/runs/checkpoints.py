"""Checkpoints: the whole training state, saved so that a kill at any moment loses nothing.

One checkpoint is one folder `<step>.<serial>`: `state/`, written by Orbax, and `checkpoint.json`,
which lists the leaves, the checksum of every file, and the caller's own record. It is filled under
a hidden name, forced to disk, and renamed: what bears the right name is complete.

All leaves lie in one vector of bytes, back to back: exact for every dtype (also -0.0, NaN payloads
and empty arrays), and several times faster than one Orbax array for each leaf.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orbax.checkpoint as ocp

from warmstart.errors import RunError
from warmstart.files import leaves
from warmstart.files.durable import (
    Damaged,
    cannot_write,
    entries,
    fsync_path,
    is_temporary,
    make_folder,
    sealed,
    temporary,
    to_json,
    unsealed,
    write_json_atomic,
)

VERSION = 2
READS = (1, 2)
"""Version 1 had no checksum of `checkpoint.json` itself, and no name of the run."""
LOG = logging.getLogger("warmstart")
_NAME = re.compile(r"(\d{12})\.(\d+)")


class DamagedCheckpoint(Damaged):
    """A checkpoint whose files are missing, cut, altered or another run's."""


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
        run: the run's `id`, which each of its checkpoints bears; None: not known.
    """

    def __init__(self, folder: Path, keep: int = 3, run: str | None = None) -> None:
        if keep < 1:
            raise RunError(f"keep = {keep} would delete every checkpoint. Keep at least 1.")
        self.folder: Path = Path(folder).absolute()
        self.keep, self.run = keep, run
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
        record = {"version": VERSION, "step": step, "run": self.run, "meta": meta}
        record["leaves"] = leaves.describe(tree)
        self._sweep()
        serial = 1 + max((saved.serial for saved in self._saved() if saved.step == step), default=0)
        final = self.folder / f"{step:012d}.{serial}"
        temp = temporary(final)
        try:
            temp.mkdir()
            with _unheard():
                self._orbax.save(temp / "state", {"bytes": leaves.pack(tree)})
            record["files"] = _checksums(temp / "state")
            (temp / "checkpoint.json").write_bytes(to_json(sealed(record)))
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
            named = sealed({"step": step, "run": self.run})
            write_json_atomic(self.folder / "best.json", named)
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
        record = unsealed(path, "Remove this file.")
        if type(record.get("step")) is not int:
            raise Damaged(f"'{path}' is damaged (it names no step). Remove this file.")
        if self._is_anothers(record):
            raise Damaged(f"'{path}' is another run's. Remove this file.")
        return record["step"] if record["step"] in self.steps() else None

    def _is_anothers(self, record: dict[str, Any]) -> bool:
        return None not in (self.run, record.get("run")) and record["run"] != self.run

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
                + (f"Choose one of: {steps}." if steps else "Start the run again.")
            )
        return self._read(matching[-1].path, like)

    def restore_newest(
        self, like: Any, also: Callable[[dict[str, Any]], object] = lambda meta: None
    ) -> tuple[int, Any, dict[str, Any]] | None:
        """`(step, tree, meta)` of the newest checkpoint that is sound; None where there is none.

        `like` is a tree, or a function from a checkpoint's meta to one, for a run whose tree
        changes its shape on the way. `also` reads what else a checkpoint needs, such as the rows
        that its meta counts.

        Where a checkpoint is damaged, or `also` raises Damaged, the log says so, and the one before
        it is taken; it stays where it is. Raises Damaged if all are, and RunError if the newest
        sound one does not fit `like`.
        """
        damage: Damaged | None = None
        for saved in reversed(self._saved()):
            if damage is not None:
                LOG.warning("%s Until then the run goes on from the checkpoint before.", damage)
            try:
                tree, meta = self._read(saved.path, like)
                also(meta)
            except Damaged as error:
                damage = error
            else:
                return saved.step, tree, meta
        if damage is not None:
            raise Damaged(
                f"{damage} There is no older checkpoint that is whole; without one the run can "
                "only be started again, or, where it has pre-trained, taken up by `warmstart "
                "finetune METHOD --from` its folder."
            ) from damage
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
            record = unsealed(path / "checkpoint.json", "", "version", READS)
        except Damaged as error:
            raise _damaged(path, "checkpoint.json") from error
        kinds = {"meta": dict, "leaves": list, "files": dict}
        if not all(isinstance(record.get(key), kind) for key, kind in kinds.items()):
            raise _damaged(path, "checkpoint.json")
        if self._is_anothers(record):
            raise _damaged(path, "it is another run's")
        try:
            like = like(record["meta"]) if callable(like) else like
            differs = leaves.difference(record["leaves"], leaves.describe(like))
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise _damaged(path, "checkpoint.json") from error
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
                LOG.warning("%s", cannot_write(saved.path, error))
        self._sweep()

    def _sweep(self) -> None:
        """Remove what killed saves and removals left behind."""
        for path in filter(is_temporary, entries(self.folder)):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """What Orbax's threads log of an error that is raised to us anyway."""
    log = logging.getLogger("absl")
    former = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(former)


def _checksums(folder: Path) -> dict[str, list[int]]:
    """Size and CRC-32 of every file below `folder`, by its name from there."""
    return {
        str(path.relative_to(folder)): [path.stat().st_size, zlib.crc32(path.read_bytes())]
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _damaged(path: Path, part: str) -> DamagedCheckpoint:
    return DamagedCheckpoint(f"Checkpoint '{path}' is damaged ({part}). Restore it from a backup.")
