"""Connections that have not shown yet who they are: heard, and none of them for long."""

from __future__ import annotations

import hmac
import logging
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from warmstart.files.machine import versions
from warmstart.link.frames import PROTOCOL, UNREADABLE, Frame, Refused, Torn, pack
from warmstart.link.spaces import difference
from warmstart.link.wires import Cut, Wire

LOG = logging.getLogger("warmstart")
GUESTS, GREETING = 32, 5.0
"""How many may be about to greet, and in how many seconds they have to."""


@dataclass
class Guest:
    """A connection, since when, and its greeting once it is there."""

    wire: Wire
    since: float
    hello: Frame | None = None


class Greeter:
    """Takes connections and hears their greetings, in the thread of whoever calls `hear`.

    Silence keeps nobody out: for a newcomer without a place the one goes that has said nothing for
    the longest time. Whoever comes speaks at once.

    Args:
        listener: of the connections.
        tls: what they speak; None: plain TCP.
        token: what a greeting has to show.
        interface: the spaces that it has to name, as `spaces.slim` says them.
        limit: bytes of the largest frame of those who are let in.
        who: listens, for messages.
    """

    def __init__(
        self,
        listener: socket.socket,
        tls: ssl.SSLContext | None,
        token: str,
        interface: dict[str, Any],
        limit: int,
        who: str = "learner",
    ) -> None:
        self._who = who
        self._listener, self._tls, self._token = listener, tls, token.encode()
        self._interface, self._limit = interface, limit
        listener.setblocking(False)
        self._guests: list[Guest] = []

    def hear(self, let_in: Callable[[Wire, Frame], bool]) -> None:
        """Take who comes, and hear those who are here.

        `let_in(wire, greeting)` takes over a connection whose greeting fits, or says False where it
        has to wait. It raises Refused for one that is not welcome.
        """
        with suppress(OSError):
            for _ in range(GUESTS):
                self._accept()
        guests, self._guests = self._guests, []
        for guest in guests:
            if self._stays(guest, let_in):
                self._guests.append(guest)

    def close(self) -> None:
        """Hang up on all who wait, and listen no more."""
        for guest in self._guests:
            guest.wire.close()
        self._guests = []
        self._listener.close()

    def _accept(self) -> None:
        """The next connection. Raises OSError: there is none."""
        raw, _ = self._listener.accept()
        if self._tls is not None:
            raw = self._tls.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        self._guests.append(Guest(Wire(raw, self._limit), time.monotonic()))
        if len(self._guests) > GUESTS:
            silent = next(guest for guest in self._guests if guest.hello is None)
            self._guests.remove(silent)
            silent.wire.close()

    def _stays(self, guest: Guest, let_in: Callable[[Wire, Frame], bool]) -> bool:
        wire = guest.wire
        try:
            if guest.hello is None and (frames := wire.pump(0.0)):
                guest.hello = frames[0]
            if guest.hello is not None:
                self._require_fitting(guest.hello)
                return not let_in(wire, guest.hello)
        except Refused as error:
            LOG.warning("An actor was refused: %s.", str(error).rstrip("."))
            wire.put(pack("refused", {"why": str(error)}))
            wire.flush(1.0)
            wire.close()
            return False
        except (Cut, Torn, *UNREADABLE) as error:
            LOG.debug("A guest left, or its greeting cannot be read: %r", error)
            wire.close()
            return False
        if time.monotonic() - guest.since > GREETING:
            wire.close()
            return False
        return True

    def _require_fitting(self, hello: Frame) -> None:
        """Refuse (Refused) another token, version or robot."""
        told = hello.told
        shown = told.get("token")
        if hello.kind != "hello" or not hmac.compare_digest(
            (shown if isinstance(shown, str) else "").encode(errors="backslashreplace"), self._token
        ):
            raise Refused(f"the token is not the {self._who}'s; give the same one to both")
        here = versions()["warmstart"]
        if (there := told.get("warmstart")) != here or told.get("protocol") != PROTOCOL:
            raise Refused(
                f"the actor has warmstart {there}, the {self._who} {here}; install the same version"
                " on both"
            )
        differs = difference(self._interface, told.get("interface") or {})
        if differs is not None:
            raise Refused(
                f"the actor's environment is not the {self._who}'s ({differs}: there is the "
                "actor); let both name the same environment"
            )
