"""Files that are whole or absent, whatever kills the process.

Everything is written beside its final place under a name that no reader looks at, forced to disk,
and renamed; POSIX makes the rename atomic, and forcing the folder makes it last. A reader thus
sees the old file or the new one, never a half.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from warmstart.errors import RunError

_ADVICE = {
    errno.ENOSPC: "the disk is full. What was saved before is intact: free some space, then ",
    errno.EDQUOT: "your disk quota is used up. What was saved before is intact: free some space, "
    "then ",
    errno.EFBIG: "a file would pass the size limit of this shell. What was saved before is intact: "
    "raise the limit with `ulimit -f unlimited`, then ",
    errno.EROFS: "the file system is read-only. Choose a folder on a disk that can be written",
    errno.EACCES: "permission denied. Choose a folder that you may write to, or change its owner",
    errno.EPERM: "permission denied. Choose a folder that you may write to, or change its owner",
    errno.ENOTDIR: "a part of this path is a file, not a folder. Choose another folder",
    errno.EEXIST: "a file of this name is in the way. Choose another folder",
    errno.ENOENT: "the folder is gone. Was it moved or deleted? Put it back, or start a new run",
}


SEAL = "checksum"
PAGE_AGAIN = "resume, or where the run is finished make the report again"
"""What to do where a page could not be written: see `cannot_write`."""


class Damaged(RunError):
    """A file that is not what was written: cut, altered, or another one's."""


def cannot_write(path: Path, error: Exception, again: str = "resume") -> RunError:
    """The one message for a write that failed: where, why, and what to do.

    `again` is what to do when there is room again, by default for a run.

    Libraries that write for us hide the error number in their text, so the text is searched too.
    """
    code = getattr(error, "errno", None)
    if code not in _ADVICE:
        code = next((known for known in _ADVICE if os.strerror(known) in str(error)), None)
    if code is None:
        reason = " ".join(str(error).split()) or type(error).__name__
        return RunError(f"Cannot write '{path}': {reason}. Check that folder, then try again.")
    advice = _ADVICE[code]
    return RunError(f"Cannot write '{path}': {advice}{again if advice.endswith(' ') else ''}.")


def fsync_path(path: Path) -> None:
    """Force one file, or one folder's list of names, to disk.

    Windows opens no folder, and writes its list of names by itself.
    """
    if os.name == "nt" and Path(path).is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: Path, again: str = "resume") -> None:
    """Create a folder and its parents, if need be. Raises RunError where that is not allowed."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        if os.path.lexists(path):
            raise cannot_write(path, error, again) from error
        make_folder(path, again)  # who held it has removed it since
    except OSError as error:
        raise cannot_write(path, error, again) from error


def entries(path: Path) -> list[Path]:
    """What lies in a folder, by name. Raises RunError if it cannot be read."""
    try:
        return sorted(path.iterdir())
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"Cannot read '{path}': {reason}. Check the path of the run.") from error


def temporary(path: Path) -> Path:
    """A hidden name beside `path` that no two writers share and `is_temporary` knows."""
    return path.with_name(f".{path.name}.{threading.get_native_id()}.tmp")


def is_temporary(path: Path) -> bool:
    """Whether this is what a killed writer left behind."""
    return path.name.startswith(".") and path.name.endswith(".tmp")


def write_atomic(path: Path, write: Callable[[BinaryIO], object], again: str = "resume") -> None:
    """Let `write` fill a file that appears at `path` complete and on disk, or not at all.

    `again` is for the message, see `cannot_write`.

    Raises:
        RunError: if the disk is full, the folder cannot be written, and the like. The file that
            stood at `path` before is then untouched.
    """
    path = Path(path)
    temp = temporary(path)
    try:
        try:
            with temp.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temp, path)
            fsync_path(path.parent)
        finally:
            temp.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error, again) from error


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a {type(value).__name__}")


def to_json(obj: Any) -> bytes:
    """JSON text. NumPy numbers become numbers, NumPy arrays lists (floats return exactly).

    Raises RunError for anything else that JSON cannot hold.
    """
    try:
        return (json.dumps(obj, indent=1, default=_plain) + "\n").encode()
    except (TypeError, ValueError) as error:
        raise RunError(
            f"JSON cannot hold this record: {error}. Use numbers, text, lists and dicts only."
        ) from error


def write_json_atomic(path: Path, obj: Any, again: str = "resume") -> None:
    """Write `obj` as JSON, whole or not at all. Raises RunError, as `write_atomic`."""
    text = to_json(obj)
    write_atomic(Path(path), lambda file: file.write(text), again)


def read_json(path: Path) -> Any:
    """What a JSON file holds. Raises RunError if it is missing, unreadable or damaged."""
    path = Path(path)
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise OSError(errno.EINVAL, "it is no file")
        return json.loads(path.read_bytes())
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"Cannot read '{path}': {reason}. Check the path of the run.") from error
    except (ValueError, RecursionError) as error:
        raise Damaged(f"'{path}' is damaged ({error}). Restore it from a backup.") from error


def sealed(record: dict[str, Any]) -> dict[str, Any]:
    """A record with the checksum of everything else that it says."""
    plain = json.loads(to_json({k: v for k, v in record.items() if k != SEAL}))
    return {**plain, SEAL: _digest(plain)}


def unsealed(
    path: Path, advice: str, version: str | None = None, reads: Sequence[int] = ()
) -> dict[str, Any]:
    """What a JSON file holds that `sealed` was written to; one of an older version has no seal.

    Args:
        path: the file.
        advice: the end of the message where it is damaged.
        version: the key of its version, whose newest of those that we can read has a seal.
        reads: those.

    Raises:
        Damaged: it is no such record, or not what was written.
        RunError: another version wrote it.
    """
    try:
        record = read_json(path)
    except RunError as error:
        what = "is damaged" if isinstance(error, Damaged) else "cannot be read"
        raise Damaged(f"'{path}' {what}. {advice}") from error
    if not isinstance(record, dict):
        raise Damaged(f"'{path}' is damaged (it holds no record). {advice}")
    number = None if version is None else record.get(version)
    if version is not None and type(number) is not int:
        raise Damaged(f"'{path}' is damaged (it names no {version}). {advice}")
    if version is not None and number not in reads:
        raise RunError(
            f"'{path}' has {version} {number}, this warmstart reads {max(reads)}. Use the version "
            f"of warmstart that wrote it{_writer(record)}."
        )
    if version is not None and number == max(reads) and SEAL not in record:
        raise Damaged(f"'{path}' is damaged (it has no checksum). {advice}")
    if SEAL in record and record.pop(SEAL) != _digest(record):
        raise Damaged(f"'{path}' is not what was written there: its checksum differs. {advice}")
    return record


def _writer(record: dict[str, Any]) -> str:
    found = record.get("versions")
    version = found.get("warmstart") if isinstance(found, dict) else None
    return f", {version}" if isinstance(version, str) else ""


def _digest(plain: dict[str, Any]) -> str:
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
