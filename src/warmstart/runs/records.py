"""The metric lines of a run.

`metrics.jsonl` is the one record of what happened; everything else that a person looks at
(TensorBoard events, summary, report) is derived from it. `docs/schema.md` describes each key.

A number that is not finite (NaN, +inf, -inf) is written as `null`: JSON has no such numbers, and
two runs that both diverged still compare equal, which NaN would not.
"""

from __future__ import annotations

import json
import logging
import math
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from warmstart.errors import RunError, did_you_mean
from warmstart.files.durable import Damaged, cannot_write
from warmstart.runs.lines import KINDS, MOVE, PHASES, TAGS, bytes_of, check_line, whole_lines

METRICS = "metrics.jsonl"

LOG = logging.getLogger("warmstart")

Record = dict[str, Any]
"""One metric line, as read back from JSON."""


class MetricWriter:
    """Appends metric lines to `folder/metrics.jsonl`, a whole number of lines at a time.

    Lines wait in memory until `flush`, `position`, `close`, or until `buffer` of them are there.
    A line that a killed process left half-written is removed when the file is opened again.

    Raises:
        RunError: the folder cannot be written (full disk, no permission).
    """

    def __init__(self, folder: Path, buffer: int = 256) -> None:
        self.path: Path = Path(folder) / METRICS
        self._buffer = buffer
        self._waiting: list[bytes] = []
        bytes_of(self.path)  # refuses what is no file before it is opened
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115 - closed by `close`
            self._end = whole_lines(self.path)
            self._file.truncate(self._end)
            self._sum = zlib.crc32(self.path.read_bytes())
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def write(
        self,
        kind: str,
        seed: int | None,
        phase: str,
        stage: int,
        updates: int,
        env_steps: int,
        wall: float,
        values: Mapping[str, Any],
        **extra: Any,
    ) -> None:
        """Take one metric line.

        Args:
            kind: one of `KINDS`.
            seed: the seed it belongs to; None for all of them.
            phase: "pretrain" or "online".
            stage: index of the stage inside the phase.
            updates: gradient steps so far in this phase.
            env_steps: environment steps so far, of this seed.
            wall: seconds since the run began.
            values: flat mapping to numbers, lists of numbers, or short strings.
            extra: further keys of the line, such as `tag` (kind "eval") or `name` and `event`
                (kind "phase").

        Raises:
            RunError: an unknown kind, phase or tag; a value that has no plain JSON form; or the
                disk is full.
        """
        _check("kind", kind, KINDS)
        _check("phase", phase, PHASES)
        if kind == "eval":
            _check("tag", extra.get("tag"), TAGS)
        line = {
            "kind": kind,
            "seed": None if seed is None else int(seed),
            "phase": phase,
            "stage": int(stage),
            "updates": int(updates),
            "env_steps": int(env_steps),
            "wall": round(float(wall), 3),
            **{key: _plain(key, value) for key, value in extra.items()},
            "values": {key: _plain(key, value) for key, value in values.items()},
        }
        text = json.dumps(line, separators=(",", ":"), allow_nan=False)
        self._waiting.append(text.encode() + b"\n")
        if len(self._waiting) >= self._buffer:
            self._push()

    def flush(self) -> None:
        """Bring every line to the disk itself (fsync)."""
        self._push()
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def position(self) -> int:
        """Byte offset behind the last line, after a flush: what a checkpoint remembers."""
        self.flush()
        return self._end

    @property
    def checksum(self) -> int:
        """CRC-32 of every byte before `position`: what a checkpoint remembers with it."""
        return self._sum

    def cut_back(self, offset: int, checksum: int | None = None) -> None:
        """Forget every line behind `offset`, a value that `position` gave.

        A file that somebody took away is begun again, which the log says. `checksum` is the
        property's value of then; None: not known.

        Raises:
            Damaged: the file is shorter than that or not what it was.
        """
        self._waiting.clear()
        if offset and not self._end:
            LOG.warning(
                "'%s' has no lines: what was measured until now is gone, and the run goes on "
                "without it.",
                self.path,
            )
            return
        kept = bytes_of(self.path)[: max(offset, 0)]
        if len(kept) != offset or (kept and not kept.endswith(b"\n")):
            raise Damaged(
                f"'{self.path}' cannot be cut back to byte {offset} of {self._end}, where its "
                f"checkpoint was taken: it was changed since. {MOVE}"
            )
        if checksum not in (None, zlib.crc32(kept)):
            raise Damaged(f"'{self.path}' is not what was written: its checksum differs. {MOVE}")
        try:
            self._file.truncate(offset)
            self._end, self._sum = offset, zlib.crc32(kept)
            os.fsync(self._file.fileno())
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def close(self) -> None:
        """Flush and close; writing afterwards is an error."""
        if not self._file.closed:
            try:
                self.flush()
            finally:
                self._file.close()

    def __enter__(self) -> MetricWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _push(self) -> None:
        data = b"".join(self._waiting)
        try:
            done = 0
            while done < len(data):
                done += self._file.write(data[done:]) or 0
        except OSError as error:
            # Part of a line may be on the disk: take it away, so that a later flush, once there
            # is room again, neither glues nor doubles lines.
            self._file.truncate(self._end)
            raise cannot_write(self.path, error) from error
        self._end += len(data)
        self._sum = zlib.crc32(data, self._sum)
        self._waiting.clear()


