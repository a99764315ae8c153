"""The robot's side of the link, in a thread of its own: no tick ever waits for it."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

from warmstart.errors import RunError
from warmstart.files.machine import versions
from warmstart.link.acting import Acting, keep_weights, weights_of
from warmstart.link.frames import LIMIT, PROTOCOL, UNREADABLE, Frame, Refused, Torn, pack
from warmstart.link.identity import Identity
from warmstart.link.spaces import slim
from warmstart.link.steplog import StepLog
from warmstart.link.wires import CHUNK, Cut, Wire

LOG = logging.getLogger("warmstart")
PATIENCE = 30.0
"""Seconds in which a learner answers a greeting: it may be compiling."""
LONGEST_PAUSE = 5.0
KEEP_EVERY = 10.0
"""Seconds between two writes of weights to the robot's disk."""
BYE = pack("bye")


class Session:
    """Sends what the log holds, and brings weights to `acting`; connects again whenever cut.

    Attributes:
        failed: why it gave up, where it did: a refusal, or a disk that takes nothing.
        has: steps that the learner has taken up.
        safe: steps that it will remember after a kill.
        learnt: steps that it has learnt from.
        refused_weights: weights that were not taken, being no sound policy.
        connections: how often it was welcomed.
        connected: whether it is, now.
        fresh: whether the newest weights have come since.
        most: bytes of the largest message that the learner takes, as far as is known.
    """

    def __init__(
        self,
        address: tuple[str, int],
        token: str,
        tls: ssl.SSLContext | None,
        folder: Path,
        log: StepLog,
        acting: Acting,
        identity: Identity,
        interface: dict[str, Any],
        limit: int = LIMIT,
    ) -> None:
        self._address, self._token, self._tls, self._limit = address, token, tls, limit
        self._folder, self._log, self._acting = folder, log, acting
        self.identity: Identity = identity
        self._interface = slim(interface)
        self.failed: RunError | None = None
        self.has = self.safe = self.learnt = self.refused_weights = self.connections = 0
        self.connected: bool = False
        self.fresh: bool = False
        self.most: int = LIMIT
        self._said = ""
        self._kept_at = 0.0
        self._newest: Frame | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    @property
    def ready(self) -> bool:
        """Whether a robot can act: numbers and weights are there."""
        return self.identity.run is not None and self._acting.weights is not None

    @property
    def version(self) -> int | None:
        """Of the newest weights that arrived."""
        weights = self._acting.weights
        return None if weights is None else weights.version

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def drained(self) -> bool:
        """Whether the learner has all steps that it is to have."""
        return self.connected and (not self.identity.learns or self.has >= self._log.next)

    def finish(self, seconds: float) -> None:
        """Wait so long until a learner that was there has all steps, then hang up."""
        until = time.monotonic() + seconds
        while self.connections and self.failed is None and time.monotonic() < until:
            if self.drained():
                break
            time.sleep(0.01)
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(10.0)

    def _run(self) -> None:
        pause = 0.1
        try:
            while not self._stop.is_set():
                wire = None
                try:
                    wire = self._connect()
                    self._greet(wire)
                    pause = 0.1
                    self._talk(wire)
                except (Cut, Torn) as error:
                    why = str(error).rstrip(".")
                    self._say(f"The link to the learner is down: {why}. Steps wait on disk.")
                finally:
                    self.connected = self.fresh = False
                    if wire is not None:
                        wire.close()
                self._rest(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            self._keep(now=True)
        except RunError as error:
            self.failed = error
        except Exception as error:  # whatever it is, the robot has to hear of it
            LOG.exception("The link failed.")
            self.failed = RunError(f"the link failed ({type(error).__name__}: {error})")

    def _rest(self, seconds: float) -> None:
        """Wait before the next try; what is logged meanwhile is forced to disk."""
        until = time.monotonic() + seconds
        while not self._stop.wait(0.05) and time.monotonic() < until:
            self._log.force()
        self._log.force()

    def _say(self, text: str) -> None:
        if text != self._said:
            LOG.warning("%s", text)
        self._said = text

    def _connect(self) -> Wire:
        host, port = self._address
        try:
            raw = socket.create_connection((host, port), timeout=5.0)
            if self._tls is not None:
                raw = self._tls.wrap_socket(
                    raw, server_hostname=host, do_handshake_on_connect=False
                )
        except OSError as error:
            why = " ".join(str(error.strerror or error).split())
            raise Cut(f"nobody answers at {host}:{port} ({why})") from error
        return Wire(raw, self._limit)

    def _greet(self, wire: Wire) -> None:
        """Say who we are; hear whether we are welcome, and from which step on."""
        weights = self._acting.weights
        wire.put(
            pack(
                "hello",
                {
                    "token": self._token,
                    "warmstart": versions()["warmstart"],
                    "protocol": PROTOCOL,
                    **self.identity.told(),
                    "interface": self._interface,
                    "first": self._log.first,
                    "next": self._log.next,
                    "weights": -1 if weights is None else weights.version,
                },
            )
        )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and not self._stop.is_set():
            self._log.force()
            for frame in self._answers(wire):
                if frame.kind == "refused":
                    raise Refused(str(frame.told.get("why", "the learner refused this actor")))
                if frame.kind == "welcome":
                    wire.known = True
                    self._welcomed(frame)
                    return
        raise Cut("the learner did not answer the greeting")

    def _answers(self, wire: Wire) -> list[Frame]:
        try:
            return wire.pump(0.05)
        except Cut as error:
            other = "TLS, give --cafile" if self._tls is None else "no TLS, leave --cafile out"
            raise Cut(f"{error}; where the learner speaks {other}") from error

    def _welcomed(self, frame: Frame) -> None:
        said, new = self.identity.welcomed(frame), self.identity.run is None
        wanted, kept = frame.told.get("next"), frame.told.get("safe")
        if type(wanted) is not int or type(kept) is not int:
            raise Torn("the learner's welcome names no step")
        if type(most := frame.told.get("most")) is not int:
            raise Torn("the learner's welcome does not say how large a message may be")
        if new and self._log.first == self._log.next and wanted > self._log.next:
            self._log.begin(wanted)  # nobody appends before a first welcome
        if not self._log.holds(wanted):
            raise Refused(
                f"the learner asks for step {wanted:,}, and the log in '{self._folder}' holds "
                f"{self._log.first:,} to {self._log.next:,}; put its files back, or give a new "
                "--folder, which goes on at the learner's number"
            )
        if new:
            said.write(self._folder)
        self.identity = said
        self._acting.warmup, self._acting.explores = said.warmup, said.learns
        self._next, self.has, self.safe, self.most = wanted, wanted, kept, most
        self.connections += 1
        self.connected, self._said = True, ""
        if said.learns:
            LOG.info("Linked to the learner (%s), which has %s steps.", said.method, f"{wanted:,}")
        else:
            LOG.info("Linked to a served policy (%s); the steps stay on this disk.", said.method)

    def _talk(self, wire: Wire) -> None:
        while not self._stop.is_set():
            self._log.force()
            if self.identity.learns and wire.backlog < CHUNK:
                for step in self._log.read(self._next, CHUNK):
                    wire.put(step)
                    self._next += 1
            wire.say_if_silent()
            for frame in wire.pump(0.02):
                self._hear(wire, frame)
            self._keep()
        wire.put(BYE)
        wire.flush(2.0)

    def _hear(self, wire: Wire, frame: Frame) -> None:
        told = frame.told
        if frame.kind == "weights":
            self._take(wire, frame)
        elif frame.kind == "has":
            try:
                self.has, self.safe, self.learnt = (
                    int(told[k]) for k in ("next", "safe", "learnt")
                )
            except UNREADABLE as error:
                raise Torn(f"the learner does not say what it has ({error!r})") from error
        elif frame.kind == "ended":
            self._say(
                f"The learner learns no more: {str(told.get('why')).rstrip('.')}. The robot goes "
                f"on by weights {self.version}, and its steps wait on disk."
            )
        elif frame.kind == "refused":
            raise Refused(str(told.get("why", "the learner refused this actor")))

    def _take(self, wire: Wire, frame: Frame) -> None:
        """Swap the weights, by one reference; those that are no sound policy are left."""
        self.fresh = True
        try:
            made = weights_of(frame, self._acting.weights, self._folder)
        except RunError as error:
            self.refused_weights += 1
            version = frame.told.get("version")
            text = f"weights {version} were not taken: {error}"
            LOG.warning("The learner's %s", text)
            wire.put(pack("unfit", {"version": version, "why": text[:2000]}))
            return
        self._acting.weights = made
        self._newest = frame if self._newest is None else _joined(self._newest, frame)

    def _keep(self, now: bool = False) -> None:
        """Put the newest weights on disk, now and then."""
        if self._newest is None or not (now or time.monotonic() - self._kept_at > KEEP_EVERY):
            return
        frame, self._newest = self._newest, None
        self._kept_at = time.monotonic()
        try:
            keep_weights(self._folder, frame)
        except RunError as error:
            LOG.warning("The newest weights act, and are not on this disk: %s", error)


def _joined(before: Frame, frame: Frame) -> Frame:
    """The newer weights, with the warm-up's of the older ones where they bring none."""
    if frame.told.get("warm_card") is not None or before.told.get("warm_card") is None:
        return frame
    warm = {k: v for k, v in before.arrays.items() if k.startswith("warm/")}
    told = {**frame.told, "warm_card": before.told["warm_card"]}
    return Frame(frame.kind, told, {**frame.arrays, **warm})
