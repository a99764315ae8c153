"""Replay rows on disk: one file for each block of rows, append-only.

A run appends the rows of a chunk, then saves a checkpoint that names how many rows there are. If
the run is killed in between, the rows behind that number belong to steps that will be taken again:
`read` passes them over, and the continued run removes them when it appends its own.
"""

from __future__ import annotations

import io
import re
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from warmstart.errors import RunError
from warmstart.files.durable import (
    Damaged,
    cannot_write,
    entries,
    is_temporary,
    make_folder,
    write_atomic,
)

_NAME = re.compile(r"rows-(\d{12})-(\d{12})(?:-([0-9a-f]{8}))?\.npy")


class Segments:
    """The replay rows of one run, [S, rows, W] float32: `rows-<start>-<stop>-<checksum>.npy`.

    Images lie in folders of their own, one for each seed, as rows [1, images, P] of `kind` uint8.

    A checkpoint remembers `mark`, so that rows which are whole and another run's are found out.

    Only one process may append (`runs.RunLock` sees to that). A continued run calls `read` first:
    that also says where `append` goes on. Raises RunError where the folder cannot be made.
    """

    def __init__(self, folder: Path, kind: Any = np.float32) -> None:
        self.folder: Path = Path(folder)
        self.kind: np.dtype[Any] = np.dtype(kind)
        make_folder(self.folder)
        self._end: int | None = None if self._files() else 0  # None: `read` has to say
        self._sizes: tuple[int, int] | None = None  # S, W
        self._tidy = False

    def append(self, start: int, rows: np.ndarray) -> None:
        """Store rows start .. start + n; they are on disk when this returns.

        Args:
            start: number of rows stored before, per seed.
            rows: [S, n, W] of `kind`. Nothing happens where n is 0.

        Raises:
            RunError: if the rows do not follow the ones before or differ from them in S or W, and
                if the disk refuses them; the rows before are then intact.
        """
        rows = np.asarray(rows)
        if rows.ndim != 3 or rows.dtype != self.kind or 0 in (rows.shape[0], rows.shape[2]):
            raise RunError(
                f"Replay rows must be {self.kind} [S, n, W], not {rows.dtype}{list(rows.shape)}. "
                f"Stack the seeds in front and convert to {self.kind}."
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
        head = io.BytesIO()
        npy.write_array_header_1_0(head, npy.header_data_from_array_1_0(flat))
        total = zlib.crc32(flat.data, zlib.crc32(head.getvalue()))

        def write(file: BinaryIO) -> None:
            # np.save would hide why the disk refused: its error carries no number.
            file.write(head.getvalue())
            file.write(flat.data)

        write_atomic(self.folder / f"rows-{start:012d}-{stop:012d}-{total:08x}.npy", write)
        self._end = stop

    def mark(self, length: int) -> int:
        """Checksum of all rows before `length`: of the names of their files, which have theirs."""
        names = [path.name for _, stop, path in self._files() if stop <= length]
        return zlib.crc32("\n".join(names).encode())

    def read(self, length: int, first: int = 0, mark: int | None = None) -> np.ndarray:
        """Rows first .. length of every seed, [S, length - first, W] of `kind`.

        Newer rows are passed over, and the next `append` starts at `length`. `first` spares the
        memory of rows that the ring has forgotten. [0, 0, 0] where no row is asked for. `mark` is
        what `mark(length)` was when the rows were counted; None: not known.

        Raises:
            Damaged: if rows are missing, doubled, altered, of another shape or another run's, or
                if `length` falls inside a segment.
        """
        if not 0 <= first <= length:
            raise RunError(f"Cannot read rows {first} to {length}. Give 0 <= first <= length.")
        chain = [file for file in self._files() if file[0] < length]
        end = 0
        for start, stop, path in chain:
            if start != end or stop > length:
                raise Damaged(
                    f"Replay rows {end} to {length} are not whole in '{self.folder}': "
                    f"'{path.name}' does not fit. Put the missing files back."
                )
            end = stop
        if end != length:
            raise Damaged(
                f"'{self.folder}' ends at row {end}, but the checkpoint names {length}. Put the "
                "missing files back."
            )
        if mark not in (None, self.mark(length)):
            raise Damaged(
                f"The rows in '{self.folder}' are not those that the checkpoint was taken with. "
                "Put the run's own files back."
            )
        self._sizes, out = None, np.zeros((0, 0, 0), self.kind)
        for start, stop, path in chain:
            if stop <= first:
                continue
            rows = _load(path, stop - start, self.kind)
            if self._sizes is None:
                self._sizes = self._same_sizes(rows, path.name)
                out = np.empty((rows.shape[0], length - first, rows.shape[2]), self.kind)
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


def _load(path: Path, count: int, kind: np.dtype[Any]) -> np.ndarray:
    """One segment, [S, count, W] of `kind`; Damaged where the file is something else."""
    told = _NAME.fullmatch(path.name)
    try:
        if not path.is_file():
            raise ValueError("it is no file")
        data = path.read_bytes()
        if told and told[3] and zlib.crc32(data) != int(told[3], 16):
            raise ValueError("its checksum differs")
        rows = np.load(io.BytesIO(data), allow_pickle=False)
    except Exception as error:  # of a damaged header NumPy passes on what it stumbles over
        raise Damaged(
            f"Replay segment '{path}' is damaged ({error}). Restore it from a backup."
        ) from error
    shaped = isinstance(rows, np.ndarray) and rows.ndim == 3 and rows.shape[1] == count
    if not shaped or rows.dtype != kind:
        raise Damaged(
            f"Replay segment '{path}' is damaged (it is not {kind} [S, {count}, W]). Restore it "
            "from a backup."
        )
    return rows