def read(folder: Path) -> list[Record]:
    """Every metric line of a run folder, oldest first; [] when nothing was written yet.

    A torn last line (the process was killed while it wrote) is passed over.

    Raises:
        RunError: the folder does not exist.
        Damaged: a line before the last is no metric line, or the file cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RunError(f"There is no run folder {folder}. Give the path that the run printed.")
    path = folder / METRICS
    lines = bytes_of(path).split(b"\n")
    records: list[Record] = []
    for number, line in enumerate(lines[:-1], start=1):
        try:
            record = json.loads(line)
            check_line(record)
        except (ValueError, RecursionError) as error:
            if number == len(lines) - 1:
                break
            raise Damaged(f"Line {number} of '{path}' is damaged ({error}). {MOVE}") from error
        records.append(record)
    return records


def require_written(folder: Path, size: int, checksum: int) -> None:
    """Refuse (Damaged) metric lines whose first `size` bytes are not what was written."""
    path = Path(folder) / METRICS
    kept = bytes_of(path)[:size]
    if len(kept) < size or zlib.crc32(kept) != checksum:
        raise Damaged(f"'{path}' is not what was written: its checksum differs. {MOVE}")


def mark(folder: Path) -> dict[str, int]:
    """Size and checksum of the metric lines of a run that is over."""
    path = Path(folder) / METRICS
    data = bytes_of(path)
    return {"bytes": len(data), "crc32": zlib.crc32(data)}


def carried_over(folder: Path, seeds: Sequence[int]) -> list[Record]:
    """The evaluation at the end of the pre-training of the run in `folder`, of each of `seeds`.

    A seed that was not evaluated there is left out. Raises RunError as `read`.
    """
    last = {
        record["seed"]: record
        for record in read(folder)
        if record["kind"] == "eval" and record.get("tag") == "pretrained"
    }
    return [last[seed] for seed in seeds if seed in last]


def comparable(records: Sequence[Record]) -> list[Record]:
    """The records without what depends on the machine's speed, for bit-by-bit comparison.

    Left out are the key `wall` and the values whose name ends in `_seconds` or `_per_second`.
    """
    return [
        {key: value for key, value in record.items() if key not in ("wall", "values")}
        | {
            "values": {
                key: value
                for key, value in record.get("values", {}).items()
                if not key.endswith(("_seconds", "_per_second"))
            }
        }
        for record in records
    ]


def _check(what: str, word: Any, known: Sequence[str]) -> None:
    if word not in known:
        raise RunError(f"'{word}' is no {what} of a metric line. {did_you_mean(str(word), known)}")


def _plain(key: str, value: Any) -> Any:
    """`value` as JSON can hold it: numbers, strings and lists of them."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_plain(key, item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(key, np.asarray(value).tolist())
    raise RunError(
        f"The value '{key}' of a metric line is a {type(value).__name__}, which has no plain JSON "
        "form. Give a number, a string, or a list of numbers."
    )
