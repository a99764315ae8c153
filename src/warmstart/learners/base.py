"""A learner with every answer that is not its own: `init` and `update` suffice."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Literal

from jax import Array

from warmstart.errors import RecipeError
from warmstart.state import Normalise, State, merge_stats
from warmstart.types import Event, Transition
from warmstart.views import View


class BaseLearner:
    """What `Learner` asks, answered as a plain learner from single rows would.

    A subclass is a frozen, registered dataclass. It writes `init` and `update`, and overrides what
    differs, by a field, a class attribute or a property of the same name. With a field `policy` (a
    network's spec) the acting network's kind is read there.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    windows: ClassVar[bool] = False
    chunk = 1
    batch = 256
    minibatches = 1
    normalise: Normalise = "none"
    finished_only = False
    reads_returns = False
    reads_next_action = False
    discount: float = 0.99
    critic: Any = None
    policy: Any
    subscribes: frozenset[Any] = frozenset()
    acts_on: ClassVar[Literal["observation", "context"]] = "observation"
    has_model: ClassVar[bool] = False
    on_policy: ClassVar[bool] = False
    """Whether it learns from what its policy has just done, whole rollouts in the order of time."""
    reads_images = False

    @property
    def policy_kind(self) -> str:
        """The distribution that the policy's network returns."""
        return self.policy.distribution

    def check(self) -> None:
        """Nothing contradicts."""

    def with_discount(self, discount: float) -> Any:
        """With the task's discount, where `discount` is a field."""
        if "discount" not in self.__dataclass_fields__:
            return self
        return dataclasses.replace(self, discount=discount)

    def networks_of(self, online: Any) -> Any:
        """This learner with the networks of the online one that goes on with what it learns.

        Raises RecipeError where those are of another kind.
        """
        raise RecipeError(
            f"networks cannot cross from {type(self).__name__} to {type(online).__name__}; "
            "take pretrain and finetune from the same method"
        )

    def study(self, state: State, data: Transition) -> State:
        """The statistics of the dataset's observations, where they are used."""
        if self.normalise != "dataset":
            return state
        return state.replace(stats=merge_stats(state.stats, data.obs))

    def measure(self, key: Array, state: State, batch: Transition) -> dict[str, Array]:
        """Nothing."""
        del key, state, batch
        return {}

    def values(self, key: Array, state: State, batch: Transition) -> tuple[Array, Array] | None:
        """None: there are no critics."""
        del key, state, batch

    def view(self, state: State) -> View:
        """How acting rules and sources look at `state`."""
        return View(state, self.policy_kind, self.normalise)

    def observe(self, state: State, event: Event) -> State:
        """Nothing is remembered."""
        del event
        return state

    def handed(self, state: State) -> State:
        """What crosses to the next learner: all of it."""
        return state
