"""Replay rows on disk: one file for each block of rows, append-only.

A run appends the rows of a chunk, then saves a checkpoint that names how many rows there are. If
the run is killed in between, the rows behind that number belong to steps that will be taken anew:
`read` passes them over, and the continued run removes them when it appends its own.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from warmstart.edge.durable import (
    cannot_write,
    entries,
    is_temporary,
    make_folder,
    write_atomic,
)
from warmstart.errors import RunError

_NAME = re.compile(r"rows-(\d{12})-(\d{12})\.npy")


class Segments:
    """The replay rows of one run, [S, rows, W] float32, in files `rows-<start>-<stop>.npy`.

    Only one process may append (`runs.RunLock` sees to that). A continued run calls `read` first:
    that also says where `append` goes on. Raises RunError where the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        make_folder(self.folder)
        self._end: int | None = None if self._files() else 0  # None: `read` has to say
        self._sizes: tuple[int, int] | None = None  # S, W
        self._tidy = False

    def append(self, start: int, rows: np.ndarray) -> None:
        """Store rows start .. start + n; they are on disk when this returns.

        Args:
            start: number of rows stored before, per seed.
            rows: [S, n, W] float32. Nothing happens where n is 0.

        Raises:
            RunError: if the rows do not follow the ones before or differ from them in S or W, and
                if the disk refuses them; the rows before are then intact.
        """
        rows = np.asarray(rows)
        if rows.ndim != 3 or rows.dtype != np.float32 or 0 in (rows.shape[0], rows.shape[2]):
            raise RunError(
                f"Replay rows must be float32 [S, n, W], not {rows.dtype}{list(rows.shape)}. "
                "Stack the seeds in front and convert to float32."
            )
        if self._end is None:
            raise RunError(
                f"'{self.folder}' holds rows of an earlier start. Call read(length) with the "
                "length that the checkpoint names before appending."
            )
        if start != self._end:
            raise RunError(
                f"Rows from {start} on would leave {'a gap' if start > self._end else 'an overlap'}"
                f" in '{self.folder}', which holds {self._end}. Append from {self._end} on."
            )
        if rows.shape[1] == 0:
            return
        self._sizes = self._same_sizes(rows, "the new rows")
        if not self._tidy:
            self._remove_from(start)
            self._tidy = True
        stop = start + rows.shape[1]
        flat = np.ascontiguousarray(rows)

        def write(file: BinaryIO) -> None:
            # np.save would hide why the disk refused: its error carries no number.
            npy.write_array_header_1_0(file, npy.header_data_from_array_1_0(flat))
            file.write(flat.data)

        write_atomic(self.folder / f"rows-{start:012d}-{stop:012d}.npy", write)
        self._end = stop

    def read(self, length: int, first: int = 0) -> np.ndarray:
        """Rows first .. length of every seed, [S, length - first, W] float32.

        Newer rows are passed over, and the next `append` starts at `length`. `first` spares the
        memory of rows that the ring has forgotten. [0, 0, 0] where no row is asked for.

        Raises:
            RunError: if rows are missing, doubled, damaged or of another shape, or if `length`
                falls inside a segment.
        """
        if not 0 <= first <= length:
            raise RunError(f"Cannot read rows {first} to {length}. Give 0 <= first <= length.")
        chain = [file for file in self._files() if file[0] < length]
        end = 0
        for start, stop, path in chain:
            if start != end or stop > length:
                raise RunError(
                    f"Replay rows {end} to {length} are not whole in '{self.folder}': "
                    f"'{path.name}' does not fit. Put the missing files back, or resume from "
                    "another checkpoint."
                )
            end = stop
        if end != length:
            raise RunError(
                f"'{self.folder}' ends at row {end}, but the checkpoint names {length}. Put the "
                "missing files back, or resume from an older checkpoint."
            )
        self._sizes, out = None, np.zeros((0, 0, 0), np.float32)
        for start, stop, path in chain:
            if stop <= first:
                continue
            rows = _load(path, stop - start)
            if self._sizes is None:
                self._sizes = self._same_sizes(rows, path.name)
                out = np.empty((rows.shape[0], length - first, rows.shape[2]), np.float32)
            self._same_sizes(rows, path.name)
            skip = max(first - start, 0)
            out[:, start + skip - first : stop - first] = rows[:, skip:]
        self._end, self._tidy = length, False
        return out

    def _files(self) -> list[tuple[int, int, Path]]:
        """`(start, stop, path)` of every segment, in order."""
        found = []
        for path in entries(self.folder):
            if match := _NAME.fullmatch(path.name):
                found.append((int(match[1]), int(match[2]), path))
        return found

    def _same_sizes(self, rows: np.ndarray, name: str) -> tuple[int, int]:
        sizes = (rows.shape[0], rows.shape[2])
        if self._sizes not in (None, sizes):
            raise RunError(
                f"In '{self.folder}', {name} has (seeds, width) {sizes}, the rows before have "
                f"{self._sizes}. Continue with the seeds and the task that the run began with."
            )
        return sizes

    def _remove_from(self, start: int) -> None:
        """Remove what killed starts left: newer segments, last one first, and half files."""
        newer = [path for begin, _, path in reversed(self._files()) if begin >= start]
        try:
            for path in [*newer, *filter(is_temporary, entries(self.folder))]:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(self.folder, error) from error


def _load(path: Path, count: int) -> np.ndarray:
    """One segment, [S, count, W] float32; RunError where the file is something else."""
    try:
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise RunError(
            f"Replay segment '{path}' cannot be read ({error}). Restore it from a backup, or "
            "resume from an older checkpoint."
        ) from error
    if rows.ndim != 3 or rows.dtype != np.float32 or rows.shape[1] != count:
        raise RunError(
            f"Replay segment '{path}' holds {rows.dtype}{list(rows.shape)}, not float32 "
            f"[S, {count}, W]. Restore it from a backup, or resume from an older checkpoint."
        )
    return rows
