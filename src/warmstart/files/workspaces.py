"""Hidden folders in which something is made, each held by one process at a time.

A lock inside says who holds a workspace; the lock of a dead process opens by itself. So what lies
in a workspace that nobody holds was left by a killed process.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import lock_descriptor

from warmstart.files.durable import cannot_write, is_temporary, make_folder

_LOCK = "lock"


@contextmanager
def locked(workspace: Path, again: str = "try again") -> Iterator[None]:
    """Make the folder `workspace` and wait until no other process (or thread) holds it.

    Half-written files of killed processes are swept; whole ones stay.

    Raises:
        RunError: it cannot be written; `again` ends the sentence, see `cannot_write`.
    """
    handle = None
    while handle is None:
        make_folder(workspace, again)
        try:
            handle = _lock(workspace, wait=True)
        except OSError as error:
            raise cannot_write(workspace, error, again) from error
    try:
        for path in workspace.glob(".*"):
            if is_temporary(path):
                path.unlink(missing_ok=True)
        yield
    finally:
        os.close(handle)


@contextmanager
def scratch(workspace: Path, again: str = "try again") -> Iterator[Path]:
    """An empty folder on the workspace, which is held meanwhile and gone afterwards.

    Whatever a killed process left on the workspace goes first.

    Raises:
        RunError: as `hold`.
        OSError: the folder cannot be made.
    """
    with locked(workspace, again):
        try:
            _empty(workspace)
            room = workspace / "room"
            room.mkdir()
            yield room
        finally:
            clear(workspace)


def clear(workspace: Path) -> None:
    """Remove a workspace that this process holds, as far as that can be done."""
    _empty(workspace)
    # The lock goes after everything else: who comes now finds nothing that would be deleted.
    with contextlib.suppress(OSError):
        (workspace / _LOCK).unlink()
        workspace.rmdir()


def sweep(workspace: Path) -> None:
    """Remove the workspace where nobody holds it; else do nothing, and never wait."""
    if not workspace.is_dir():
        return
    with contextlib.suppress(OSError):
        handle = _lock(workspace, wait=False)
        if handle is not None:
            try:
                clear(workspace)
            finally:
                os.close(handle)


def _lock(workspace: Path, wait: bool) -> int | None:
    """The open lock; None: it is held (where we do not wait), or it went away meanwhile.

    OSError: it cannot be taken.
    """
    try:
        handle = os.open(workspace / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except FileNotFoundError:
        return None
    try:
        taken = lock_descriptor(handle, blocking=wait)
        if taken and os.path.samestat(os.fstat(handle), os.stat(workspace / _LOCK)):
            return handle
    except FileNotFoundError:
        pass
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None


def _empty(workspace: Path) -> None:
    for path in workspace.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != _LOCK:
            with contextlib.suppress(OSError):
                path.unlink()
