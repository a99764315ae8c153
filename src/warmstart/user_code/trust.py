"""Which code of somebody's own may run: docs/trust.md.

A Python file or module runs where the user named it, on this command line or in this process
(`name_code`), or where he began a run with it on this machine, as long as it has the same bytes
(`remember`, in a folder of the user's own and outside of every run). What else a file names is
refused (`require_trusted`) before anything of it is imported.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from warmstart.errors import RunError
from warmstart.files.durable import read_json, write_json_atomic
from warmstart.user_code.imports import imported_beside

LOG = logging.getLogger("warmstart")
_NESTED = re.compile(r"[\w./\\~-]+:[\w./-]+")
"""An id that an environment may import when it is handed one, as in `my_package:Arm-v0`."""
_NAMED: set[str] = set()


class UntrustedCode(RunError):
    """A file that was read names code that the user did not."""


def whole_name(code: str) -> str:
    """A file by its full path; a module by its name."""
    try:
        return str(Path(code).expanduser().resolve()) if code.endswith(".py") else code
    except (OSError, ValueError, RuntimeError):  # no name that a file can have
        return code


def code_of(env_id: str | None, env_kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    """What is imported to open an environment: files by their paths, modules by their names.

    An environment can be handed another one's id, so the texts among its arguments count too.
    """
    codes = [(env_id or "").rpartition(":")[0]]
    codes += [text.rpartition(":")[0] for text in _texts(env_kwargs) if _NESTED.fullmatch(text)]
    return tuple(dict.fromkeys(whole_name(code) for code in codes if code))


def name_code(codes: Iterable[str]) -> None:
    """The user says himself, in this process, that these files and modules may run."""
    _NAMED.update(map(whole_name, codes))


def require_trusted(codes: Iterable[str]) -> None:
    """Refuse what was neither named nor remembered and would run if it were imported.

    Raises UntrustedCode, whose sentence names the file and how to allow it.
    """
    for code in map(whole_name, codes):
        if code in _NAMED or code in sys.modules:
            continue
        mark = fingerprint(code)
        if mark is not None and not _is_remembered(code, mark):
            raise UntrustedCode(
                f"this would run the code of '{code}', which was neither named here nor had these "
                "bytes, with the files beside it that it imports, when you began a run with it on "
                f"this machine: read it, and where you trust it allow it with --allow-code {code} "
                f"(in Python allow_code=['{code}'])"
            )


def remember(codes: Iterable[str]) -> None:
    """Trust these files and modules from now on, as they are. Where the user's own folder cannot
    be written, the log says so: then they have to be named again."""
    for code in map(whole_name, codes):
        mark = fingerprint(code)
        if mark is None or _is_remembered(code, mark):
            continue
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        path = _record(code, mark)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json_atomic(path, {"code": code, "sha256": mark, "when": now})
        except (OSError, RunError) as error:
            LOG.warning(
                "That you trust '%s' could not be noted (%s); resume and evaluate will ask for "
                "--allow-code.",
                code,
                " ".join(str(error).split()),
            )


def fingerprint(code: str) -> str | None:
    """sha256 of what an import of this would run; None where there is nothing to run.

    Nothing is imported to find out. Of a module inside packages, those count too, and so does what
    it imports from its own folder: `imported_beside`.

    Raises RunError where a file cannot be read.
    """
    if code.endswith(".py"):
        path = Path(code)
        return _sum([path, *imported_beside([path], path.parent)]) if path.is_file() else None
    files: list[Path] = []
    spec: ModuleSpec | None = None
    for depth, part in enumerate(code.split(".")):
        try:
            if depth == 0:
                # As an import will look for it: where Python looks, then in the working folder.
                spec = importlib.util.find_spec(part) or PathFinder.find_spec(part, [os.getcwd()])
            else:
                below = spec.submodule_search_locations if spec is not None else None
                whole = ".".join(code.split(".")[: depth + 1])
                spec = None if below is None else PathFinder.find_spec(whole, list(below))
        except (ImportError, ValueError, AttributeError, OSError):
            spec = None
        if spec is None:
            break
        files += [Path(spec.origin)] if spec.has_location and spec.origin else []
    if not files:
        return None
    root = files[0].parent.parent if files[0].name.startswith("__init__.") else files[0].parent
    return _sum([*files, *imported_beside(files, root)])


def _sum(files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        try:
            total.update(path.read_bytes())
        except OSError as error:
            reason = error.strerror or error
            raise RunError(f"cannot read '{path}': {reason}; fix that, then try again") from error
    return total.hexdigest()


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _record(code: str, mark: str) -> Path:
    """The note on one file with one content: nothing is ever changed, so no two writers meet."""
    chosen = os.environ.get("WARMSTART_STATE")
    folder = Path(chosen).expanduser() if chosen else user_state_path("warmstart", appauthor=False)
    name = hashlib.sha256(f"{code}\n{mark}".encode()).hexdigest()[:32]
    return folder / "trusted" / f"{name}.json"


def _is_remembered(code: str, mark: str) -> bool:
    path = _record(code, mark)
    try:
        note = read_json(path) if path.is_file() else None
    except (OSError, RunError):
        return False
    return isinstance(note, dict) and (note.get("code"), note.get("sha256")) == (code, mark)
