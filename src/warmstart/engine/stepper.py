"""Acting and learning step by step, in compiled programs.

`act` reads parameters and the acting rule's memory, and donates nothing; `learn` inserts what was
observed and takes the updates that it owes, and donates all of a carry that acting does not read.
A step that owes no update goes through `insert`, on the ring alone.
So one thread may act by the weights of the last lesson while another learns.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from warmstart.acting import RemembersActions
from warmstart.engine.diverged import bad_action, diverged
from warmstart.engine.episodes import Ended, Episodes
from warmstart.engine.position import Position
from warmstart.engine.reads import Parts
from warmstart.engine.seed_batch import SeedBatch
from warmstart.engine.seeds import Program
from warmstart.engine.setup import OnlineLoop, Setup
from warmstart.engine.steps import Steps
from warmstart.errors import DivergedError
from warmstart.learners import Steady
from warmstart.types import EpisodeEnd

LARGEST_CALL = 256
"""Critic steps of one call: a longer block is several calls, with the same result."""


class Due(NamedTuple):
    """A step of every seed that learning has not seen yet, and what it owes."""

    inputs: np.ndarray  # [S, W + 4]: row, ends, bootstrap, score, length
    env_steps: int
    updates: list[int]  # critic steps of each seed
    pictures: np.ndarray | None = None  # [S, 2, P] uint8, where there are images


class Cut(NamedTuple):
    """The newest row of every seed turned out to be its episode's last."""

    bootstrap: np.ndarray  # [S], the return-to-go after it


