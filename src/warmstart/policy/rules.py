"""The acting rules of `warmstart.acting` in NumPy; their mathematics stand there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from warmstart.errors import RunError
from warmstart.policy.learnt import Learnt
from warmstart.policy.remembering import Base, Desired, JumpStart, Memory, OpenLoop


class Rule(Protocol):
    """Who chooses the action."""

    def remembers(self, explores: bool) -> bool:
        """Whether it needs the steps of the episode so far."""
        ...

    @property
    def reads_rewards(self) -> bool:
        """Whether it needs what the environment paid, too."""
        ...

    def asks(self, guided: bool) -> str | None:
        """What its evaluation needs beside one observation, in words, where the frozen policy is
        there (`guided`) or is not; None: nothing."""
        ...

    def executed(self, memory: Memory, action: np.ndarray) -> Memory:
        """What it remembers after another action [1, A] was executed than it chose."""
        ...

    def tried(self, learnt: Learnt, obs: np.ndarray) -> np.ndarray:
        """Some actions [N, A] at observations [N, O], to see that all sizes fit together."""
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


class Forgetful(Base):
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
class Progressive(Forgetful):
    """The corrected action; in training the base's own in a share that falls with the steps."""

    over: int

    def __call__(
        self, learnt: Learnt, obs: Any, memory: Any, first: Any, rng: Any, reward: Any
    ) -> Any:
        """See `Rule`."""
        policy = learnt.policy
        if rng is None:
            return policy.mode(obs), None
        action = policy.sample(obs, rng)
        if self.over:
            base = obs[:, -learnt.actions :]
            corrects = rng.random(len(obs)) * self.over < learnt.env_steps
            action = np.where(corrects[:, None], action, base)
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

    def asks(self, guided: bool) -> str | None:
        """The critics."""
        del guided
        return "asks critics which of its draws acts"

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

    def asks(self, guided: bool) -> str | None:
        """The critics, where there are two policies."""
        return "asks critics which of two policies acts" if guided else None

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


_RULES: dict[str, type] = {
    rule.__name__: rule
    for rule in (
        Sampled,
        Noisy,
        Progressive,
        Optimistic,
        BestOf,
        ByValue,
        JumpStart,
        Desired,
        OpenLoop,
    )
}


def rule_of(described: dict[str, Any]) -> Rule:
    """The rule that a card describes, as `values.to_json` wrote it.

    Raises:
        RunError: a rule that is not known here, such as one of the user's own.
        TypeError: other fields than it has.
    """
    fields: dict[str, Any] = dict(described)
    kind = fields.pop("is")
    if kind not in _RULES:
        raise RunError(f"the acting rule {kind} has no form in NumPy")
    if "rule" in fields:
        fields["rule"] = rule_of(fields["rule"])
    return _RULES[kind](**fields)
