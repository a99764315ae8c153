"""The acting rules that remember steps of an episode, in NumPy: see `rules`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.errors import TaskError
from warmstart.policy.learnt import Learnt

EPISODE = "acts on the episode so far"
Memory = tuple[np.ndarray, ...] | None


class Base:
    """What a rule answers that says nothing else; see `rules.Rule`."""

    reads_rewards = False

    def asks(self, guided: bool) -> str | None:
        """Nothing but one observation."""
        del guided
        return None

    def executed(self, memory: Memory, action: np.ndarray) -> Memory:
        """Actions are not remembered."""
        del action
        return memory

    def tried(self, learnt: Learnt, obs: np.ndarray) -> np.ndarray:
        """What the policy itself does at observations [N, O]."""
        return learnt.policy.mode(obs)


@dataclass(frozen=True)
class JumpStart(Base):
    """The frozen policy for the first steps of an episode, then the learnt one."""

    kind: str
    stages: int
    window: int
    tolerance: float
    probability: float
    keep: float

    def remembers(self, explores: bool) -> bool:
        """Evaluation of the roll-in is the learnt policy's alone."""
        return explores or self.kind != "roll_in"

    def asks(self, guided: bool) -> str | None:
        """Without a frozen policy one alone acts."""
        return EPISODE if guided and self.remembers(False) else None

    def __call__(
        self, learnt: Learnt, obs: Any, memory: Any, first: Any, rng: Any, reward: Any
    ) -> Any:
        """See `rules.Rule`."""
        policy, pretrained, n = learnt.policy, learnt.pretrained, len(obs)
        own = policy.mode(obs) if rng is None else policy.sample(obs, rng)
        if pretrained is None or (rng is None and self.kind == "roll_in"):
            return own, None
        t, guided = (np.zeros(n), np.zeros(n)) if memory is None else memory
        t = np.where(first, 0.0, t + 1.0)
        guided = np.where(first, self._drawn(learnt, n, rng, bool(first.any())), guided)
        guides = t < guided
        other = pretrained.mode(obs) if rng is None else pretrained.sample(obs, rng)
        return np.where(guides[:, None], other, own), (t, guided)

    def _drawn(self, learnt: Learnt, n: int, rng: Any, wanted: bool) -> np.ndarray:
        """Guided steps [n] of episodes that begin."""
        now = learnt.signals["jump_start"]
        guide = float(now["guide"])
        if self.kind == "curriculum":
            left = guide * (1.0 - float(now["stage"]) / self.stages)
            return np.full(n, left if guide > 0 else np.inf)
        if not wanted:
            return np.zeros(n)
        if rng is None:
            raise TaskError(
                "this policy (JumpStart, random) draws at each episode's start how long the frozen "
                "policy guides: give rng=np.random.default_rng(SEED) to predict, and "
                "deterministic=False"
            )
        if self.kind == "random":
            share = rng.integers(1, self.stages + 1, n) / self.stages
            return guide * share if guide > 0 else np.full(n, np.inf)
        begins = rng.random(n) < self.probability
        return np.where(begins, rng.geometric(1.0 - self.keep, n), 0.0)


class OfEpisode(Base, ABC):
    """Rules that need the steps of the episode so far, always."""

    def remembers(self, explores: bool) -> bool:
        """Always."""
        del explores
        return True

    def asks(self, guided: bool) -> str | None:
        """It remembers."""
        del guided
        return EPISODE

    def tried(self, learnt: Learnt, obs: np.ndarray) -> np.ndarray:
        """The rule's own first actions [N, A] at observations [N, O]."""
        return self(learnt, obs, None, np.ones(len(obs), bool), None, None)[0]

    @abstractmethod
    def __call__(
        self, learnt: Learnt, obs: Any, memory: Any, first: Any, rng: Any, reward: Any
    ) -> Any:
        """See `rules.Rule`."""


@dataclass(frozen=True)
class Desired(OfEpisode):
    """A policy over the last steps that is asked for a return."""

    target: float
    explore: float | None
    unit: str
    length: int
    reads_rewards = True

    def executed(self, memory: Memory, action: np.ndarray) -> Memory:
        """The last step of the context has what was executed."""
        assert memory is not None
        returns, seen, actions, t = memory
        actions = actions.copy()
        actions[:, -1] = action
        return returns, seen, actions, t

    def __call__(
        self, learnt: Learnt, obs: Any, memory: Any, first: Any, rng: Any, reward: Any
    ) -> Any:
        """See `rules.Rule`."""
        n, policy = len(obs), learnt.policy
        if memory is None:
            width = learnt.actions
            steps = np.zeros((n, self.length), np.float32)
            memory = (
                steps,
                np.zeros((n, self.length, obs.shape[1]), np.float32),
                np.zeros((n, self.length, width), np.float32),
                steps - 1.0,
            )
        returns, seen, actions, t = memory
        t = np.where(first[:, None], np.float32(-1.0), t)
        if reward is None:
            if not first.all():
                raise TaskError(
                    "this policy (Desired) is asked for a return, which falls by every reward "
                    "received: give predict reward=, what the environment paid for the last step"
                )
            reward = np.zeros(n, np.float32)
        scale, bias = learnt.reward
        left = returns[:, -1] - np.float32(scale * reward + bias)
        now = np.where(first, self._wanted(learnt, rng is not None), left)
        returns = np.concatenate([returns[:, 1:], now[:, None]], axis=1, dtype=np.float32)
        seen = np.concatenate([seen[:, 1:], obs[:, None]], axis=1)
        actions = np.concatenate([actions[:, 1:], np.zeros_like(actions[:, :1])], axis=1)
        t = np.concatenate([t[:, 1:], t[:, -1:] + 1.0], axis=1)
        context = (returns / learnt.stats["return_scale"], policy.scaled(seen), actions, t)
        if rng is None:
            action = policy.kind.mode(policy.net, *context)
        else:
            action = policy.kind.draw(policy.net, rng, *context)
        actions[:, -1] = action
        return action, (returns, seen, actions, t)

    def _wanted(self, learnt: Learnt, explores: bool) -> np.float32:
        target = self.explore if explores and self.explore is not None else self.target
        if self.unit == "reward":
            return np.float32(target)
        low, high = (learnt.stats[f"return_{name}"] for name in ("low", "high"))
        return np.float32(low + np.float32(target) * (high - low))


@dataclass(frozen=True)
class OpenLoop(OfEpisode):
    """Chunks of actions by another rule, executed one by one: it remembers what is left."""

    rule: Any  # of `rules`, one that remembers nothing
    length: int

    def executed(self, memory: Memory, action: np.ndarray) -> Memory:
        """The rest of the chunk is dropped: it was meant for another state."""
        del action
        assert memory is not None
        chunk, left = memory
        return chunk, np.zeros_like(left)

    def __call__(
        self, learnt: Learnt, obs: Any, memory: Any, first: Any, rng: Any, reward: Any
    ) -> Any:
        """See `rules.Rule`."""
        n, h = len(obs), self.length
        if memory is None:
            memory = np.zeros((n, h, learnt.actions), np.float32), np.zeros(n, np.int64)
        chunk, left = memory
        left = np.where(first, 0, left)
        asks = left == 0
        if asks.any():
            made, _ = self.rule(learnt, obs[asks], None, first[asks], rng, None)
            chunk = chunk.copy()
            chunk[asks] = made.reshape(-1, h, learnt.actions)
        left = np.where(asks, h, left)
        return chunk[np.arange(n), h - left], (chunk, left - 1)
