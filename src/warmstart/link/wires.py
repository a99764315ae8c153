"""A connection on which frames go both ways, in one thread and without waiting.

TLS allows no two threads on one connection, and two sides that both wait until all is sent wait for
ever; so nothing here blocks: `pump` sends and receives what is possible just now.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import time
from pathlib import Path
from typing import Any, NamedTuple

from warmstart.errors import RunError
from warmstart.link.frames import (
    HEAD,
    LIMIT,
    STRANGERS,
    Frame,
    Head,
    Refused,
    Torn,
    pack,
    read_head,
    unpack,
)
from warmstart.policy.server import is_loopback, require_long, tls_context

SILENT = 15.0
"""Seconds without a word after which a connection counts as cut; each side speaks every second."""
CHUNK = 262_144
ALIVE = pack("alive")
OTHER_NAME = (62, 64)
"""OpenSSL's codes for a certificate of another host, by name and by number."""


class Cut(RunError):
    """The connection is over; it may be made again."""


class Wire:
    """One connection.

    Args:
        raw: connected, plain or wrapped for TLS without its handshake.
        limit: bytes of the largest frame that is taken once the other side is known.

    Attributes:
        known: whether the other side has shown who it is; before that, small frames alone are
            taken.
        heard: when it last said something, by the monotonic clock.
    """

    def __init__(self, raw: socket.socket, limit: int = LIMIT) -> None:
        raw.setblocking(False)
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._raw, self._limit = raw, limit
        self._greets = isinstance(raw, ssl.SSLSocket)
        self._out, self._in = bytearray(), bytearray()
        self._head: Head | None = None
        self._wait = selectors.EVENT_READ
        self._selector = selectors.DefaultSelector()
        self._selector.register(raw, selectors.EVENT_READ)
        self.known: bool = False
        self.heard: float = time.monotonic()
        self._spoke = 0.0
        self._ended = False

    @property
    def backlog(self) -> int:
        """Bytes that wait to be sent."""
        return len(self._out)

    def put(self, frame: bytes) -> None:
        """Send these bytes as soon as that is possible."""
        self._out += frame

    def pump(self, seconds: float, read: bool = True) -> list[Frame]:
        """Wait at most so long for something to do, and do it; the frames that came.

        `read` False takes nothing from the other side, which then waits.

        Raises:
            Cut: the other side is gone, or has been silent for long.
            Torn, Refused: what it sends is no frame, or a frame that is too large.
        """
        pending = read and isinstance(self._raw, ssl.SSLSocket) and self._raw.pending() > 0
        wanted = self._wait if self._greets else 0
        if not self._greets:
            wanted = (selectors.EVENT_READ if read else 0) | (
                selectors.EVENT_WRITE if self._out else 0
            )
        if wanted:
            self._selector.modify(self._raw, wanted)
            self._selector.select(0.0 if pending else seconds)
        else:
            time.sleep(seconds)
        try:
            if self._greets and not self._greeted():
                self._require_life()
                return []
            self._send()
            if read:
                self._receive()
        except ssl.SSLCertVerificationError as error:
            raise Refused(_not_trusted(error)) from error
        except OSError as error:  # of TLS too
            raise Cut(f"the connection broke off ({_reason(error)})") from error
        frames = self._frames()
        if read and self._ended and not frames:
            if self._in:
                raise Torn("the connection ended in the middle of a message")
            raise Cut("the other side has hung up")
        if read:
            self._require_life()
        return frames

    def say_if_silent(self) -> None:
        """Where nothing was sent for a second, say that there is life."""
        if time.monotonic() - self._spoke > 1.0 and not self._out:
            self.put(ALIVE)

    def flush(self, seconds: float) -> None:
        """Send what waits, within so many seconds; what does not get away then is dropped."""
        until = time.monotonic() + seconds
        with contextlib.suppress(RunError):
            while self._out and time.monotonic() < until:
                self.pump(0.05, read=False)

    def close(self) -> None:
        """Hang up."""
        self._selector.close()
        with contextlib.suppress(OSError):
            self._raw.close()

    def _greeted(self) -> bool:
        """One more word of the TLS handshake; whether it is over."""
        assert isinstance(self._raw, ssl.SSLSocket)
        try:
            self._raw.do_handshake()
        except ssl.SSLWantReadError:
            self._wait = selectors.EVENT_READ
            return False
        except ssl.SSLWantWriteError:
            self._wait = selectors.EVENT_WRITE
            return False
        self._greets = False
        return True

    def _send(self) -> None:
        while self._out:
            try:
                sent = self._raw.send(memoryview(self._out)[:CHUNK].tobytes())
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            del self._out[:sent]
            self._spoke = time.monotonic()

    def _receive(self) -> None:
        for _ in range(64):
            try:
                held = self._raw.recv(CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            if not held:
                self._ended = True  # what came before it is heard first
                return
            self._in += held
            self.heard = time.monotonic()

    def _frames(self) -> list[Frame]:
        found: list[Frame] = []
        while True:
            if self._head is None and len(self._in) >= HEAD.size:
                limit = self._limit if self.known else min(STRANGERS, self._limit)
                self._head = read_head(bytes(self._in[: HEAD.size]), limit)
            if self._head is None or len(self._in) < HEAD.size + self._head.size:
                return found
            end = HEAD.size + self._head.size
            found.append(unpack(self._head, bytes(self._in[HEAD.size : end])))
            del self._in[:end]
            self._head = None
            if not self.known:
                return found  # whoever hears it says first whether more is taken

    def _require_life(self) -> None:
        if time.monotonic() - self.heard > SILENT:
            raise Cut(f"nothing was heard for {SILENT:.0f} seconds")


def _not_trusted(error: ssl.SSLCertVerificationError) -> str:
    why = error.verify_message.rstrip(".")
    said = f"the learner's certificate is not trusted here ({why}); "
    if error.verify_code in OTHER_NAME:
        return f"{said}--connect to a name that stands in it, or make one for this host"
    return f"{said}give it, or its authority's, with --cafile"


def _reason(error: OSError) -> str:
    return " ".join(str(error.strerror or error).split())


def address_of(text: str, option: str) -> tuple[str, int]:
    """HOST:PORT, or [HOST]:PORT. Raises RunError, which names `option`."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or not int(port) < 65_536:
        raise RunError(f"'{text}' is no address; give one as in {option} 127.0.0.1:8200")
    return host, int(port)


def resolved(host: str, port: int, option: str) -> tuple[socket.AddressFamily, Any, bool]:
    """Family and address of a host, and whether only this machine reaches it. Raises RunError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RunError(f"there is no host '{host}' ({error}); give another {option}") from error
    family, _, _, _, address = found[0]
    return family, address, is_loopback(address)


class Place(NamedTuple):
    """Where one may listen, and in which way.

    Attributes:
        said: HOST:PORT, as it was given.
        host, family, at: the same, resolved.
        tls: None: plain TCP.
    """

    said: str
    host: str
    family: socket.AddressFamily
    at: Any
    tls: ssl.SSLContext | None

    def open(self, option: str) -> socket.socket:
        """Listen there. Raises RunError, which names `option`."""
        listener = socket.socket(self.family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(self.at)
            listener.listen(128)
        except OSError as error:
            listener.close()
            raise RunError(
                f"cannot listen on {self.said}: {error.strerror or error}; choose another port "
                f"with {option}"
            ) from error
        return listener


def place_of(
    said: str, option: str, token: str, certfile: Path | str | None, keyfile: Path | str | None
) -> Place:
    """Where the link may be listened for: with a token, and others than this machine by TLS alone.

    Raises RunError, which names `option`.
    """
    require_long(token)
    host, port = address_of(said, option)
    family, at, local = resolved(host, port, option)
    if not local and certfile is None:
        raise RunError(
            f"others than this machine reach {host}, and the link to a robot is not for "
            "everybody: give --certfile (and --keyfile), or listen on 127.0.0.1"
        )
    key = None if keyfile is None else Path(keyfile)
    tls = None if certfile is None else tls_context(Path(certfile), key)
    return Place(said, host, family, at, tls)


def trusting(cafile: Path | None) -> ssl.SSLContext:
    """To speak TLS as a client that believes `cafile`, or else this system's authorities.

    Raises RunError for a file that holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=cafile)
    except (OSError, ValueError) as error:
        raise RunError(
            f"'{cafile}' holds no certificate ({error}); give the learner's one, or its "
            "authority's, in PEM form with --cafile"
        ) from error
