"""Floor 6: the online loop's one compiled call per environment step, and what it owes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from warmstart.engine.carry import budget_of, preloaded
from warmstart.engine.diverged import bad_action, diverged
from warmstart.engine.host import Ended, HostLoop
from warmstart.engine.many import Many
from warmstart.engine.phases import Carry, Count, Online, Owed, TickInput
from warmstart.engine.position import Position
from warmstart.engine.problem import Problem
from warmstart.engine.seeds import Seeds
from warmstart.errors import DivergedError, TaskError, WarmstartError
from warmstart.learners import Steady
from warmstart.recipe import Recipe

LARGEST_CALL = 256
"""Critic steps of one call: a longer block is several calls, with the same result."""


class Ticker:
    """Steps the training environments of all seeds in lock step.

    A call inserts the transition that just ended, learns what is owed, and acts. Between calls
    one transition is pending; `catch_up` brings the carry up to date without acting, through the
    same program, so that it can be looked at and saved without changing what follows.

    What ends the run does not raise here, where the carry would be lost: `failed` says what it
    was. Of a robot that failed in a reset or step (TaskError) the carry that `advance` gives may
    be saved. Where learning diverged (DivergedError) nobody saw an action of it.
    """

    failed: WarmstartError | None = None

    def __init__(
        self,
        recipe: Recipe,
        problem: Problem,
        seeds: Seeds,
        names: Sequence[int],
        keys: Many,
        dataset: Any,
        position: Position,
    ) -> None:
        self.recipe, self.keys, self.dataset, self.at = recipe, keys, dataset, position
        online = Online(recipe, problem.spec)
        layout = online.layout
        self.preloaded = len(preloaded(recipe, online.layout, problem.rows))
        # Seeds owe alike, but where each one waits for, or counts, episodes of its own.
        every, waits = recipe.finetune.rhythm.every, recipe.finetune.learner.finished_only
        self.paced = not isinstance(recipe.finetune.rhythm.pace, Steady)
        self.shared = every > 0 and not waits and not self.paced

        def tick(key: Any, carry: Carry, dataset: Any, told: Any, ints: Any) -> Any:
            w, o = layout.width, layout.obs_dim
            said = TickInput(told[:w], told[w : w + o], *(told[w + o + k] for k in range(6)))
            count, owed = Count(*(ints[k] for k in range(4))), Owed(ints[4], ints[5])
            carry, action, taken = online.tick(key, carry, dataset, said, count, owed)
            return carry, jnp.append(action, taken) if self.paced else action

        # Numbers cross packed into two arrays: each argument of a call costs microseconds.
        shared = (2, 4) if self.shared else (2,)
        self.program = seeds.compile(tick, shared=shared, donate=(1,))
        u = recipe.finetune.learner.minibatches
        # A pace draws its share once for all that is due: that stays one call.
        self._largest = sys.maxsize if self.paced else max(u, LARGEST_CALL // u * u)
        self.host = HostLoop(
            problem.make_env,
            names,
            problem.reward,
            recipe.finetune.learner.discount,
            problem.return_rule,
            problem.failure_reward,
            problem.physical,
            problem.env_name,
        )
        self._pending = 0
        self._ends = np.zeros(len(names), np.float32)
        self._behind = np.zeros(len(names), np.float32)
        self._scores = np.zeros((2, len(names)), np.float32)
        self.problem = problem

    def advance(self, carry: Many, steps: int) -> tuple[Many, list[tuple[int, Ended]]]:
        """One environment step of every seed (of at most `steps`); (env step, episode) pairs."""
        del steps
        at = self.at
        while max(at.owed) > self._largest and self.failed is None:
            carry, _ = self._call(carry, acts=0)
        if self.failed is not None:
            return carry, []
        try:
            self.host.begin()
            carry, actions = self._call(carry, acts=1)
            if self.failed is not None:
                return carry, []
            ended = self.host.step(actions)
        except TaskError as error:
            if not self.problem.physical:  # a simulator does the same again
                raise
            self.failed = error
            return carry, []
        at.env_steps += 1
        self._pending = 1
        for episode in ended:
            self._ends[episode.seed], self._behind[episode.seed] = 1.0, episode.behind
            score = self.problem.fraction(episode.raw_return, episode.success)
            self._scores[:, episode.seed] = score, episode.length
            at.closed[episode.seed] += 1
            self._owe_episode(episode.seed, episode.length)
        self._owe_step()
        return carry, [(at.env_steps, episode) for episode in ended]

    def close(self) -> None:
        """Close the training environments."""
        self.host.close()

    def catch_up(self, carry: Many) -> Many:
        """Insert and learn what is due."""
        while (self._pending or any(self.at.owed)) and not isinstance(self.failed, DivergedError):
            carry, _ = self._call(carry, acts=0)
        return carry

    def _call(self, carry: Many, acts: int) -> tuple[Many, np.ndarray]:
        at, host = self.at, self.host
        rest = (host.last_reward, host.first, self._ends, self._behind, *self._scores)
        told = np.concatenate([host.rows, host.obs, np.stack(rest, axis=1)], axis=1)
        taken = [min(owed, self._largest) for owed in at.owed]
        now = [self._pending, acts, at.env_steps, budget_of(self.recipe)]
        if self.shared:
            ints = np.array([*now, taken[0], at.done[0]], np.int32)
        else:
            ints = np.array([[*now, *own] for own in zip(taken, at.done, strict=True)], np.int32)
        carry, chosen = self.program(self.keys, carry, self.dataset, told, ints).parts()
        actions = chosen.host()
        at.owed = [o - n for o, n in zip(at.owed, taken, strict=True)]
        if self.paced:  # what the pace left away is owed no more
            actions, taken = actions[:, :-1], [int(n) for n in actions[:, -1]]
        at.done = [d + n for d, n in zip(at.done, taken, strict=True)]
        at.updates = max(at.done)
        self._pending = 0
        self._ends[:] = 0.0
        if not np.isfinite(actions).all():
            self.failed = diverged(carry, self.host.seeds, at) or self._bad_action(actions)
        return carry, actions

    def _bad_action(self, actions: np.ndarray) -> DivergedError:
        i = int(np.flatnonzero(~np.isfinite(actions).all(axis=1))[0])
        where = f"at environment step {self.at.env_steps:,}"
        return bad_action(self.host.seeds[i], where, self.host.obs[i])

    def _owe_step(self) -> None:
        """Blocks of whole steps; where only finished episodes are drawn, a seed needs one."""
        at, rhythm = self.at, self.recipe.finetune.rhythm
        if rhythm.every == 0 or at.env_steps <= self.recipe.replay.warmup.steps:
            return
        if at.env_steps % rhythm.every:
            return
        waits = self.recipe.finetune.learner.finished_only and not self.preloaded
        for i in range(len(at.owed)):
            if not waits or at.closed[i]:
                at.owed[i] += rhythm.updates * (rhythm.first if at.blocks[i] == 0 else 1)
                at.blocks[i] += 1

    def _owe_episode(self, seed: int, length: int) -> None:
        """A block is a whole episode, its updates count per row."""
        at, rhythm = self.at, self.recipe.finetune.rhythm
        if rhythm.every == 0 and at.env_steps > self.recipe.replay.warmup.steps:
            first = rhythm.first if at.blocks[seed] == 0 else 1
            rows = length if rhythm.per == "row" else 1
            at.owed[seed] += rhythm.updates * rows * first
            at.blocks[seed] += 1
