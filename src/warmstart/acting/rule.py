"""Who chooses the action. A rule sees networks through a view only.

`rule(key, clock, view, memory, step, mode)` gives actions [B, A] and the memory. `memory` is what a
rule carries through an episode, one entry for each environment; it starts again where `step.first`
is 1. What is remembered from one episode to the next stands in the state's signals. `reads` says
which of "actor", "critic" and "pretrained" it looks at: so much of a state is stored with a policy
(of a rule without it, all), and what it looks at must be there. `acts_on` says what it shows the
policy: one "observation", or the steps so far, a "context".
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import jax.numpy as jnp
from jax import Array

from warmstart.types import Clock, Event, Listener, Spec, Step
from warmstart.views import View

Mode = Literal["explore", "evaluate"]
"""Whether an action is chosen to learn from, or to be judged."""


class Acting(Protocol):
    """Who chooses the action. Most subclass `types.Listener` for what they do not need."""

    subscribes: ClassVar[tuple[Any, ...]]

    def signals(self) -> dict[str, Any]:
        """What it remembers from one episode to the next, in `State.signals`."""
        ...

    def observe(self, signals: dict[str, Any], event: Event) -> dict[str, Any]:
        """The signals after something happened."""
        ...

    def init(self, batch: int, spec: Spec) -> Any:
        """The memory of `batch` environments, leaves [B, ...]."""
        ...

    def __call__(
        self, key: Array, clock: Clock, view: View, memory: Any, step: Step, mode: Mode
    ) -> tuple[Array, Any]:
        """Actions [B, A] and the memory."""
        ...


class Forgets(Listener):
    """A rule that remembers nothing within an episode."""

    def init(self, batch: int, spec: Spec) -> Any:
        """Nothing to remember."""
        del batch, spec
        return ()


@runtime_checkable
class RemembersActions(Protocol):
    """A rule whose memory holds actions, and is corrected where another one was executed."""

    def executed(self, memory: Any, action: Array) -> Any:
        """The memory with `action` [B, A] in the place of the one that it chose last."""
        ...


def where_first(first: Array, new: Any, old: Any) -> Any:
    """`new` for the environments [B] whose episode begins, `old` for the others."""
    return jnp.where(first > 0, new, old)
