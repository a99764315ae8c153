"""The learner's side of the link: who is let in, what steps come, what goes back."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from warmstart.errors import RunError, WarmstartError
from warmstart.link.frames import LIMIT, Frame, Refused, Torn, pack
from warmstart.link.greeter import Greeter
from warmstart.link.identity import other_learner
from warmstart.link.steps import STEP, RobotStep, as_step
from warmstart.link.wires import CHUNK, Cut, Wire

LOG = logging.getLogger("warmstart")
LEAVING = 7.0
"""Seconds in which an actor that was cut off comes again and hears why nothing is learnt more."""


@dataclass(frozen=True)
class House:
    """Who listens: what an actor's greeting is compared with."""

    run: str
    method: str
    interface: dict[str, Any]
    horizon: int
    warmup: dict[str, Any]
    ends_at_success: bool


class Host(Protocol):
    """What the door asks of the learner behind it."""

    log: str | None

    @property
    def busy(self) -> bool:
        """Whether so many steps wait that no more shall come just now."""
        ...

    def counts(self) -> dict[str, int]:
        """next, safe and learnt: steps observed, on disk, learnt from."""
        ...

    def settled(self) -> bool:
        """Whether all that was observed is on disk, as a new log needs; else it soon will be."""
        ...

    def adopt(self, log: str) -> None:
        """Follow an actor's new log from here on."""
        ...

    def take(self, step: RobotStep) -> None:
        """The next step of the robot. Raises WarmstartError where it cannot be."""
        ...

    def weights(self, version: int, whole: bool) -> bytes:
        """The newest policy as a message."""
        ...

    def hear_unfit(self, why: str) -> None:
        """The actor did not take its weights."""
        ...


