"""Floor 3: who chooses the action. A rule sees networks through a view only.

`rule(key, clock, view, memory, step, mode)` gives actions [B, A] and the memory. `memory` is what a
rule carries through an episode, one entry for each environment; it starts anew where `step.first`
is 1. What is remembered from one episode to the next stands in the state's signals. `reads` says
which of "actor", "critic" and "prior" it looks at: so much of a state is stored with a policy (of a
rule without it, all).
"""

from __future__ import annotations

from typing import Any, Literal, Protocol, runtime_checkable

import jax.numpy as jnp
from jax import Array

Mode = Literal["explore", "evaluate"]


@runtime_checkable
class RemembersActions(Protocol):
    """A rule whose memory holds actions, and hears where another one was executed."""

    def executed(self, memory: Any, action: Array) -> Any:
        """The memory with `action` [B, A] in the place of the one that it chose last."""
        ...


def where_first(first: Array, new: Any, old: Any) -> Any:
    """`new` for the environments [B] whose episode begins, `old` for the others."""
    return jnp.where(first > 0, new, old)
