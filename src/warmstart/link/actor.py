"""`Actor`: a robot at its own period, while its learner is wherever it is."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.errors import RunError, TaskError
from warmstart.files.durable import make_folder
from warmstart.files.interrupts import Interrupts
from warmstart.link.acting import AGAIN, Acting, kept_weights
from warmstart.link.frames import LIMIT
from warmstart.link.identity import Identity
from warmstart.link.pacing import Clock, Pacer, RealClock
from warmstart.link.robot import Robot
from warmstart.link.safety import Guard, Safety, guard_of
from warmstart.link.session import Session
from warmstart.link.steplog import StepLog
from warmstart.link.steps import RobotStep, as_bytes, plain_info
from warmstart.link.wires import address_of, resolved, trusting
from warmstart.policy.server import require_long
from warmstart.runs.folder import RunLock, as_folder

LOG = logging.getLogger("warmstart")
FIRST_WORD = 2.0
"""Seconds that a robot with weights on its disk waits for newer ones before it begins without."""
FAREWELL = 5.0
"""Seconds in which the last steps may still be sent."""


class Actor:
    """A robot's side of the link: it acts by the newest weights that arrived, and needs no JAX.

    ```python
    actor = ws.Actor("my_arm.py:Arm-v0", "127.0.0.1:8200", token=token, folder="arm")
    print(actor.run(go=True))
    ```

    Every step is written to `folder` first, and sent when the learner is there; whoever of the two
    is killed or cut off loses none of them, and none is counted twice. See docs/robot.md.

    Args:
        env: `my_arm.py:Arm-v0`, an environment object, or a factory of one. Its `close` has to
            bring the robot to a halt; of an object you call it yourself.
        address: HOST:PORT of the learner. On another machine it has to speak TLS.
        token: the learner's.
        folder: of this robot's steps; the same one after a restart.
        hz: actions per second.
        limits: (low, high) inside the action box, numbers or one for each number of an action.
        rate: the largest change from one action to the next, a number or one for each.
        rest: the action that an episode's first one may differ from by `rate`; None: where the
            limits come nearest to zero.
        guard: `guard(obs, action)`, or `my_arm.py:guard`, asked before each action is sent: None
            or True lets it pass, False or a reason stops the robot, an array is sent instead.
        timeout: seconds in which a step must be answered; 0 or None: any time.
        cafile: the certificate of the learner, or of its authority, where this system does not
            know it; the link then speaks TLS to this machine too.
        env_kwargs: of an environment that is named.
        seed: of the draws of exploration.
        limit: bytes of the largest message that is taken.
        clock: None: the machine's.

    Raises:
        TaskError: an environment, limits or a guard that cannot be used.
        RunError: an address, token or folder that cannot be used.
    """

    def __init__(
        self,
        env: Any,
        address: str,
        *,
        token: str,
        folder: Path | str = "actor",
        hz: float = 10.0,
        limits: tuple[Any, Any] | None = None,
        rate: Any = None,
        rest: Any = None,
        guard: str | Guard | None = None,
        timeout: float | None = 10.0,
        cafile: Path | str | None = None,
        env_kwargs: Mapping[str, Any] | None = None,
        seed: int = 0,
        limit: int = LIMIT,
        clock: Clock | None = None,
    ) -> None:
        if not 0.0 < hz <= 1000.0:
            raise RunError(f"a robot cannot act {hz:g} times a second; give --hz up to 1000")
        if timeout is not None and not timeout >= 0.0:
            raise RunError(f"--timeout {timeout:g} cannot be used; give seconds, or 0 for any time")
        if hasattr(env, "hand_over"):
            raise TaskError(
                "an actor moves a robot: give it the robot's environment; the agent learns at the "
                "address, in warmstart.Learner(agent)"
            )
        require_long(token)
        self._to = address_of(address, "--connect")
        local = resolved(*self._to, "--connect")[2]
        self._tls = (
            None if local and cafile is None else trusting(None if not cafile else Path(cafile))
        )
        self._token, self._limit, self._seed = token, limit, seed
        self.folder: Path = as_folder(folder)
        self._guard = None if guard is None else guard_of(guard)
        self._robot = Robot(env, env_kwargs, timeout or None)
        self._safety = Safety(self._robot.box, limits, rate, rest, self._guard)
        self._pacer = Pacer(hz, clock or RealClock())
        self._session: Session | None = None
        self._counts = {"steps": 0, "episodes": 0, "interventions": 0}
        self._numbered, self._halt = 0, threading.Event()
        self._stopped: str | None = None

    def run(
        self, steps: int | None = None, *, go: bool | Callable[[], bool] = False
    ) -> dict[str, Any]:
        """Let the robot act; what happened, see `report`.

        Args:
            steps: so many more; None: until Ctrl-C, which takes effect between two steps.
            go: True, or a function that asks somebody: nothing moves before that.

        Raises:
            Stopped: the guard stopped it.
            RunError: nobody said go; the learner refuses this actor; a disk is full; the robot does
                not answer.
            TaskError: the environment fails.
        """
        make_folder(self.folder, AGAIN)
        try:
            with RunLock(self.folder), Interrupts() as stop:
                log = StepLog(self.folder)
                try:
                    self._go(log, steps, go, stop)
                finally:
                    log.close()
        finally:
            self._robot.close()
        return self.report()

    def _go(self, log: StepLog, steps: int | None, go: Any, stop: Interrupts) -> None:
        identity = Identity.read(self.folder)
        acting = Acting(self._robot.box, identity.warmup, self._seed, identity.learns)
        acting.weights = kept_weights(self.folder)
        session = Session(
            self._to,
            self._token,
            self._tls,
            self.folder,
            log,
            acting,
            identity,
            self._robot.interface,
            self._limit,
        )
        self._session = session
        session.start()
        try:
            if not self._waited(session, stop):
                return
            if (size := self._robot.step_bytes) > session.most:
                raise RunError(
                    f"a step of {self._robot.name} takes up to {size:,} bytes, and the learner "
                    f"takes messages of {session.most:,}; give the learner more with --most-mb, or "
                    "let the robot show smaller images"
                )
            if not (go() if callable(go) else go):
                raise RunError(
                    "nothing moves before you say so; give --go (in Python go=True), or say it in "
                    "a terminal"
                )
            self._acts(log, acting, session, steps, stop)
        finally:
            try:
                self._robot.close()  # first: what is still to be sent can wait, a robot cannot
            finally:
                session.finish(FAREWELL)
                self._numbered = log.next

    def stop(self) -> None:
        """End `run` after the step that is being taken; from another thread."""
        self._halt.set()

    def _ends(self, stop: Interrupts) -> bool:
        self._stopped = stop.requested or ("stop()" if self._halt.is_set() else None)
        return self._stopped is not None

    def _waited(self, session: Session, stop: Interrupts) -> bool:
        """Wait until there is something to act by; whether there is."""
        began, said = time.monotonic(), False
        while not self._ends(stop):
            if session.failed is not None:
                raise session.failed
            waited = time.monotonic() - began
            if session.ready and (session.fresh or waited > FIRST_WORD):
                return True
            if not said and waited > FIRST_WORD:
                said = True
                LOG.info("Waiting for the learner's first weights.")
            time.sleep(0.01)
        return False

    def _acts(
        self,
        log: StepLog,
        acting: Acting,
        session: Session,
        steps: int | None,
        stop: Interrupts,
    ) -> None:
        """Episode after episode."""
        until = None if steps is None else log.next + steps
        obs: Any = None
        over, t, reward = True, 0, 0.0
        horizon = session.identity.horizon or self._robot.horizon
        until_success = session.identity.ends_at_success
        while not self._ends(stop) and (until is None or log.next < until):
            if session.failed is not None:
                raise session.failed
            if over:
                obs = self._robot.reset()
                acting.begin()
                self._safety.begin()
                self._pacer.begin()
                t, reward = 0, 0.0
            log.reserve(self._robot.step_bytes)  # found out while nothing moves
            self._pacer.wait()
            chosen, version = acting.choose(log.next, obs, reward)
            sent = self._safety(obs, chosen)
            answer = self._robot.step(sent.copy())
            human = answer.intervention
            done = sent if human is None else human
            ended = answer.terminated or (until_success and self._robot.succeeded(answer))
            over = ended or answer.truncated or t + 1 == horizon
            step = RobotStep(
                log.next,
                obs if t == 0 else None,
                done,
                answer.obs,
                answer.reward,
                ended,
                answer.truncated or (over and not ended),
                human is not None,
                version,
                plain_info(answer.info),
            )
            log.append(as_bytes(step))
            self._safety.executed(done)
            if not np.array_equal(done, chosen):
                acting.executed(done)
            self._counts["steps"] += 1
            self._counts["episodes"] += over
            self._counts["interventions"] += human is not None
            obs, reward, t = answer.obs, answer.reward, t + 1

    def report(self) -> dict[str, Any]:
        """What happened in the last `run`.

        Returns:
            steps, episodes, interventions, limited (actions that limits, rates or the guard have
            changed), beyond (interventions outside of the action box), stopped (the signal or call
            that ended it, or None), numbered (steps of this robot in all), sent and safe (of these,
            what the learner has, and what it will remember after a kill), weights (the newest
            version), refused_weights, connections, learns (False: by a served policy, and the steps
            stay in `folder`), and pace: hz, in_time, missed, worst_late_ms, waking_ms.
        """
        told: dict[str, Any] = {
            **self._counts,
            "limited": self._safety.changed,
            "beyond": self._robot.beyond,
            "stopped": self._stopped,
            "learns": self._session is None or self._session.identity.learns,
        }
        if (session := self._session) is not None:
            told |= {
                "numbered": self._numbered,
                "sent": session.has,
                "safe": session.safe,
                "weights": session.version,
                "refused_weights": session.refused_weights,
                "connections": session.connections,
            }
        return {**told, "pace": self._pacer.told()}