class Door:
    """Listens in a thread of its own, for one actor at a time.

    Attributes:
        failed: why it gave up, where it did: a step that cannot be.
        doubled: steps that came a second time and were left out.
    """

    def __init__(
        self,
        listener: socket.socket,
        tls: ssl.SSLContext | None,
        token: str,
        house: House,
        host: Host,
        limit: int = LIMIT,
    ) -> None:
        self._greeter = Greeter(listener, tls, token, house.interface, limit)
        self._house, self._host, self._limit = house, host, limit
        self.failed: WarmstartError | None = None
        self.doubled: int = 0
        self.linked: bool = False
        self._wire: Wire | None = None
        self._log = ""
        self._came: deque[Frame] = deque()
        self._version, self._news = 0, True
        self._told: dict[str, int] = {}
        self._why: str | None = None
        self._end_told = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="door", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def news(self) -> None:
        """There is a newer policy."""
        self._news = True

    def end(self, why: str) -> None:
        """Nothing is learnt any more, which the actor hears."""
        self._why = why

    def close(self) -> None:
        """Say what is to be said, hang up, and listen no more."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(LEAVING + 10.0)
        self._greeter.close()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._greeter.hear(self._judge)
                if self._wire is None:
                    time.sleep(0.01)
                else:
                    self._guarded(self._talk)
            self._take_leave()
        except WarmstartError as error:
            self.failed = error
        except Exception as error:  # the learner has to hear of it, whatever it is
            LOG.exception("The link failed.")
            self.failed = RunError(f"the link failed ({type(error).__name__}: {error})")

    def _take_leave(self) -> None:
        """Say the last things, where there is an end to tell also to an actor that comes again."""
        until = time.monotonic() + LEAVING
        while self._wire is None and self._why and self._host.log and time.monotonic() < until:
            self._greeter.hear(self._judge)
            time.sleep(0.01)
        if self._wire is not None:
            self._guarded(self._tell)
            self._hang_up(2.0)

    def _judge(self, wire: Wire, hello: Frame) -> bool:
        """Whether a greeting lets its sender in; False: not yet. Raises Refused."""
        told, house = hello.told, self._house
        log, run = told.get("log"), told.get("run")
        if not isinstance(log, str) or not log:
            raise Refused("the greeting names no log of steps; install the same warmstart on both")
        if run is not None and run != house.run:
            raise Refused(other_learner(str(told.get("method")), house.method))
        if log != self._host.log:
            if run is not None and told.get("first") != self._host.counts()["next"]:
                raise Refused(
                    "another actor's steps are followed here since this one was linked; go on with "
                    "that one's --folder, or with a new one"
                )
            if self._wire is not None:
                raise Refused("another actor is linked to this learner; stop that one first")
            if not self._host.settled():
                return False
        self._log = log
        self._let_in(wire, told.get("weights"))
        return True

    def _let_in(self, wire: Wire, version: Any) -> None:
        self._hang_up(0.0)  # the same actor, of whose end nobody was told
        wire.known = True
        self._wire, self.linked = wire, True
        self._version = max(self._version, version if type(version) is int else 0)
        house, counts = self._house, self._host.counts()
        welcome = {
            "run": house.run,
            "method": house.method,
            "horizon": house.horizon,
            "warmup": house.warmup,
            "ends_at_success": house.ends_at_success,
            "most": self._limit,
            "learns": True,
            **counts,
        }
        wire.put(pack("welcome", welcome))
        self._send_weights(whole=True)
        self._told, self._end_told = {}, False
        LOG.info("An actor is linked; it is asked for step %s on.", f"{counts['next']:,}")

    def _guarded(self, what: Callable[[], None]) -> None:
        """Do it; where the actor is gone, or sends what is no frame, hang up."""
        try:
            what()
        except (Cut, Torn, Refused) as error:
            LOG.warning("The link to the actor is down: %s.", str(error).rstrip("."))
            self._hang_up(0.0, str(error) if isinstance(error, Refused) else None)

    def _talk(self) -> None:
        """What came, and what is to be said."""
        assert self._wire is not None
        wire = self._wire
        self._came += wire.pump(0.01, read=not self._came and not self._host.busy)
        while self._came and not self._host.busy:
            self._hear(self._came.popleft())
        self._tell()

    def _tell(self) -> None:
        wire = self._wire
        if wire is None:
            return
        if self._news and wire.backlog < CHUNK:
            self._send_weights(whole=False)
        if (counts := self._host.counts()) != self._told and wire.backlog < CHUNK:
            self._told = counts
            wire.put(pack("has", counts))
        if self._why is not None and not self._end_told:
            self._end_told = True
            wire.put(pack("ended", {"why": self._why}))
        wire.say_if_silent()

    def _send_weights(self, whole: bool) -> None:
        assert self._wire is not None
        self._news = False
        self._version += 1
        self._wire.put(self._host.weights(self._version, whole))

    def _hear(self, frame: Frame) -> None:
        if frame.kind == "unfit":
            self._host.hear_unfit(str(frame.told.get("why")))
        elif frame.kind == STEP:
            self._take(as_step(frame))
        elif frame.kind == "bye":
            LOG.info("The actor has stopped.")
            self._hang_up(0.0)

    def _take(self, step: RobotStep) -> None:
        due = self._host.counts()["next"]
        if step.number < due:
            self.doubled += 1
            return
        if step.number > due:
            raise Torn(f"step {step.number:,} came where {due:,} was due")
        if self._log != self._host.log:  # whoever has not acted yet displaces nobody
            self._host.adopt(self._log)
        try:
            self._host.take(step)
        except WarmstartError as error:
            self.failed = RunError(f"step {step.number:,} of the robot cannot be learnt: {error}")
            raise Refused(str(self.failed)) from error

    def _hang_up(self, seconds: float, why: str | None = None) -> None:
        wire, self._wire, self.linked = self._wire, None, False
        self._came.clear()
        if wire is None:
            return
        if why is not None:
            wire.put(pack("refused", {"why": why}))
            seconds = 1.0
        wire.flush(seconds)
        wire.close()
