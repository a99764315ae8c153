"""A policy that has left its run, for robots: each is given it once, and keeps its own steps."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

from warmstart.link.acting import weights_frame
from warmstart.link.frames import LIMIT, Frame, Refused, Torn, pack
from warmstart.link.greeter import Greeter
from warmstart.link.identity import other_learner
from warmstart.link.spaces import slim
from warmstart.link.steps import STEP
from warmstart.link.wires import Cut, Wire, place_of
from warmstart.policy.folder import Stored

LOG = logging.getLogger("warmstart")


class ServedPolicy:
    """Gives a stored policy to as many actors as come, in a thread of its own.

    An actor acts by it as in evaluation, in its own NumPy: no tick of a robot waits for a network.
    Nothing is learnt here, so that its steps stay in its folder.

    Args:
        stored: the policy.
        listen: HOST:PORT; port 0: any that is free. Other machines reach it by TLS alone.
        token: what an actor has to show, at least 16 characters.
        certfile: to speak TLS, in PEM form.
        keyfile: of `certfile`, unless that holds it.

    Attributes:
        address: HOST:PORT where it listens.
        given: how many actors were let in.

    Raises:
        RunError: nowhere to listen, or a token or certificate that will not do.
    """

    def __init__(
        self,
        stored: Stored,
        listen: str,
        token: str,
        certfile: Path | None = None,
        keyfile: Path | None = None,
    ) -> None:
        place = place_of(listen, "--link", token, certfile, keyfile)
        card = stored.card
        self._run_id = f"policy {card.get('run') or card['weights']['sha256']}"
        self._method = str(card.get("method"))
        step = card.get("step") or {}
        self._weights = weights_frame(int(step.get("updates", 0)), stored, None)
        listener = place.open("--link")
        self.address: str = f"{place.host}:{listener.getsockname()[1]}"
        self.given: int = 0
        self._greeter = Greeter(listener, place.tls, token, slim(card), LIMIT, "policy server")
        self._wires: list[Wire] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serves, name="policy", daemon=True)
        self._thread.start()

    def __enter__(self) -> ServedPolicy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up, and listen no more; the robots go on by what they have."""
        self._stop.set()
        self._thread.join(10.0)

    def _serves(self) -> None:
        try:
            while not self._stop.is_set():
                self._greeter.hear(self._let_in)
                self._wires = [wire for wire in self._wires if self._stays(wire)]
                time.sleep(0.01)
        except Exception:
            LOG.exception("The link failed; what is asked over HTTP is answered further on.")
        finally:
            for wire in self._wires:
                wire.close()
            self._greeter.close()

    def _let_in(self, wire: Wire, hello: Frame) -> bool:
        """Give it the policy. Raises Refused."""
        told = hello.told
        run, following = told.get("run"), told.get("next")
        if type(following) is not int:
            raise Refused("the greeting names no step; install the same warmstart on both")
        if run not in (None, self._run_id):
            raise Refused(other_learner(str(told.get("method")), f"a served {self._method}"))
        wire.known = True
        welcome: dict[str, Any] = {
            "run": self._run_id,
            "method": self._method,
            "horizon": 0,
            "warmup": {"steps": 0, "by": "online"},
            "ends_at_success": False,
            "most": LIMIT,
            "learns": False,
            "next": following,
            "safe": 0,
        }
        wire.put(pack("welcome", welcome) + self._weights)
        self._wires.append(wire)
        self.given += 1
        LOG.info("An actor was given the policy.")
        return True

    def _stays(self, wire: Wire) -> bool:
        """Whether a robot is still there, and only listens."""
        try:
            wire.say_if_silent()
            for frame in wire.pump(0.0):
                if frame.kind == STEP:
                    raise Refused("a served policy learns from no steps; link to a learner")
                if frame.kind == "unfit":
                    LOG.warning("An actor did not take the policy: %s", frame.told.get("why"))
                if frame.kind == "bye":
                    raise Cut("it has stopped")
        except (Cut, Torn, Refused) as error:
            if isinstance(error, Refused):
                wire.put(pack("refused", {"why": str(error)}))
                wire.flush(1.0)
            wire.close()
            return False
        return True
