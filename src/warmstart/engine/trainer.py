"""Floor 6: one declared run: pre-train, hand over, warm up, fine-tune, evaluated on the way.

`Trainer.run()` yields events. At every event of kind "safe" the run may be left: where it stands
is explicit, and a snapshot taken there continues in another process as if nothing had happened.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.engine.carry import Carries, snapshot_of
from warmstart.engine.look import Looker
from warmstart.engine.many import Many
from warmstart.engine.native import Native
from warmstart.engine.phases import Carry, means
from warmstart.engine.position import Event, Position
from warmstart.engine.problem import Problem, Schedule
from warmstart.engine.seeds import Seeds, keys_of
from warmstart.engine.ticks import Ticker
from warmstart.recipe import Recipe
from warmstart.replay import Stores
from warmstart.state import key_for
from warmstart.types import Clock

CALL_SECONDS = 0.5
"""About how long one compiled call of pure learning may take: the run stays interruptible."""


class Trainer:
    """A recipe on a problem, for several seeds at once.

    `pause` is asked often; where it answers True the trainer catches up and yields "safe".
    """

    def __init__(
        self,
        recipe: Recipe,
        problem: Problem,
        seeds: Sequence[int],
        schedule: Schedule,
        pause: Callable[[], bool] = lambda: False,
    ) -> None:
        self.recipe, self.problem, self.schedule, self.pause = recipe, problem, schedule, pause
        self.names = list(seeds)
        self.seeds = Seeds(len(self.names))
        self.carries = Carries(recipe, problem, self.seeds)
        self.keys = self.seeds.place(keys_of(self.names))
        empty = np.zeros((1, self.carries.layout.width), np.float32)
        self.dataset = self.seeds.share(empty if problem.rows is None else problem.rows)
        self.looker = Looker(recipe, problem, self.seeds, self.names, self.keys)
        self.position = Position.start(len(self.names), "pretrain" if recipe.pretrain else "online")
        self.loop: Ticker | Native | None = None
        self._forget = self.seeds.compile(_forget)
        self._carry: Many | None = None

    @property
    def carry(self) -> Many:
        """What the seeds carry; made fresh at first use."""
        if self._carry is None:
            at = self.position
            state = self.seeds.compile(self.carries.fresh(at), shared=(1,))(self.keys, self.dataset)
            self._carry = self.carries.join(at, state, self.keys)
        return self._carry

    @carry.setter
    def carry(self, carry: Many) -> None:
        self._carry = carry

    @property
    def state(self) -> Many:
        """What learns."""
        return self.carry.get(lambda c: c.state)

    def run(self, until: Literal["pretrained", "done"] = "done") -> Iterator[Event]:
        """Yield what happens, up to the end of pre-training or of the whole run."""
        at = self.position
        while at.phase == "pretrain":
            yield from self._pretrain()
        if until == "done" and at.phase == "switch":
            self._enter("online", 0)
            yield at.event("safe", {"boundary": True})
        if at.phase == "online":
            yield from self._online()

    def _enter(self, phase: Literal["pretrain", "online"], stage: int) -> None:
        """The next phase's learner takes from the one before what its recipe says."""
        before = self.state
        self.position.enter(phase, stage)
        cross = self.seeds.compile(self.carries.crossing(self.position))
        self.carry = self.carries.join(self.position, cross(self.keys, before), self.keys)

    def _pretrain(self) -> Iterator[Event]:
        at, look, stage = self.position, self.schedule, self.recipe.pretrain[self.position.stage]
        u = stage.learner.minibatches
        total = stage.updates // u * u
        if at.updates == 0 and at.looked < 0:
            yield at.event("phase", {"name": f"pretrain {at.stage}", "event": "start"})
        learn = self.seeds.compile(self._learn(), shared=(2, 3), donate=(1,))
        chunk = u
        while at.updates < total:
            every = look.offline_every
            if every and at.updates and at.updates % every == 0 and at.looked != at.updates:
                yield from self._look("curve", look.episodes)
            stops = [total, _next(at.updates, look.log_every)]
            if every:
                stops.append(_next(at.updates, every))
            n = max(u, min(chunk, min(stops) - at.updates) // u * u)
            began = time.perf_counter()
            told = np.array([n, at.updates, total], np.int32)
            self.carry = learn(self.keys, self.carry, self.dataset, told)
            self.carry.get(lambda c: c.sums).host()
            seconds = time.perf_counter() - began
            if seconds < CALL_SECONDS / 2:
                chunk = min(chunk * 2, look.log_every)
            elif seconds > 2 * CALL_SECONDS:
                chunk = max(chunk // 2, u)
            at.updates += n
            if at.updates in stops:
                yield from self._log()
            yield at.event("progress", {"done": at.updates, "total": total})
            if self.pause():
                yield at.event("safe")
        last = at.stage + 1 == len(self.recipe.pretrain)
        if at.looked != total:
            tag, n = ("pretrained", look.fixed_episodes) if last else ("curve", look.episodes)
            yield from self._look(tag, n)
        yield at.event("phase", {"name": f"pretrain {at.stage}", "event": "end"})
        if last:
            at.phase = "switch"
        else:
            self._enter("pretrain", at.stage + 1)
        yield at.event("safe", {"boundary": True})

    def _learn(self) -> Callable[..., Carry]:
        block, name = self.carries.block(self.position), f"pretrain {self.position.stage}"

        def learn(key: Any, carry: Carry, dataset: Any, told: Any) -> Carry:
            clock = Clock(told[1], jnp.int32(0), told[2])
            stores = Stores(dataset, carry.ring)
            state, sums = block.learn(
                key_for(key, name), clock, carry.state, carry.sums, stores, told[0]
            )
            return carry._replace(state=state, sums=sums)

        return learn

    def _online(self) -> Iterator[Event]:
        at, look = self.position, self.schedule
        total, loop = self.recipe.finetune.steps, self.open()
        if at.env_steps == 0 and at.looked < 0:
            yield at.event("phase", {"name": "online", "event": "start"})
        while True:
            due = look.online_due(at.env_steps, total) and at.looked != at.env_steps
            if due or at.env_steps % look.log_every == 0:
                self.carry = loop.catch_up(self.carry)
                yield from self._log()
            if due:
                switch = at.env_steps == 0 and bool(self.recipe.pretrain)
                tag = "final" if at.env_steps == total else "switch" if switch else "curve"
                fixed = tag != "curve"
                yield from self._look(tag, look.fixed_episodes if fixed else look.episodes)
                yield at.event("progress", {"done": at.env_steps, "total": total})
                yield at.event("safe")
            if at.env_steps == total:
                break
            room = look.next_online(at.env_steps, total) - at.env_steps
            self.carry, ended = loop.advance(self.carry, room)
            for env_step, episode in ended:
                values = {
                    "return": episode.raw_return,
                    "length": episode.length,
                    "success": float(episode.success),
                }
                event = at.event("episode", values, self.names[episode.seed])
                yield dataclasses.replace(event, env_steps=env_step)
            if self.pause():
                self.carry = loop.catch_up(self.carry)
                yield at.event("progress", {"done": at.env_steps, "total": total})
                yield at.event("safe")
        at.phase = "done"
        yield at.event("phase", {"name": "online", "event": "end"})
        yield at.event("safe", {"boundary": True})

    def open(self) -> Ticker | Native:
        """The training environments and what steps them, opened once."""
        if self.loop is None:
            kind = Ticker if self.problem.jax_env is None else Native
            self.loop = kind(
                self.recipe,
                self.problem,
                self.seeds,
                self.names,
                self.keys,
                self.dataset,
                self.position,
            )
        return self.loop

    def _log(self) -> Iterator[Event]:
        """Metric means since the last line, one event for each seed."""
        at = self.position
        if at.logged == at.counter or (at.logged < 0 and at.counter == 0):
            return
        at.logged = at.counter
        sums = self.carry.get(lambda c: c.sums).host()
        if not any(np.any(group["updates"]) for group in sums.values()):
            return
        self.carry = self._forget(self.carry)
        for i, name in enumerate(self.names):
            values = means(jax.tree.map(lambda x, i=i: x[i], sums))
            yield at.event("train", {k: float(v) for k, v in values.items()}, name)

    def _look(self, tag: str, episodes: int) -> Iterator[Event]:
        at = self.position
        at.looked = at.counter
        prior = self.schedule.frozen and at.phase == "online" and bool(self.recipe.pretrain)
        learner = self.carries.learner(at)
        for kind, values, i, label in self.looker.look(
            at, learner, self.state, tag, episodes, prior
        ):
            yield at.event(kind, values, self.names[i], label)

    # -- leaving and coming back ----------------------------------------------------------

    def snapshot(self) -> tuple[Any, dict[str, Any]]:
        """Arrays [S, ...] and plain numbers of this moment; the ring's rows are `rows`."""
        tree = {**self.carry.get(snapshot_of).host(), "world": ()}
        host = None
        if isinstance(self.loop, Ticker):
            host = self.loop.host.snapshot()
        elif self._native(self.position):
            tree["world"] = self._world().host()
        return tree, {"position": dataclasses.asdict(self.position), "host": host}

    def model(self, at: Position) -> Any:
        """Shapes and types of a snapshot's arrays at a position."""
        tree = {**self.carries.model(at), "world": ()}
        if self._native(at):
            tree["world"] = self._world().host()
        return tree

    def _native(self, at: Position) -> bool:
        """Whether a simulator is part of the arrays at a position."""
        return self.problem.jax_env is not None and at.phase in ("online", "done")

    def _world(self) -> Many:
        loop = self.open()
        assert isinstance(loop, Native)
        return loop.world

    @property
    def collected(self) -> int:
        """Online rows that each seed has put into its ring."""
        return self.position.env_steps

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Online rows start..stop of every seed [S, n, W]; they must still be in the ring."""
        first = self.open().preloaded

        def pick(carry: Carry) -> Any:
            at = np.arange(first + start, first + stop) % carry.ring.capacity
            return carry.ring.rows[at]

        if self.carry.batched:
            ring = self.carry.items[0].ring
            at = np.arange(first + start, first + stop) % ring.rows.shape[1]
            return np.asarray(ring.rows[:, at])
        return self.carry.get(pick).host()

    def restore(self, tree: Any, meta: dict[str, Any], rows: np.ndarray | None) -> list[int]:
        """Stand where a snapshot was taken; `tree` as `carries.model` shapes it.

        Returns the seeds whose open episode could not be replayed and was begun anew.
        """
        self.position = Position(**meta["position"])
        at = self.position
        carry = self.carries.join(at, self.seeds.place(tree["state"]), self.keys)
        placed = self.seeds.place({k: tree[k] for k in ("memory", "sums", "added", "closed")})
        ring = carry.get(lambda c: c.ring)
        if rows is not None:
            ring = self.carries.ring(rows, at.env_steps)
        self.carry = self.seeds.zip(_put_back, carry, ring, placed)
        if self.loop is not None:
            self.loop.at = at
        if self._native(at):
            loop = self.open()
            assert isinstance(loop, Native)
            loop.world = self.seeds.place(tree["world"])
        if meta["host"] is None:
            return []
        loop = self.open()
        assert isinstance(loop, Ticker)
        return [self.names[i] for i in loop.host.restore(meta["host"])]

    def close(self) -> None:
        """Close every environment."""
        self.looker.close()
        if self.loop is not None:
            self.loop.close()


def _put_back(carry: Carry, ring: Any, placed: dict[str, Any]) -> Carry:
    ring = ring._replace(added=placed["added"], closed=placed["closed"])
    return Carry(carry.state, ring, placed["memory"], placed["sums"])


def _forget(carry: Carry) -> Carry:
    """The carry with its metric sums at zero."""
    return carry._replace(sums=jax.tree.map(jnp.zeros_like, carry.sums))


def _next(counter: int, every: int) -> int:
    """The next multiple of `every` after `counter`."""
    return (counter // every + 1) * every
