"""The folder of a run: `run.json` says what it is, `finished.json` that it is over.

`run.json` is written whole or not at all, and again only where the run is declared longer. A lock
keeps two processes from writing one run; the lock of a dead process opens by itself.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import lock_descriptor

from warmstart.errors import RunError, typed
from warmstart.files.durable import (
    Damaged,
    cannot_write,
    entries,
    make_folder,
    sealed,
    unsealed,
    write_json_atomic,
)
from warmstart.files.machine import git_commit, versions
from warmstart.runs.facts import odd_fact
from warmstart.runs.records import METRICS

FORMAT = 3
LONGEST_NAME = 200
_PLAIN = re.compile(
    r"(?!(con|prn|aux|nul|com\d|lpt\d)(\.|$))(?![-~ ])(?!\.+$)[^/\\<>:\"|?*]*[^/\\<>:\"|?*. ]", re.I
)
"""A folder's name that every system takes and that no command reads as something else."""
READS = (1, 2, 3)
"""Format 1 had neither a checksum nor an `id`; until 3 a preset was called a family."""


def create_run(root: Path, name: str | None, config: dict[str, Any]) -> Path:
    """Make the folder `root/name` and its `run.json`.

    Args:
        root: created if need be.
        name: None takes `<method>-<task>-<date>-<time>` from the config, with a number behind if
            that is taken.
        config: what JSON can hold; `run.json` is these keys, plus `format`, `id`, `created`,
            `commit`, `versions` and `checksum`.

    Raises:
        RunError: if the folder holds something already or cannot be written, or if JSON cannot
            hold the config.
    """
    root, now = Path(root), datetime.now().astimezone()
    record = {
        **config,
        "format": FORMAT,
        "id": uuid4().hex,
        "created": now.isoformat(timespec="seconds"),
        "commit": git_commit(),
        "versions": versions(),
    }
    record = sealed(record)  # refused before there is a folder
    _plain_name(root, name)
    make_folder(root)
    there = name is not None and (root / name).exists()
    path = _fresh(root, config, now) if name is None else _named(root, name)
    try:
        write_json_atomic(path / "run.json", record)
    except BaseException:
        with contextlib.suppress(OSError):  # there was nothing in it
            (path / "run.json").unlink(missing_ok=True)
            if not there:
                path.rmdir()
        raise
    return path


def as_folder(folder: Any) -> Path:
    """The folder of a run, or of runs, as Python users name it. Raises RunError for no path."""
    try:
        path = Path(folder)
        path.exists()
        return path
    except (OSError, ValueError) as error:  # too long, or letters that no path has
        reason = getattr(error, "strerror", None) or error
        raise RunError(f"{str(folder)[:60]!r} cannot be a folder ({reason}); check it") from error
    except TypeError:
        raise RunError(
            f"the folder of a run is a path, not {folder!r}; give the one that the run's `folder` "
            "says, or `warmstart run` named at its start"
        ) from None


def read_run(path: Path) -> dict[str, Any]:
    """What `run.json` says. Raises RunError if this is no run, damaged, or of another format."""
    path = Path(path)
    if not (path / "run.json").is_file():
        what = "is not a run folder (no run.json in it)" if path.is_dir() else "does not exist"
        what = "is a file, and no run folder" if path.is_file() else what
        raise RunError(f"'{path}' {what}. Give the folder that `warmstart run` named at its start.")
    advice = (
        "Restore it from a backup or another copy of the run; the policies in "
        f"'{path}/policies' act without it (warmstart.actor)."
    )
    record = _renewed(unsealed(path / "run.json", advice, "format", READS))
    if odd := odd_fact(record):
        raise Damaged(f"'{path / 'run.json'}' is damaged ({odd}). {advice}")
    return record


def _renewed(record: dict[str, Any]) -> dict[str, Any]:
    """A `run.json` of before in today's words."""
    if record["format"] >= 3:
        return record
    facts = record.get("task_facts")
    for holder in (record, facts):
        if isinstance(holder, dict) and "family" in holder:
            holder["preset"] = holder.pop("family")
    if isinstance(command := record.get("command"), str):
        record["command"] = command.replace(" --family ", " --preset ")
    return record


def open_run(path: Path) -> dict[str, Any]:
    """`read_run`, for going on: raises RunError also if the run is finished."""
    record = read_run(path)
    if is_finished(path):
        raise RunError(
            f"The run in '{path}' is finished; there is nothing to continue. Give it more steps "
            f"({typed('resume', path)} --steps N), make a report of it, or start a new run."
        )
    return record


def extend_run(path: Path, record: dict[str, Any]) -> None:
    """Write a run's `run.json` again, as a longer run that is not finished. Raises RunError."""
    with RunLock(path):
        try:
            # Killed in between it is a run to finish, which it is at once.
            (Path(path) / "finished.json").unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(path, error) from error
        write_json_atomic(Path(path) / "run.json", sealed(record))


