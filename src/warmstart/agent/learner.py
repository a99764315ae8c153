"""`Learner`: an agent that learns from a robot in another process."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

from warmstart.agent.agent import Agent
from warmstart.agent.published import Published, publish, require_apart, require_numpy
from warmstart.errors import RunError, WarmstartError
from warmstart.files.durable import sealed, unsealed, write_json_atomic
from warmstart.link.door import Door, House
from warmstart.link.frames import LIMIT
from warmstart.link.spaces import slim
from warmstart.link.steps import RobotStep
from warmstart.link.wires import place_of
from warmstart.runs.folder import read_run

LOG = logging.getLogger("warmstart")
NAME = "link.json"
MOST_DUE = 256
"""Observed steps that wait to be learnt from before no more are taken from the actor."""
MOST_WAITING = 16_000_000
"""Bytes of the images that wait so; checkpoints hold them twice as long."""
AT_ONCE = 16
"""Observed steps that are learnt from between two looks at what else is to be done."""
IDLE = 0.005


class Learner:
    """A learner's side of the link, around an agent that keeps a folder.

    ```python
    agent = ws.Agent("wsrl", env, data="logs.npz", folder="arm-learner")
    agent.pretrain()
    with agent, ws.Learner(agent, "127.0.0.1:8200", token=token) as learner:
        learner.run()
    ```

    The actor's steps are learnt from in their order, whenever they come; weights are published on
    the way. The agent checkpoints as it always does, and after a restart the actor is asked for the
    steps that the last checkpoint does not know. See docs/robot.md.

    Args:
        agent: pre-trained, with a folder; open it by `Agent.open(folder, goes_on=True)`.
        listen: HOST:PORT; port 0: any that is free. Other machines reach it by TLS alone.
        token: what the actor has to show, at least 16 characters.
        certfile: to speak TLS, in PEM form.
        keyfile: of `certfile`, unless that holds it.
        publish_every: updates between two versions of the weights.
        limit: bytes of the largest message that is taken.

    Attributes:
        address: HOST:PORT where it listens.
        unfit: how often the actor did not take its weights.

    Raises:
        RunError: an agent without a folder or whose acting NumPy cannot do, or nowhere to listen.
    """

    def __init__(
        self,
        agent: Agent,
        listen: str = "127.0.0.1:8200",
        *,
        token: str,
        certfile: Path | str | None = None,
        keyfile: Path | str | None = None,
        publish_every: int = 50,
        limit: int = LIMIT,
    ) -> None:
        if publish_every < 1:
            raise RunError(f"--publish-every {publish_every} cannot be used; give 1 or more")
        place = place_of(listen, "--listen", token, certfile, keyfile)
        self.agent: Agent = agent
        self._live = agent._live
        require_apart(self._live.declared.recipe)
        driver = self._live.driver
        if driver is None:
            raise RunError(
                "a learner has to remember what a robot has done: give its agent a folder="
            )
        agent.hand_over()
        self._driver, self._every = driver, publish_every
        self._newest: Published = require_numpy(self._live)
        self._live.compile(acts=False)  # while nobody is linked who would hear nothing meanwhile
        self._published_at = self._updates
        self._wants_save = threading.Event()
        self._stop = threading.Event()
        self.unfit: int = 0
        self._path: Path = driver.folder / NAME
        self.log: str | None = self._followed()
        listener = place.open("--listen")
        self.address: str = f"{place.host}:{listener.getsockname()[1]}"
        self._door = Door(listener, place.tls, token, self._house(), self, limit)
        self._door.start()

    def _house(self) -> House:
        problem, recipe = self._live.problem, self._live.declared.recipe
        assert problem.interface is not None
        warmup = recipe.replay.warmup
        return House(
            str(read_run(self._driver.folder)["id"]),
            recipe.name,
            slim(problem.interface),
            problem.spec.horizon,
            {"steps": warmup.steps, "by": warmup.by},
            self._live.declared.task.success_reward,
        )

    def _followed(self) -> str | None:
        """The actor's log whose steps this folder has."""
        if not self._path.exists():
            return None
        advice = "Restore it from a backup of the learner's folder."
        return str(unsealed(self._path, advice)["log"])

    @property
    def _observed(self) -> int:
        return self._live.trainer.position.env_steps

    @property
    def _updates(self) -> int:
        return self._live.trainer.position.done[0]

    @property
    def _learnt(self) -> int:
        """Steps that are learnt from."""
        with self._live.hand:  # a step that comes is counted and waits at one moment
            return self._observed - len(self._live.stepper.due)

    @property
    def linked(self) -> bool:
        """Whether an actor is."""
        return self._door.linked

    def run(self, steps: int | None = None, seconds: float | None = None) -> dict[str, Any]:
        """Learn from what comes, until `stop` or Ctrl-C; what was done.

        Args:
            steps: end when just so many steps in all are learnt from; None: no end.
            seconds: end after so long; None: no end.

        Returns:
            steps (learnt from), observed, safe, updates, doubled (steps that came twice and were
            left out), unfit.

        Raises:
            DivergedError: learning has left the finite numbers; the actor is told, and goes on by
                the last sound weights.
            RunError: a full disk: what the last checkpoint knows is whole, and the actor is asked
                again for the rest.
        """
        try:
            return self._learns(steps, seconds)
        except Exception as error:
            happened = getattr(error, "happened", error)
            self._door.end(" ".join(str(happened).split()) or type(error).__name__)
            raise

    def _learns(self, steps: int | None, seconds: float | None) -> dict[str, Any]:
        until = None if seconds is None else time.monotonic() + seconds
        while not self._stop.is_set():
            if self._door.failed is not None or (steps is not None and self._learnt >= steps):
                break
            if self._wants_save.is_set():
                with self._live.lesson:
                    self._live.keep(boundary=True)
                self._wants_save.clear()
            due = len(self._live.stepper.due)
            if due:
                left = AT_ONCE if steps is None else steps - self._learnt
                self.agent.learn(min(AT_ONCE, left))
                self._publish()
            else:
                if self._driver.safe_steps < self._observed:
                    with self._live.lesson:
                        self._live.keep()  # a checkpoint may be due while the robot rests
                time.sleep(IDLE)
            if until is not None and time.monotonic() > until:
                break
        if self._door.failed is not None:
            raise self._door.failed
        return self.report()

    def _publish(self) -> None:
        if self._updates - self._published_at < self._every:
            return
        self._newest, self._published_at = publish(self._live), self._updates
        self._door.news()

    def report(self) -> dict[str, Any]:
        """What was done; see `run`."""
        return {
            "steps": self._learnt,
            "observed": self._observed,
            "safe": self._driver.safe_steps,
            "updates": self._updates,
            "doubled": self._door.doubled,
            "unfit": self.unfit,
        }

    def stop(self) -> None:
        """End `run`, from another thread."""
        self._stop.set()

    def close(self) -> None:
        """Save, report to the actor what is safe, hang up, and stop listening."""
        try:
            with self._live.lesson:
                if self._live.stepper.failed is None:
                    self._live.keep(boundary=True)
        except WarmstartError as error:
            self._door.end(str(error))
            raise
        finally:
            self._door.close()

    def __enter__(self) -> Learner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def busy(self) -> bool:
        """Whether so many steps wait that no more shall come just now."""
        waiting = len(self._live.stepper.due)
        images = 2 * waiting * self._live.problem.spec.pixels
        return waiting >= MOST_DUE or images >= MOST_WAITING

    def counts(self) -> dict[str, int]:
        """Steps observed, on disk, and learnt from."""
        return {"next": self._observed, "safe": self._driver.safe_steps, "learnt": self._learnt}

    def settled(self) -> bool:
        """Whether all steps are on disk, behind which a new log's numbers begin."""
        if self._driver.safe_steps < self._observed:
            self._wants_save.set()
            return False
        return True

    def adopt(self, log: str) -> None:
        """Follow an actor's new log from here on."""
        write_json_atomic(self._path, sealed({"log": log}), "start the learner again")
        self.log = log

    def take(self, step: RobotStep) -> None:
        """The next step of the robot."""
        self.agent.take(
            step.obs,
            step.action,
            step.next_obs,
            step.reward,
            step.terminated,
            step.truncated,
            step.info,
            step.intervened,
        )

    def weights(self, version: int, whole: bool) -> bytes:
        """The newest policy as a message."""
        return self._newest.frame(version, whole)

    def hear_unfit(self, why: str) -> None:
        """The actor did not take its weights."""
        self.unfit += 1
        LOG.warning("The actor goes on by older weights: %s", why)
