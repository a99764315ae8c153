"""One seed of the engine, driven from outside: acting and learning may be in two threads.

Two locks. `hand` is held by what the environment's side does, for microseconds; `lesson` by what
changes or reads weights. Acting never takes `lesson`: it reads the weights of the last lesson.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import jax
import numpy as np

from warmstart.api.declare import Declared
from warmstart.api.divergence import explained
from warmstart.api.driver import Driver
from warmstart.engine import Problem, RunEvent, Trainer
from warmstart.engine.episodes import Ended
from warmstart.engine.host_runner import Driven
from warmstart.engine.jax_runner import JaxRunner
from warmstart.engine.phases import means
from warmstart.engine.run_state import Mark
from warmstart.engine.seed_batch import SeedBatch
from warmstart.engine.stepper import Stepper
from warmstart.engine.training_rows import checksum
from warmstart.errors import DivergedError, RunError
from warmstart.learners import Learner
from warmstart.replay.rows import INTERVENED
from warmstart.runs.folder import RunLock
from warmstart.runs.records import MetricWriter
from warmstart.state import State
from warmstart.types import EnvStep, Evaluated

Observer = Callable[[RunEvent], None]


class Live:
    """What learns and acts for one agent; observations are flat [O], actions [A] in [-1, 1].

    With a `driver` its folder holds rows, metric lines and checkpoints.
    """

    def __init__(
        self,
        declared: Declared,
        problem: Problem,
        driver: Driver | None = None,
        logged: str | None = None,
    ) -> None:
        self.declared: Declared = declared
        self.problem: Problem = problem
        self.driver: Driver | None = driver
        self._logged = logged
        if driver is not None:
            self.trainer = driver.trainer
        else:
            recipe, seeds, looks = declared.recipe, declared.seeds, declared.schedule
            self.trainer: Trainer = Trainer(recipe, problem, seeds, looks, driven=True)
        self.hand: threading.Lock = threading.Lock()
        self.lesson = threading.RLock()
        self.chosen: np.ndarray | None = None
        self._events: deque[RunEvent] = deque()
        self._since: Any = None
        self._compiled = False
        self._read: SeedBatch | None = None
        self._open = ExitStack()
        self._recorder: MetricWriter | None = None

    @property
    def logged(self) -> str | None:
        """A checksum of the logged rows, also where they are not needed any more."""
        self._logged = self._logged or checksum(self.problem)
        return self._logged

    @property
    def phase(self) -> str:
        """pretrain, switch (pre-trained, not handed over) or online."""
        return self.trainer.position.phase

    @property
    def stepper(self) -> Stepper:
        """What acts and learns."""
        loop = self.trainer.open()
        if not isinstance(loop, Driven):
            raise RunError(
                "this agent rolls its simulator inside the compiled loop; call roll(n), or make "
                "another agent to step it yourself"
            )
        return loop.stepper

    @property
    def rolls(self) -> bool:
        """Whether its simulator runs inside the compiled loop."""
        return isinstance(self.trainer.loop, JaxRunner)

    @property
    def is_open(self) -> bool:
        """Whether an episode has begun and is not over."""
        return self.phase == "online" and not self.rolls and self.stepper.episodes.begun[0]

    @property
    def on_policy(self) -> bool:
        """Whether it may learn from its own newest policy's actions alone."""
        return getattr(self.declared.recipe.finetune.learner, "on_policy", False)

    @property
    def owes(self) -> bool:
        """Whether an update is due that has not been made."""
        return any(any(getattr(item, "updates", ())) for item in list(self.stepper.due))

    def pretrain(self, seen: Observer) -> dict[str, float]:
        """Pre-train to the end; the last metrics. Raises DivergedError."""
        last: dict[str, float] = {}

        def observe(event: RunEvent) -> None:
            if event.kind == "train":
                last.update(event.values)
            seen(event)

        with self.lesson:
            if self.driver is not None:
                self._open.close()
                self.driver.go("pretrained", observe)
                self.attach()
            else:
                for event in self.trainer.run("pretrained"):
                    observe(event)
        return last

    def hand_over(self) -> None:
        """The online learner takes what crosses."""
        with self.lesson:
            self.trainer.enter("online", 0)
            self._events.append(self._phase("start"))
            self.keep(boundary=True)

    def _phase(self, what: str) -> RunEvent:
        return self.trainer.position.event("phase", {"name": "online", "event": what})

    def published(self) -> SeedBatch:
        """What acting reads, as of the last lesson."""
        if self._read is None:
            with self.lesson:
                self._publish()
        assert self._read is not None
        return self._read

    def _publish(self) -> None:
        read = self.stepper.read(self.trainer.carry)
        jax.block_until_ready(read.leaves)  # whoever acts by it waits for nothing
        self._read = read

    def act(self) -> np.ndarray:
        """An exploring action [A]. Raises DivergedError."""
        stepper, read = self.stepper, self.published()
        with self.hand:
            actions, self.trainer.memory = stepper.act(read, self.trainer.memory)
            if np.isfinite(actions).all():
                self.chosen = chosen = actions[0]
                return chosen
        with self.lesson:
            stepper.require_sound(self.trainer.carry, actions)
        assert stepper.failed is not None
        raise stepper.failed

    def begin(self, obs: np.ndarray, acts: bool = True) -> None:
        """An episode begins with `obs`; whether an action is asked for here.

        The first one compiles what the loop calls, while the robot still stands.
        """
        self.compile(acts)
        with self.hand:
            self.stepper.episodes.begin(0, obs)
            self.chosen = None

    def compile(self, acts: bool) -> None:
        """Compile what the loop calls, where that was not done."""
        self.published()
        if not self._compiled:
            with self.lesson:
                trainer = self.trainer
                self.stepper.compile(trainer.carry, trainer.memory if acts else None)
                trainer.zeros.compile(trainer.sums)
                self._compiled = True

    def observe(self, action: np.ndarray, out: EnvStep, intervened: bool = False) -> None:
        """What the environment answered to `action`; `intervened`: somebody else's than ours."""
        if self.on_policy and action is not self.chosen:
            raise _not_its_own()
        self._require_horizon(out)
        with self.hand:
            if action is not self.chosen:
                self.trainer.memory = self.stepper.executed(self.trainer.memory, action[None])
            self._step(action, out, intervened)

    def take(self, action: np.ndarray, out: EnvStep, intervened: bool) -> None:
        """The same of an action that was chosen elsewhere: what acts here remembers nothing."""
        if self.on_policy:
            raise _not_its_own()
        self._require_horizon(out)
        with self.hand:
            self._step(action, out, intervened)

    def _require_horizon(self, out: EnvStep) -> None:
        """Refuse (RunError) a step after which an episode would be too long."""
        over, horizon = out.terminated or out.truncated, self.problem.spec.horizon
        if not over and len(self.stepper.episodes.open[0].actions) + 1 >= horizon:
            raise RunError(
                f"the episode goes on past its horizon of {horizon:,} steps; pass truncated=True "
                "at its last step, or give a larger horizon="
            )

    def _step(self, action: np.ndarray, out: EnvStep, intervened: bool) -> None:
        stepper = self.stepper
        ended = stepper.episodes.step(0, action, out)
        if intervened:
            stepper.episodes.rows[0, stepper.online.layout.online] = INTERVENED
        stepper.observed([] if ended is None else [ended])
        self.chosen = None
        if ended is not None:
            self._events.append(self.trainer.event("episode", values_of(ended), 0))

    def roll(self, steps: int) -> dict[str, float] | None:
        """Environment steps and their updates inside the compiled loop; mean metrics of these.

        Raises:
            RunError: as `RunState.roll`.
            DivergedError, TaskError: a number that is not finite.
        """
        with self.lesson:
            trainer, loop, at = self.trainer, self.trainer.roll(), self.trainer.position
            before, end = at.done[0], at.env_steps + steps
            while at.env_steps < end and loop.failed is None:
                room = end - at.env_steps
                trainer.carry, trainer.memory, ended = loop.advance(
                    trainer.carry, trainer.memory, room
                )
                for step, episode in ended:
                    event = trainer.event("episode", values_of(episode), 0)
                    self._events.append(dataclasses.replace(event, env_steps=step))
                if loop.failed is None:
                    self.keep()
            if loop.failed is not None:
                raise loop.failed
            return self._metrics() if at.done[0] != before else None

    def break_off(self) -> None:
        """The open episode ends where it stands."""
        with self.hand:
            if self.stepper.episodes.open[0].actions:
                self.stepper.cut()
            self.stepper.episodes.next(0)
            self.chosen = None

    def learn(self, steps: int | None = None) -> dict[str, float] | None:
        """Insert what was observed, the oldest `steps` of it or all, and learn what it owes; None
        where that was no update.

        Raises RunError for a number that is none, and DivergedError.
        """
        if steps is not None and (not isinstance(steps, int) or steps < 0):
            raise RunError(f"learn({steps!r}) cannot be; give 0 steps or more, or none for all")
        if self.rolls:
            return None
        with self.lesson:
            trainer, stepper, at = self.trainer, self.stepper, self.trainer.position
            before = at.done[0]
            due = len(stepper.due)  # what comes meanwhile is the next call's
            for _ in range(due if steps is None else min(due, steps)):
                trainer.carry = stepper.learn_next(trainer.carry)
                self._publish()
                if stepper.failed is not None:
                    break
            learnt = self._metrics() if at.done[0] != before else None
            if stepper.failed is not None:
                raise self._explained(stepper.failed) from stepper.failed
            self.keep()
            return learnt

    def _explained(self, error: DivergedError) -> DivergedError:
        """With what to try."""
        trainer = self.trainer
        added = trainer.carry.get(lambda c: c.ring.added).host()
        last = int(added[0]) - trainer.open().preloaded
        seen = trainer.held(last) if last else None
        return explained(error, self.declared, self.problem, trainer.position, seen, last)

    def _metrics(self) -> dict[str, float]:
        """Means over the updates since the last call; a line for the folder now and then."""
        trainer, at = self.trainer, self.trainer.position
        sums, carry = trainer.sums.host(), trainer.carry
        if not self.rolls and self.stepper.parts(carry).diverged(carry):  # a chunk says so itself
            self.stepper.require_sound(carry)
        trainer.forget()
        own = jax.tree.map(lambda x: x[0], sums)
        self._since = own if self._since is None else jax.tree.map(np.add, self._since, own)
        every = trainer.schedule.log_every
        if at.env_steps // every > max(at.logged, 0) // every:
            at.logged = at.env_steps
            if self.rolls:
                trainer.require_finite()
            else:  # a moment that is infinite leaves losses and actions finite, and weights still
                self.stepper.require_sound(trainer.carry)
            self._events.append(trainer.event("train", means(self._since), 0))
            self._since = None
        return means(own)

    def evaluate(self, episodes: int) -> dict[str, Any]:
        """Play the fixed episodes of the phase boundaries; what they scored."""
        with self.lesson:
            trainer, at = self.trainer, self.trainer.position
            trainer.require_finite()
            evaluator, learner = trainer.evaluator, trainer.carries.learner(at)
            scores = evaluator.scores(evaluator.play(at, learner, trainer.state, episodes, 0)[0])
            switch = self.phase == "online" and at.env_steps == 0
            tag = "switch" if switch else "curve" if self.phase == "online" else "pretrained"
            self._events.append(trainer.event("eval", scores, 0, tag))
            if self.phase == "online" and Evaluated in self.declared.recipe.subscribes:
                trainer.notify([("eval", scores, 0, tag)], tag)
                if not self.rolls:
                    self._publish()
            self.keep()
            return scores

    def shown(self) -> tuple[Learner, State]:
        """Who looks at a state, and as much of the newest one as acting reads, on the host."""
        at, carries = self.trainer.position, self.trainer.carries
        if self.phase != "online" or self.rolls:
            with self.lesson:
                return carries.learner(at), _first(self.trainer.state)
        read = self.published()
        parts = self.stepper.parts(self.trainer.carry)
        own = [leaf[0] for leaf in read.leaves[0]] if read.batched else read.leaves[0]
        return carries.learner(at), jax.device_get(parts.places.state(own)[0])

    def mark(self) -> tuple[Mark, np.ndarray | None]:
        """Where acting stands, and the action that waits for its answer."""
        with self.hand:
            return self.trainer.mark(), self.chosen

    def attach(self) -> MetricWriter:
        """Be the only one who writes the folder."""
        assert self.driver is not None
        self._open.close()
        self._open = ExitStack()
        self._open.enter_context(RunLock(self.driver.folder))
        self._recorder = self._open.enter_context(MetricWriter(self.driver.folder))
        return self._recorder

    def keep(self, boundary: bool = False) -> None:
        """Write what happened since the last time, and a checkpoint where one is due."""
        driver, recorder = self.driver, self._recorder
        if driver is None or recorder is None:
            self._events.clear()
            return
        while self._events:
            event = self._events.popleft()
            driver.record(recorder, event)
            for warning in driver.signs.see(event):
                driver.record(recorder, warning)
        if boundary or driver.late():
            driver.save(recorder, False, self.mark()[0])
            recorder.flush()

    def close(self) -> None:
        """Save into the folder, where there is one, and let go of it and of the environments."""
        with self.lesson:
            try:
                loop = self.trainer.loop
                if self._recorder is not None and (loop is None or loop.failed is None):
                    self.keep(boundary=True)
            finally:
                self._open.close()
                self._recorder = None
                self.trainer.close()


def values_of(ended: Ended) -> dict[str, float]:
    """What a metric line says of an episode."""
    return {
        "return": ended.raw_return,
        "length": ended.length,
        "success": float(ended.success),
    }


def _not_its_own() -> RunError:
    return RunError(
        "this method learns from its own actions alone, and another one was executed; take an "
        "off-policy method, such as rlpd, where somebody intervenes"
    )


def _first(state: SeedBatch) -> Any:
    return jax.tree.map(lambda x: x[0], state.host())