def finish_run(path: Path, summary: dict[str, Any]) -> None:
    """Mark a run as finished, with what is to be remembered of its end. Raises RunError."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    record = {"finished": now, **summary, "run": read_run(path).get("id")}
    write_json_atomic(Path(path) / "finished.json", sealed(record))


def read_finished(path: Path) -> dict[str, Any]:
    """What `finish_run` remembered. Raises RunError if it is damaged, or another run's."""
    file = Path(path) / "finished.json"
    advice = f"Remove this file, and have it written again: {typed('resume', path)}"
    record = unsealed(file, f"{advice}.")
    if record.get("run") not in (None, read_run(path).get("id")):
        raise Damaged(f"'{file}' is another run's. {advice}.")
    told = record.get("metrics")
    sums = isinstance(told, dict) and [type(told.get(key)) for key in ("bytes", "crc32")]
    if told is not None and sums != [int, int]:
        raise Damaged(f"'{file}' is damaged (metrics). {advice}.")
    return record


def is_finished(path: Path) -> bool:
    """Whether `finish_run` was called."""
    return (Path(path) / "finished.json").is_file()


class RunLock:
    """`with RunLock(path):` makes this process the only writer of a run.

    Raises:
        RunError: if another process (or another lock in this one) writes the run, if the folder
            cannot be written, or if a link in it leads somewhere else.
    """

    def __init__(self, path: Path) -> None:
        self.path: Path = Path(path) / "lock"
        self._handle: int | None = None

    def __enter__(self) -> RunLock:
        _require_own(self.path.parent)
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        try:
            ours = lock_descriptor(handle, blocking=False)
        except OSError as error:
            os.close(handle)
            raise cannot_write(self.path, error) from error
        if not ours or not os.fstat(handle).st_nlink:  # taken away by its last holder, below
            owner = _owner(handle)
            os.close(handle)
            raise RunError(
                f"The run in '{self.path.parent}' is being written by {owner}. Wait for it or "
                "stop it first."
            )
        new = not os.fstat(handle).st_size
        try:
            os.ftruncate(handle, 0)
            os.write(handle, f"\nprocess {os.getpid()} on {socket.gethostname()}\n".encode())
        except OSError as error:
            if new:
                self.path.unlink(missing_ok=True)
            os.close(handle)
            raise cannot_write(self.path, error) from error
        self._handle = handle
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


_WRITTEN = ("lock", METRICS, "checkpoints", "pretrained", "replay", "policies", "tensorboard")
_WRITTEN += ("videos", "policies/*", "policies/*/*")


def _require_own(folder: Path) -> None:
    """Refuse (RunError) a run that would write behind a link: somebody else's files, maybe."""
    for path in (path for name in _WRITTEN for path in sorted(folder.glob(name))):
        if path.is_symlink():
            raise RunError(
                f"'{path}' is a link to '{os.readlink(path)}', and a run writes inside its own "
                "folder alone. Put what it leads to in its place, or move the whole run and link "
                "its folder."
            )


def _owner(handle: int) -> str:
    """Who holds the lock, as its holder wrote it."""
    os.lseek(handle, 1, os.SEEK_SET)  # on Windows nobody else reads the byte that is locked
    return os.read(handle, 200).decode(errors="replace").strip() or "another process"


def _plain_name(root: Path, name: str | None) -> None:
    """Refuse (RunError) a name that is none of a folder inside the root."""
    if name is None:
        return
    if not isinstance(name, str) or not _PLAIN.fullmatch(name) or not name.isprintable():
        raise RunError(
            f"a run cannot have the name {name!r}: it is one folder in '{root}', on any system. "
            "Give a plain name, and another folder to put it in with --root (in Python root=)."
        )
    if len(os.fsencode(name)) > LONGEST_NAME:
        raise RunError(
            f"the name '{name[:40]}...' has {len(name)} letters, too long for a folder. Give one "
            f"of at most {LONGEST_NAME}."
        )


def _named(root: Path, name: str) -> Path:
    path = root / name
    make_folder(path)
    if entries(path):
        raise RunError(
            f"'{path}' holds something already. Choose another name, or continue the run in it."
        )
    return path


def _fresh(root: Path, config: dict[str, Any], now: datetime) -> Path:
    parts = [str(config[key]) for key in ("method", "task") if key in config]
    stem = "-".join([re.sub(r"[^A-Za-z0-9_.]+", "-", part).strip("-.")[:80] for part in parts])
    stem = f"{stem or 'run'}-{now:%Y%m%d-%H%M%S}"
    number = 1
    while True:
        path = root / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
        except OSError as error:
            raise cannot_write(path, error) from error
        else:
            return path
