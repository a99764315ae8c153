"""The robot's steps on its own disk, numbered, before anybody else hears of them.

Frames stand back to back in `steps-<first number>.log`, each with its checksum. Room is taken
ahead, as zeros, before an action is sent: a full disk is found out while nothing moves. A kill may
leave half a frame at the very end, which is cut at the next start; damage before it is refused.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import threading
from array import array
from pathlib import Path
from typing import NamedTuple

from warmstart.errors import RunError
from warmstart.files.durable import Damaged, cannot_write, entries, fsync_path, make_folder
from warmstart.link.frames import MARK, Refused, Torn, frame_at

LOG = logging.getLogger("warmstart")
AHEAD = 262_144
"""Bytes of room that are taken at a time."""
LONGEST = 64_000_000
"""Bytes of one file, about."""
AGAIN = "start the actor again"
_NAME = re.compile(r"steps-(\d{12})\.log")


class _File(NamedTuple):
    """One file, and where its frames stand."""

    path: Path
    handle: io.FileIO
    first: int
    offsets: array[int]  # of each frame, and behind the last one


class StepLog:
    """Numbered frames on disk; one thread appends, another may force and read.

    Attributes:
        first: number of the oldest frame that is there.
        next: the number that the next frame will have.
        forced: frames before this number outlast a power cut.

    Raises:
        Damaged: frames are missing or altered before the end.
        RunError: the folder cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder: Path = folder
        make_folder(folder, AGAIN)
        self._files: list[_File] = []
        self._stale: list[io.FileIO] = []
        self._room = 0
        self._lock = threading.Lock()
        try:
            paths = [path for path in entries(folder) if _NAME.fullmatch(path.name)]
            for path in paths:
                self._open(path, int(path.stem[6:]), path == paths[-1])
        except BaseException:
            for file in self._files:
                file.handle.close()
            raise
        self.first: int = self._files[0].first if self._files else 0
        self.next: int = self._count(self._files[-1]) if self._files else 0
        self.forced: int = self.next

    def begin(self, number: int) -> None:
        """Let the next frame have this number, above all those that are there.

        Raises RunError where it is below one that is there.
        """
        if number < self.next:
            raise RunError(f"the log in '{self.folder}' has step {self.next - 1} already")
        if number > self.next or not self._files:
            self._rotate(number)

    def reserve(self, size: int) -> None:
        """Take room for a frame of so many bytes. Raises RunError: there is none."""
        if not self._files or self._files[-1].offsets[-1] > LONGEST:
            self._rotate(self.next)
        file = self._files[-1]
        wanted = file.offsets[-1] + size
        while self._room < wanted:
            self._write(file, self._room, bytes(AHEAD))
            self._room += AHEAD

    def append(self, frame: bytes) -> int:
        """Write a frame behind the others; its number.

        Raises RunError where the disk refuses it; the frames before are whole.
        """
        self.reserve(len(frame))
        file = self._files[-1]
        at = file.offsets[-1]
        self._write(file, at, frame)
        with self._lock:
            file.offsets.append(at + len(frame))
            self.next += 1
        return self.next - 1

    def force(self) -> None:
        """Let all that was appended outlast a power cut. Raises RunError."""
        with self._lock:
            until, handles = self.next, [*self._stale, *(f.handle for f in self._files[-1:])]
            self._stale = []
        if until == self.forced:
            return
        try:
            for handle in handles:
                os.fsync(handle.fileno())
        except OSError as error:
            raise cannot_write(self.folder, error, AGAIN) from error
        self.forced = until

    def read(self, start: int, most: int) -> list[bytes]:
        """Frames from number `start` on, about `most` bytes of them and at least one.

        Only what is forced to disk is given: what the learner knows, the log never forgets.
        """
        out: list[bytes] = []
        with self._lock:
            files = list(self._files)
        for file in files:
            stop = min(self._count(file), self.forced)
            if not file.first <= start < stop or most <= 0:
                continue
            with file.path.open("rb") as held:  # apart from the handle that another thread writes
                held.seek(file.offsets[start - file.first])
                while start < stop and most > 0:
                    at, end = file.offsets[start - file.first : start - file.first + 2]
                    out.append(held.read(end - at))
                    most -= end - at
                    start += 1
        return out

    def holds(self, number: int) -> bool:
        """Whether the frame of this number is there, or will be the next one."""
        with self._lock:
            there = any(file.first <= number < self._count(file) for file in self._files)
        return there or number == self.next

    def close(self) -> None:
        """Give back the room that was taken ahead, and let go of the files."""
        for file in self._files:
            with contextlib.suppress(OSError):
                if file is self._files[-1]:
                    file.handle.truncate(file.offsets[-1])
                file.handle.close()
        self._files = []

    @staticmethod
    def _count(file: _File) -> int:
        return file.first + len(file.offsets) - 1

    def _write(self, file: _File, at: int, data: bytes) -> None:
        try:
            file.handle.seek(at)
            put_all(file.handle, data)
        except OSError as error:
            raise cannot_write(file.path, error, AGAIN) from error

    def _rotate(self, number: int) -> None:
        """Go on in a new file, whose first frame has this number."""
        path = self.folder / f"steps-{number:012d}.log"
        try:
            handle = io.FileIO(path, "x+")
            fsync_path(self.folder)
            if self._files:
                old = self._files[-1]
                old.handle.truncate(old.offsets[-1])
        except OSError as error:
            raise cannot_write(path, error, AGAIN) from error
        with self._lock:
            self._stale += [file.handle for file in self._files[-1:]]
            if self._files and not self._count(self._files[-1]) > self._files[-1].first:
                self._drop()
            self._files.append(_File(path, handle, number, array("q", [0])))
            self.next = number
            if len(self._files) == 1:
                self.first = number
        self._room = 0

    def _drop(self) -> None:
        """Forget the newest file, in which nothing stands."""
        empty = self._files.pop()
        self._stale.remove(empty.handle)
        empty.handle.close()
        empty.path.unlink(missing_ok=True)

    def _open(self, path: Path, first: int, last: bool) -> None:
        """Read a file's frames; what a kill left at the end of the last one is cut off."""
        try:
            handle = io.FileIO(path, "r+")
            held = path.read_bytes()
        except OSError as error:
            raise RunError(f"cannot read '{path}': {error.strerror or error}; mend that") from error
        file = _File(path, handle, first, array("q", [0]))
        before = self._count(self._files[-1]) if self._files else 0
        self._files.append(file)
        at = 0
        while at < len(held):
            try:
                frame, end = frame_at(held, at)
                if frame.told.get("number") != self._count(file):
                    raise Torn("it has another number")
            except (Torn, Refused) as error:
                if held[at:].strip(b"\0"):
                    self._require_end(path, held, at, error, last)
                break
            file.offsets.append(end)
            at = end
        if first < before:
            raise Damaged(f"'{path}' overlaps the file before it; put the log's own files back")
        try:
            handle.truncate(at)
        except OSError as error:
            raise cannot_write(path, error, AGAIN) from error
        self._room = at

    @staticmethod
    def _require_end(path: Path, held: bytes, at: int, error: Exception, last: bool) -> None:
        """Half a frame is what a kill leaves; whole ones behind it are not."""
        later = held.find(MARK, at + 1)
        while later >= 0 and last:
            try:
                frame_at(held, later)
                last = False
            except (Torn, Refused):
                later = held.find(MARK, later + 1)
        if not last:
            raise Damaged(
                f"'{path}' is damaged at byte {at:,} ({error}), and steps stand behind that; put "
                "the file back from a backup, or go on with another folder"
            )
        LOG.info("A torn step at the end of '%s' is cut off (%d bytes).", path, len(held) - at)


def put_all(handle: io.FileIO, data: bytes) -> None:
    """Write all of it where the handle stands."""
    done = 0
    while done < len(data):
        done += handle.write(data[done:])
