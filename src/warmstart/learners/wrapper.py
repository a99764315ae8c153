"""What learners that stand around an actor-critic have in common."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Self

from warmstart.learners.actor_critic import ActorCritic
from warmstart.learners.base import BaseLearner
from warmstart.state import Normalise, State
from warmstart.types import Event


@dataclass(frozen=True)
class LearnerWrapper(BaseLearner):
    """Answers as the learner inside; a subclass says what it does otherwise.

    Attributes:
        learner: the learner inside.
    """

    learner: ActorCritic = field(default_factory=ActorCritic)

    @property
    def batch(self) -> int:
        """As the learner."""
        return self.learner.batch

    @property
    def minibatches(self) -> int:
        """As the learner."""
        return self.learner.minibatches

    @property
    def normalise(self) -> Normalise:
        """As the learner."""
        return self.learner.normalise

    @property
    def finished_only(self) -> bool:
        """As the learner."""
        return self.learner.finished_only

    @property
    def reads_returns(self) -> bool:
        """As the learner."""
        return self.learner.reads_returns

    @property
    def reads_next_action(self) -> bool:
        """As the learner."""
        return self.learner.reads_next_action

    @property
    def discount(self) -> float:
        """As the learner."""
        return self.learner.discount

    @property
    def critic(self) -> Any:
        """As the learner."""
        return self.learner.critic

    @property
    def policy_kind(self) -> str:
        """As the learner."""
        return self.learner.policy_kind

    @property
    def subscribes(self) -> frozenset[Any]:
        """As the learner."""
        return self.learner.subscribes

    def check(self) -> None:
        """As the learner."""
        self.learner.check()

    def with_discount(self, discount: float) -> Self:
        """The same around the learner with a task's discount."""
        return dataclasses.replace(self, learner=self.learner.with_discount(discount))

    def observe(self, state: State, event: Event) -> State:
        """As the learner."""
        return self.learner.observe(state, event)


def unwrapped(learner: Any) -> Any:
    """The learner inside, where one stands around another; else itself."""
    return learner.learner if isinstance(learner, LearnerWrapper) else learner
