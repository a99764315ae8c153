"""One message between actor and learner, on the wire and on disk alike.

A frame is a head (a mark, the version, two lengths, a CRC-32), a JSON object, and NPY files of
numbers behind it. Nothing in it is code, and sizes are looked at before room is made for them.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from warmstart.errors import RunError
from warmstart.policy.wire import BadRequest, read_npy, write_npy

MARK, PROTOCOL = b"WSL", 1
HEAD = struct.Struct("<3sBIII")
"""Mark, version, bytes of JSON, bytes of arrays, CRC-32 of both."""
LIMIT = 256_000_000
"""Bytes of a frame, where nobody says otherwise: weights of large networks."""
UNREADABLE = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)
"""What a message that says something else than it should may raise where it is read."""
STRANGERS = 65_536
"""Bytes of a frame of whom we do not know yet."""


class Torn(RunError):
    """Bytes that are no whole frame: a connection is given up, the end of a log cut off."""


class Refused(RunError):
    """The other side does not fit, or says that we do not; trying again would not help."""


class Frame(NamedTuple):
    """A message: its kind, plain values, and arrays by name."""

    kind: str
    told: dict[str, Any]
    arrays: dict[str, np.ndarray]


class Head(NamedTuple):
    """What the first bytes say of the rest."""

    text: int
    body: int
    crc: int

    @property
    def size(self) -> int:
        """Bytes behind the head."""
        return self.text + self.body


def pack(
    kind: str,
    told: Mapping[str, Any] | None = None,
    arrays: Mapping[str, np.ndarray] | None = None,
) -> bytes:
    """A frame as bytes; `told` is what JSON can hold."""
    files = {name: write_npy(np.asarray(array)) for name, array in (arrays or {}).items()}
    sizes = [[name, len(file)] for name, file in files.items()]
    record = {"kind": kind, "told": dict(told or {}), "arrays": sizes}
    text = json.dumps(record, separators=(",", ":"), allow_nan=False).encode()
    body = b"".join(files.values())
    crc = zlib.crc32(body, zlib.crc32(text))
    return HEAD.pack(MARK, PROTOCOL, len(text), len(body), crc) + text + body


def read_head(held: bytes, limit: int = LIMIT) -> Head:
    """What a frame's first `HEAD.size` bytes say.

    Raises:
        Torn: they begin no frame.
        Refused: another version, or a frame that is larger than `limit`.
    """
    mark, version, text, body, crc = HEAD.unpack(held[: HEAD.size])
    if mark != MARK:
        raise Torn("the other side speaks something else than the link between actor and learner")
    if version != PROTOCOL:
        raise Refused(
            f"the other side speaks version {version} of the link, this one {PROTOCOL}; install "
            "the same version of warmstart on both"
        )
    if text + body > limit:
        raise Refused(
            f"a message of {text + body:,} bytes is larger than the {limit:,} that are taken; give "
            "more with --most-mb, or smaller networks and observations"
        )
    return Head(text, body, crc)


def unpack(head: Head, held: bytes) -> Frame:
    """The frame of a head and the bytes behind it. Raises Torn where they are not what was sent."""
    if len(held) != head.size or zlib.crc32(held) != head.crc:
        raise Torn("a message is not what was sent: its checksum differs")
    try:
        record = json.loads(held[: head.text])
        kind, told, sizes = record["kind"], record["told"], record["arrays"]
        if not isinstance(kind, str) or not isinstance(told, dict):
            raise ValueError("it has no kind")
        arrays, at = {}, head.text
        for name, size in sizes:
            if type(size) is not int or not 0 <= size <= len(held) - at:
                raise ValueError("its arrays are cut")
            arrays[str(name)] = read_npy(held[at : at + size])
            at += size
    except (ValueError, TypeError, KeyError, RecursionError, BadRequest) as error:
        raise Torn(f"a message cannot be read ({error})") from error
    return Frame(kind, told, arrays)


def frame_at(held: bytes, at: int, limit: int = LIMIT) -> tuple[Frame, int]:
    """The frame that begins at a place, and where it ends. Raises Torn, and as `read_head`."""
    if at + HEAD.size > len(held):
        raise Torn("it is cut")
    head = read_head(held[at : at + HEAD.size], limit)
    end = at + HEAD.size + head.size
    return unpack(head, held[at + HEAD.size : end]), end
