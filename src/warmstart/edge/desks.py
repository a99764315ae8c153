"""Floor 7: hidden folders in which something is made, each held by one process at a time.

A lock inside says who holds a desk; the lock of a dead process opens by itself. So what lies on a
desk that nobody holds was left behind by a killed process.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import lock_descriptor

from warmstart.edge.durable import cannot_write, is_temporary, make_folder

_LOCK = "lock"


@contextmanager
def hold(desk: Path, again: str = "try again") -> Iterator[None]:
    """Make the folder `desk` and wait until no other process (or thread) holds it.

    Half-written files of killed processes are swept; whole ones stay.

    Raises:
        RunError: it cannot be written; `again` ends the sentence, see `cannot_write`.
    """
    handle = None
    while handle is None:
        make_folder(desk, again)
        try:
            handle = _lock(desk, wait=True)
        except OSError as error:
            raise cannot_write(desk, error, again) from error
    try:
        for path in desk.glob(".*"):
            if is_temporary(path):
                path.unlink(missing_ok=True)
        yield
    finally:
        os.close(handle)


@contextmanager
def scratch(desk: Path, again: str = "try again") -> Iterator[Path]:
    """An empty folder on the desk, which is held meanwhile and gone afterwards.

    Whatever a killed process left on the desk goes first.

    Raises:
        RunError: as `hold`.
        OSError: the folder cannot be made.
    """
    with hold(desk, again):
        try:
            _empty(desk)
            room = desk / "room"
            room.mkdir()
            yield room
        finally:
            clear(desk)


def clear(desk: Path) -> None:
    """Remove a desk that this process holds, as far as that can be done."""
    _empty(desk)
    # The lock goes after everything else: who comes now finds nothing that would be deleted.
    with contextlib.suppress(OSError):
        (desk / _LOCK).unlink()
        desk.rmdir()


def sweep(desk: Path) -> None:
    """Remove the desk where nobody holds it; else do nothing, and never wait."""
    if not desk.is_dir():
        return
    with contextlib.suppress(OSError):
        handle = _lock(desk, wait=False)
        if handle is not None:
            try:
                clear(desk)
            finally:
                os.close(handle)


def _lock(desk: Path, wait: bool) -> int | None:
    """The open lock; None: it is held (where we do not wait), or it went away meanwhile.

    OSError: it cannot be taken.
    """
    try:
        handle = os.open(desk / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except FileNotFoundError:
        return None
    try:
        taken = lock_descriptor(handle, blocking=wait)
        if taken and os.path.samestat(os.fstat(handle), os.stat(desk / _LOCK)):
            return handle
    except FileNotFoundError:
        pass
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None


def _empty(desk: Path) -> None:
    for path in desk.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != _LOCK:
            with contextlib.suppress(OSError):
                path.unlink()