class Stepper(OnlineLoop):
    """Acts, takes what environments answered, and learns from it in the order in which it came.

    What learning diverged to does not raise here, where the carry would be lost: `failed` says it,
    and nobody sees an action of it.
    """

    failed: DivergedError | None = None
    acts: Program
    learns: Program

    def __init__(self, setup: Setup, dataset: Any, position: Position) -> None:
        super().__init__(setup, dataset, position)
        problem = self.problem
        self._subscribed: bool = EpisodeEnd in self.recipe.subscribes
        rhythm, learner = self.recipe.finetune.rhythm, self.recipe.finetune.learner
        # Seeds owe alike, but where each one waits for, or counts, episodes of its own.
        self.paced: bool = not isinstance(rhythm.pace, Steady)
        self.shared: bool = rhythm.every > 0 and not learner.finished_only and not self.paced
        # Numbers cross packed into two arrays: each argument of a call costs microseconds.
        u = learner.minibatches
        # A pace draws its share once for all that is due: that stays one call.
        self._largest = sys.maxsize if self.paced else max(u, LARGEST_CALL // u * u)
        self.episodes: Episodes = Episodes(
            self.online.layout,
            self.names,
            problem.reward,
            learner.discount,
            problem.return_rule,
            problem.failure_reward,
            problem.env_name,
        )
        self.due: deque[Due | Cut] = deque()
        self._parts: Parts | None = None

    def read(self, carry: SeedBatch) -> SeedBatch:
        """The leaves of a carry that acting reads. They are never donated."""
        return self.parts(carry).read(carry)

    def parts(self, carry: SeedBatch) -> Parts:
        """How a carry is shared between acting and learning."""
        if self._parts is None:
            parts = Parts(self.online, carry, self.recipe.acting.init(1, self.problem.spec))
            self._parts, acts = parts, Steps(self.online, parts.places)
            steps = Steps(self.online.behind_warmup, parts.places)
            ints, compiled = 1 if self.shared else 0, self.seeds.compile
            self.acts = compiled(acts.act, shared=(4,) * ints, small=not self.problem.spec.cameras)
            self.learns = compiled(steps.learn, shared=(3, *(5,) * ints), donate=(1,))
            self._inserts = compiled(steps.insert, donate=(0,), small=True)
            self._corrects = compiled(steps.correct, small=True)
            self._cuts = compiled(steps.cut, donate=(0,))
        return self._parts

    def compile(self, carry: SeedBatch, memory: SeedBatch | None) -> None:
        """Compile learning, and acting where there is a memory to act with, ahead of any call."""
        parts, at, episodes = self.parts(carry), self.at, self.episodes
        counts = self._ints([1, at.env_steps, self.budget], at.done, at.done)
        inputs = _given(episodes.inputs, episodes.pictures)
        given = parts.kept(carry), parts.read(carry), self.dataset, inputs, counts
        self.learns.compile(self.keys, *given)
        self._inserts.compile(parts.ring(carry), inputs)
        if memory is not None:
            counts = self._ints([at.env_steps, self.budget], at.done)
            self.acts.compile(self.keys, parts.read(carry), memory, episodes.shown, counts)

    def act(self, read: SeedBatch, memory: SeedBatch) -> tuple[np.ndarray, SeedBatch]:
        """Exploring actions [S, A] in [-1, 1] on the open episodes, and the memory after them."""
        ints = self._ints([self.at.env_steps, self.budget], self.at.done)
        shown = self.episodes.shown.copy()  # compiled programs may read an array later
        chosen, memory = self.acts(self.keys, read, memory, shown, ints).parts()
        actions, warmup = chosen.host(), self.recipe.replay.warmup
        if warmup.by == "base" and self.at.env_steps < warmup.steps and np.isfinite(actions).all():
            assert self.problem.base is not None
            actions = self.problem.base(shown[:, :-2])
            memory = self.executed(memory, actions)
        return actions, memory

    def executed(self, memory: SeedBatch, actions: np.ndarray) -> SeedBatch:
        """The memory after other actions [S, A] than those that it chose."""
        remembers = isinstance(self.recipe.acting, RemembersActions)
        return self._corrects(memory, actions) if remembers else memory

    def observed(self, ended: Sequence[Ended]) -> None:
        """Every seed took one step, which stands in `episodes`: what is due for it."""
        at, rest = self.at, self.episodes.ended
        at.env_steps += 1
        rest[:] = 0.0
        owed = [0] * len(self.episodes.seeds)
        for episode in ended:
            score = self.problem.fraction(episode.raw_return, episode.success)
            rest[episode.seed] = 1.0, episode.bootstrap, score, episode.length
            at.closed[episode.seed] += 1
            self._owe_episode(owed, episode.seed, episode.length)
        self._owe_step(owed)
        pictures = self.episodes.pictures
        seen = None if pictures is None else pictures.copy()
        self.due.append(Due(self.episodes.inputs.copy(), at.env_steps, owed, seen))

    def cut(self) -> None:
        """The open episodes end where they stand, as at a time limit; no listener is notified."""
        returns = [self.episodes.bootstrap(i) for i in range(len(self.episodes.seeds))]
        self.due.append(Cut(np.array(returns, np.float32)))

    def pending(self) -> list[dict[str, Any]]:
        """What is due, as JSON holds it; numbers bit by bit."""
        pending = []
        for item in self.due:
            if isinstance(item, Cut):
                pending.append({"cut": item.bootstrap.tobytes().hex()})
            else:
                due = {"env_steps": item.env_steps, "updates": item.updates}
                due["inputs"] = item.inputs.tobytes().hex()
                if item.pictures is not None:
                    due["pictures"] = item.pictures.tobytes().hex()
                pending.append(due)
        return pending

    def put_back(self, pending: list[dict[str, Any]]) -> None:
        """The inverse."""

        def numbers(text: str) -> np.ndarray:
            return np.frombuffer(bytes.fromhex(text), np.float32)

        def pictures(text: str | None) -> np.ndarray | None:
            if text is None:
                return None
            return np.frombuffer(bytes.fromhex(text), np.uint8).reshape(count, 2, -1)

        count = len(self.episodes.seeds)
        shape = count, self.online.layout.width + 4
        self.due = deque(
            Cut(numbers(item["cut"]))
            if "cut" in item
            else Due(
                numbers(item["inputs"] if "inputs" in item else item["told"]).reshape(shape),
                item["env_steps"],
                item["updates"],
                pictures(item.get("pictures")),
            )
            for item in pending
        )

    def ends_before(self) -> list[bool]:
        """Of each seed, whether the newest row that learning has seen was its episode's last."""
        if not self.due:
            return [not episode.actions for episode in self.episodes.open]
        oldest = self.due[0]
        if isinstance(oldest, Cut):
            return [True] * len(self.episodes.seeds)
        return [bool(t == 0.0) for t in oldest.inputs[:, self.online.layout.t]]

    def learn(self, carry: SeedBatch) -> SeedBatch:
        """Insert what was observed, and take the updates that it owes; nothing where it diverges.

        The carry that is given is used up, but for what acting reads.
        """
        while self.due and self.failed is None:
            carry = self.learn_next(carry)
        return carry

    def learn_next(self, carry: SeedBatch) -> SeedBatch:
        """`learn` from the oldest step that is due."""
        now, at, parts = self.due[0], self.at, self.parts(carry)
        if isinstance(now, Cut):
            carry = self._cuts(parts.kept(carry), parts.read(carry), now.bootstrap)
        else:
            at.owed, insert = list(now.updates), 1
            while insert or any(at.owed):
                carry = self._lesson(carry, now, insert)
                insert = 0
                if any(at.owed) and parts.diverged(carry):
                    self.require_sound(carry)
                    return carry
        self.due.popleft()
        return carry

    def _lesson(self, carry: SeedBatch, now: Due, insert: int) -> SeedBatch:
        at, parts = self.at, self.parts(carry)
        inputs = _given(now.inputs, now.pictures)
        if self._changes_ring_alone(now):
            return parts.with_ring(carry, self._inserts(parts.ring(carry), inputs))
        taken = [min(owed, self._largest) for owed in at.owed]
        ints = self._ints([insert, now.env_steps, self.budget], at.done, taken)
        kept, read = parts.kept(carry), parts.read(carry)
        carry, out = self.learns(self.keys, kept, read, self.dataset, inputs, ints).parts()
        at.owed = [o - n for o, n in zip(at.owed, taken, strict=True)]
        if self.paced:  # what the pace left out is owed no more
            taken = [int(n) for n in out.host()]
        at.done = [d + n for d, n in zip(at.done, taken, strict=True)]
        at.updates = max(at.done)
        return carry

    def _changes_ring_alone(self, now: Due) -> bool:
        notifies = self._subscribed and now.inputs[:, -4].any()  # of an episode's end
        return not notifies and not any(self.at.owed)

    def _ints(self, common: list[int], *own: list[int]) -> np.ndarray:
        if self.shared:
            return np.array([*common, *(numbers[0] for numbers in own)], np.int32)
        return np.array([[*common, *mine] for mine in zip(*own, strict=True)], np.int32)

    def require_sound(self, carry: SeedBatch, actions: np.ndarray | None = None) -> None:
        """Say in `failed` where what the seeds carry is not finite, or else whose action is not."""
        self.failed = diverged(carry, self.episodes.seeds, self.at)
        if self.failed is None and actions is not None:
            i = int(np.flatnonzero(~np.isfinite(actions).all(axis=1))[0])
            where = f"at environment step {self.at.env_steps:,}"
            self.failed = bad_action(self.episodes.seeds[i], where, self.episodes.obs[i])

    def _owe_step(self, owed: list[int]) -> None:
        """Blocks of whole steps; where only finished episodes are drawn, a seed needs one."""
        at, rhythm = self.at, self.recipe.finetune.rhythm
        if rhythm.every == 0 or at.env_steps <= self.recipe.replay.warmup.steps:
            return
        if at.env_steps % rhythm.every:
            return
        waits = self.recipe.finetune.learner.finished_only and not self.preloaded
        for i in range(len(owed)):
            if not waits or at.closed[i]:
                owed[i] += rhythm.updates * (rhythm.first if at.blocks[i] == 0 else 1)
                at.blocks[i] += 1

    def _owe_episode(self, owed: list[int], seed: int, length: int) -> None:
        """A block is a whole episode, its updates count per row."""
        at, rhythm = self.at, self.recipe.finetune.rhythm
        if rhythm.every == 0 and at.env_steps > self.recipe.replay.warmup.steps:
            first = rhythm.first if at.blocks[seed] == 0 else 1
            rows = length if rhythm.per == "row" else 1
            owed[seed] += rhythm.updates * rows * first
            at.blocks[seed] += 1


def _given(inputs: np.ndarray, pictures: np.ndarray | None) -> Any:
    """What an observed step says, as programs take it."""
    return inputs if pictures is None else (inputs, pictures)
