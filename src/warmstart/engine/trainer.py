"""One declared run: pre-train, hand over, warm up, fine-tune, evaluated on the way.

`Trainer.run()` yields events. At every event of kind "safe" the run may be left: where it stands
is explicit, and a snapshot taken there continues in another process as if nothing had happened.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.engine.evaluator import Seen
from warmstart.engine.host_runner import HostRunner
from warmstart.engine.jax_runner import JaxRunner
from warmstart.engine.online import observe
from warmstart.engine.phases import Carry, Learning, means
from warmstart.engine.position import RunEvent
from warmstart.engine.problem import next_multiple
from warmstart.engine.run_state import RunState
from warmstart.errors import DivergedError
from warmstart.replay import Stores
from warmstart.state import key_for
from warmstart.types import Clock, Evaluated

CALL_SECONDS = 0.5
"""About how long one compiled call of pure learning may take: the run stays interruptible."""


class Trainer(RunState):
    """Runs what stands: a recipe on a problem, for several seeds at once."""

    def run(self, until: Literal["pretrained", "done"] = "done") -> Iterator[RunEvent]:
        """Yield what happens, up to the end of pre-training or of the whole run."""
        at = self.position
        while at.phase == "pretrain":
            yield from self._pretrain()
        if until == "done" and at.phase == "switch":
            self.enter("online", 0)
            yield at.event("safe", {"boundary": True})
        if at.phase == "online":
            yield from self._online()

    def enter(self, phase: Literal["pretrain", "online"], stage: int) -> None:
        """The next phase's learner takes from the one before what its recipe says."""
        before = self.state
        self.position.enter(phase, stage)
        cross = self.seeds.compile(self.carries.crossing(self.position))
        self.carry = self.carries.join(self.position, cross(self.keys, before), self.keys)
        self.memory = None

    def _pretrain(self) -> Iterator[RunEvent]:
        at, stage = self.position, self.recipe.pretrain[self.position.stage]
        u = stage.learner.minibatches
        # Whole updates: a stop between two minibatches would never be met.
        look = dataclasses.replace(
            self.schedule,
            log_every=-(-self.schedule.log_every // u) * u,
            offline_every=-(-self.schedule.offline_every // u) * u,
        )
        total = stage.updates // u * u
        if at.updates == 0 and at.looked < 0:
            yield at.event("phase", {"name": f"pretrain {at.stage}", "event": "start"})
        learn = self.seeds.compile(self._learn(), shared=(2, 3), donate=(1,))
        chunk = u
        while at.updates < total:
            every = look.offline_every
            if every and at.updates and at.updates % every == 0 and at.looked != at.updates:
                yield from self._look("curve", look.episodes)
                yield at.event("safe")  # the score is this state's: before it learns on
            stops = [total, next_multiple(at.updates, look.log_every)]
            if every:
                stops.append(next_multiple(at.updates, every))
            n = max(u, min(chunk, min(stops) - at.updates) // u * u)
            began = time.perf_counter()
            counts = np.array([n, at.updates, total], np.int32)
            self.carry = learn(self.keys, self.carry, self.dataset, counts)
            first = self.carry.get(lambda c: c.diverged).host()
            seconds = time.perf_counter() - began
            if seconds < CALL_SECONDS / 2:
                chunk = min(chunk * 2, look.log_every)
            elif seconds > 2 * CALL_SECONDS:
                chunk = max(chunk // 2, u)
            at.updates += n
            if np.any(first):
                self.require_finite()
            if at.updates in stops:
                yield from self._log()
            yield at.event("progress", {"done": at.updates, "total": total})
            if self.pause():
                yield at.event("safe")
        last = at.stage + 1 == len(self.recipe.pretrain)
        if at.looked != total:
            tag, n = ("pretrained", look.fixed_episodes) if last else ("curve", look.episodes)
            yield from self._look(tag, n)
            if not last:
                yield at.event("safe")  # before the next stage's learner takes over
        yield at.event("phase", {"name": f"pretrain {at.stage}", "event": "end"})
        if last:
            at.phase = "switch"
        else:
            self.enter("pretrain", at.stage + 1)
        yield at.event("safe", {"boundary": True})

    def _learn(self) -> Callable[..., Carry]:
        block, name = self.carries.block(self.position), f"pretrain {self.position.stage}"

        def learn(key: Any, carry: Carry, dataset: Any, counts: Any) -> Carry:
            clock = Clock(counts[1], jnp.int32(0), counts[2])
            learning = Learning(carry.state, carry.source, carry.sums, carry.diverged)
            stores = Stores.of(dataset, carry.ring)
            return carry._replace(
                **block.learn(key_for(key, name), clock, learning, stores, counts[0])._asdict()
            )

        return learn

    def _online(self) -> Iterator[RunEvent]:
        at, look = self.position, self.schedule
        total, loop = self.recipe.finetune.steps, self.open()
        assert isinstance(loop, HostRunner | JaxRunner)
        if at.env_steps == 0 and at.looked < 0:
            yield at.event("phase", {"name": "online", "event": "start"})
        while True:
            due = look.online_due(at.env_steps, total) and at.looked != at.env_steps
            if due or at.env_steps % look.log_every == 0:
                self._catch_up()
                yield from self._log()
            if due:
                switch = at.env_steps == 0 and bool(self.recipe.pretrain)
                tag = "final" if at.env_steps == total else "switch" if switch else "curve"
                fixed = tag != "curve"
                if self.problem.physical and tag == "final":
                    yield at.event("safe", {"boundary": True})  # its rows come but once
                yield from self._look(tag, look.fixed_episodes if fixed else look.episodes)
                yield at.event("progress", {"done": at.env_steps, "total": total})
                yield at.event("safe")
            elif look.diagnosis_due(at.env_steps) and at.looked != at.env_steps:
                self._catch_up()
                self.require_finite()
                yield from self._diagnose()
            if at.env_steps == total:
                break
            room = look.next_online(at.env_steps, total) - at.env_steps
            self.carry, self.memory, ended = loop.advance(self.carry, self.memory, room)
            for env_step, episode in ended:
                values = {
                    "return": episode.raw_return,
                    "length": episode.length,
                    "success": float(episode.success),
                }
                if self.problem.physical:
                    at.recent.append([episode.raw_return, episode.length, values["success"]])
                event = self.event("episode", values, episode.seed)
                yield dataclasses.replace(event, env_steps=env_step)
            if loop.failed is not None:
                robot = self.problem.physical and not isinstance(loop.failed, DivergedError)
                if robot and at.env_steps:
                    self._catch_up()
                    yield at.event("safe", {"boundary": True})
                raise loop.failed
            if self.pause():
                self._catch_up()
                yield at.event("progress", {"done": at.env_steps, "total": total})
                yield at.event("safe")
        at.phase = "done"
        yield at.event("phase", {"name": "online", "event": "end"})
        yield at.event("safe", {"boundary": True})

    def _catch_up(self) -> None:
        """Insert and learn what is due. Raises DivergedError."""
        loop = self.open()
        self.carry = loop.catch_up(self.carry)
        if isinstance(loop.failed, DivergedError):
            raise loop.failed

    def event(self, kind: str, values: dict[str, Any], i: int, tag: str | None = None) -> RunEvent:
        """A metric line of the seed at position `i`, with that seed's own count of updates."""
        event = self.position.event(kind, values, self.names[i], tag)
        if event.phase == "online":
            return dataclasses.replace(event, updates=self.position.done[i])
        return event

    def _log(self) -> Iterator[RunEvent]:
        """Metric means since the last line, one event for each seed."""
        at = self.position
        if at.logged == at.counter or (at.logged < 0 and at.counter == 0):
            return
        at.logged = at.counter
        self.require_finite()
        sums = self.sums.host()
        if not any(np.any(group["updates"]) for group in sums.values()):
            return
        self.forget()
        for i in range(len(self.names)):
            values = means(jax.tree.map(lambda x, i=i: x[i], sums))
            yield self.event("train", values, i)

    def _look(self, tag: str, episodes: int) -> Iterator[RunEvent]:
        at = self.position
        at.looked = at.counter
        pretrained = self.schedule.frozen and at.phase == "online" and bool(self.recipe.pretrain)
        learner = self.carries.learner(at)
        if learner.policy_kind == "none":
            return
        self.require_finite()
        if self.problem.physical and (tag == "curve" or episodes == 0):
            seen = self.evaluator.look_back(at, learner, self.state, tag)
        else:
            seen = self.evaluator.look(at, learner, self.state, tag, episodes, pretrained)
        for kind, values, i, label in seen:
            yield self.event(kind, values, i, label)
        if seen and at.phase == "online" and Evaluated in self.recipe.subscribes:
            self.notify(seen, tag)

    def _diagnose(self) -> Iterator[RunEvent]:
        """Measurements on fresh rollouts between two evaluations; no listener is notified."""
        at = self.position
        at.looked = at.counter
        learner = self.carries.learner(at)
        if learner.policy_kind != "none" and not self.problem.physical:
            for kind, values, i, label in self.evaluator.diagnose(
                at, learner, self.state, self.schedule.episodes
            ):
                yield self.event(kind, values, i, label)

    def notify(self, seen: list[Seen], tag: str) -> None:
        """Notify a method that subscribes to evaluations of how this one went."""
        scored = [values for kind, values, _, label in seen if kind == "eval" and label == tag]
        if not scored:  # a robot that has finished no episode
            return
        events = [[v["score"] / 100.0, v["length_mean"], float(tag == "switch")] for v in scored]
        learner, acting = self.recipe.finetune.learner, self.recipe.acting

        def notified(carry: Carry, event: Any) -> Carry:
            return carry._replace(state=observe(learner, acting, carry.state, Evaluated(*event)))

        self.carry = self.seeds.compile(notified)(self.carry, np.array(events, np.float32))
