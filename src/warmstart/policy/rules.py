"""The acting rules of `warmstart.acting` in NumPy; their mathematics stand there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from warmstart.errors import RunError, TaskError
from warmstart.policy.learnt import Learnt

Memory = tuple[np.ndarray, ...] | None


class Rule(Protocol):
    """Who chooses the action."""

    def remembers(self, explores: bool) -> bool:
        """Whether it needs the steps of the episode so far."""
        ...

    def __call__(
        self,
        learnt: Learnt,
        obs: np.ndarray,
        memory: Memory,
        first: np.ndarray,
        rng: np.random.Generator | None,
        reward: np.ndarray | None,
    ) -> tuple[np.ndarray, Memory]:
        """Actions [N, A] at [N, O] and what to remember; `rng` None: as in evaluation."""
        ...


class Forgetful:
    """Rules that need nothing of the episode so far."""

    def remembers(self, explores: bool) -> bool:
        """Never."""
        del explores
        return False


@dataclass(frozen=True)
class Sampled(Forgetful):
    """The mode, or a draw.

    Evaluation is by the mode here, also of a rule whose own evaluation draws (`evaluate`): what
    acts outside of a run gives the same action at the same observation, where none asks otherwise.
    """

    evaluate: str = "mode"

    def __call__(
        self, learnt: Learnt, obs: Any, memory: Any, first: Any, rng: Any, reward: Any
    ) -> Any:
        """See `Rule`."""
        policy = learnt.policy
        return (policy.mode(obs) if rng is None else policy.sample(obs, rng)), None


@dataclass(frozen=True)
class Noisy(Forgetful):
    """The mode, or with noise around it."""

    sigma: float

    def __call__(
        self, learnt: Learnt, obs: Any, memory: Any, first: Any, rng: Any, reward: Any
    ) -> Any:
        """See `Rule`."""
        action = learnt.policy.mode(obs)
        if rng is not None:
            noise = rng.standard_normal(action.shape, np.float32)
            action = np.clip(action + np.float32(self.sigma) * noise, -1.0, 1.0)
        return action, None


@dataclass(frozen=True)
class Optimistic(Forgetful):
    """The mode, or the best by value of several actions around it."""

    candidates: int
    sigma: float
    optimism: float

    def __call__(
        self, learnt: Learnt, obs: Any, memory: Any, first: Any, rng: Any, reward: Any
    ) -> Any:
        """See `Rule`."""
        centre = learnt.policy.mode(obs)
        if rng is None:
            return centre, None
        noise = rng.standard_normal((self.candidates, *centre.shape), np.float32)
        noise[0] = 0.0
        around = np.clip(centre + np.float32(self.sigma) * noise, -1.0, 1.0)
        q = learnt.q(obs, around)
        best = np.argmax(q.mean(axis=0) + self.optimism * q.std(axis=0), axis=0)
        return around[best, np.arange(len(best))], None


@dataclass(frozen=True)
class BestOf(Forgetful):
    """The best by value of several draws; in evaluation the draws are the same at every step."""

    candidates: int
    pessimism: float | None

    def __call__(
        self, learnt: Learnt, obs: Any, memory: Any, first: Any, rng: Any, reward: Any
    ) -> Any:
        """See `Rule`."""
        many = np.broadcast_to(obs, (self.candidates, *obs.shape))
        if rng is None:  # an action is a function of its own observation, whatever the batch
            each = (many[:, i : i + 1] for i in range(len(obs)))
            drawn = [learnt.policy.sample(one, np.random.default_rng(0)) for one in each]
            drawn = np.concatenate(drawn, axis=1)
        else:
            drawn = learnt.policy.sample(many, rng)
        q = learnt.q(obs, drawn)
        if self.pessimism is None:
            judged = q.min(axis=0)
        else:
            judged = q.mean(axis=0) - self.pessimism * q.std(axis=0)
        return drawn[np.argmax(judged, axis=0), np.arange(len(obs))], None


@dataclass(frozen=True)
class ByValue(Forgetful):
    """The frozen policy or the learnt one, by value.

    Evaluation is greedy here, where a run's own evaluation draws a share `epsilon` of the actions.
    """

    inverse_temperature: float
    epsilon: float

    def __call__(
        self, learnt: Learnt, obs: Any, memory: Any, first: Any, rng: Any, reward: Any
    ) -> Any:
        """See `Rule`."""
        own = learnt.policy.mode(obs) if rng is None else learnt.policy.sample(obs, rng)
        if learnt.pretrained is None:  # before the switch there is one policy only
            return own, None
        both = np.stack([learnt.pretrained.mode(obs), own])
        q = learnt.q(obs, both).min(axis=0)  # [2, N]
        if rng is not None:  # the largest of logits with Gumbel noise is a draw of their softmax
            q = q * self.inverse_temperature + rng.gumbel(size=q.shape)
        return both[np.argmax(q, axis=0), np.arange(len(own))], None


@dataclass(frozen=True)
class JumpStart:
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

    def __call__(
        self, learnt: Learnt, obs: Any, memory: Any, first: Any, rng: Any, reward: Any
    ) -> Any:
        """See `Rule`."""
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


@dataclass(frozen=True)
class Desired:
    """A policy over the last steps that is asked for a return."""

    target: float
    explore: float | None
    unit: str
    length: int

    def remembers(self, explores: bool) -> bool:
        """Always."""
        del explores
        return True

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
        """See `Rule`."""
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
            action = policy.executed(policy.net.mean(*context))
        else:
            action = policy.drawn(rng, *context)
        actions[:, -1] = action
        return action, (returns, seen, actions, t)

    def _wanted(self, learnt: Learnt, explores: bool) -> np.float32:
        target = self.explore if explores and self.explore is not None else self.target
        if self.unit == "reward":
            return np.float32(target)
        low, high = (learnt.stats[f"return_{name}"] for name in ("low", "high"))
        return np.float32(low + np.float32(target) * (high - low))


_RULES: dict[str, type] = {
    rule.__name__: rule
    for rule in (Sampled, Noisy, Optimistic, BestOf, ByValue, JumpStart, Desired)
}


def rule_of(described: dict[str, Any]) -> Rule:
    """The rule that a card describes, as `values.to_json` wrote it.

    Raises:
        RunError: a rule that is not known here, such as one of the user's own.
        TypeError: other fields than it has.
    """
    fields = dict(described)
    kind = fields.pop("is")
    if kind not in _RULES:
        raise RunError(f"the acting rule {kind} has no form in NumPy")
    return _RULES[kind](**fields)
