"""What a metric line is, and the file of them as it stands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from warmstart.files.durable import Damaged

KINDS = ("train", "eval", "diagnose", "episode", "phase", "warning")
PHASES = ("pretrain", "online")
TAGS = ("curve", "pretrained", "switch", "final", "frozen")
_WHOLE = (int,)
_KEYS: dict[str, tuple[type, ...]] = {
    "kind": (str,), "seed": (int, type(None)), "phase": (str,), "stage": _WHOLE,
    "updates": _WHOLE, "env_steps": _WHOLE, "wall": (int, float), "values": (dict,),
}  # fmt: skip
"""What every line has, and of which type."""

MOVE = (
    "Restore it from a backup, or move it away: a run then goes on and its page has what comes "
    "later; its policies need no metrics (warmstart evaluate)."
)


def check_line(record: Any) -> None:
    """ValueError where this is no metric line as `Recorder.write` has them."""
    if not isinstance(record, dict):
        raise ValueError("not an object")
    for key, kinds in _KEYS.items():
        if type(record.get(key)) not in kinds:
            raise ValueError(f"{key} is {str(record.get(key))[:40]!r}")
    for key, known in (("kind", KINDS), ("phase", PHASES)):
        if record[key] not in known:
            raise ValueError(f"{key} is '{record[key][:40]}'")
    if record["kind"] == "eval" and record.get("tag") not in TAGS:
        raise ValueError(f"tag is {str(record.get('tag'))[:40]!r}")
    values = record["values"]
    if record["kind"] == "warning":
        if not all(isinstance(values.get(key), str) for key in ("name", "text")):
            raise ValueError("a warning without its text")
    elif record["kind"] != "phase":
        for key, value in values.items():
            if not _is_number(value) and not (
                isinstance(value, list) and all(map(_is_number, value))
            ):
                raise ValueError(f"{key} is {str(value)[:40]!r}")


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float))


def whole_lines(path: Path) -> int:
    """Bytes up to and with the last newline."""
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - 65536)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


def bytes_of(path: Path) -> bytes:
    """All that the file holds; nothing where there is none. Raises Damaged where it is no file."""
    if not os.path.lexists(path):
        return b""
    try:
        if path.is_file():
            return path.read_bytes()
        reason = "it is no file"
    except OSError as error:
        reason = error.strerror or str(error)
    raise Damaged(f"'{path}' cannot be read: {reason}. {MOVE}")
