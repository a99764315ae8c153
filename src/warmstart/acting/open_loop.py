"""Chunks of actions, executed to their end before the policy is asked again (Li et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.acting.noise import Sampled
from warmstart.acting.rule import Acting, Forgets, Mode, where_first
from warmstart.errors import RecipeError
from warmstart.ranges import Count
from warmstart.types import Clock, Listener, Spec, Step
from warmstart.values import register
from warmstart.views import View


@register
@dataclass(frozen=True)
class OpenLoop(Listener):
    """`rule` chooses a chunk of `length` actions; they are executed one by one, unseeing.

    The rest of a chunk is dropped at an episode's end, and where something else was executed in
    the place of one of its actions: the chunk was meant for another state then.

    Attributes:
        rule: who chooses; one that remembers nothing, since it is asked at every chunk only.
        length: actions of a chunk, as the learner's `length`.

    Raises:
        RecipeError: a rule that remembers something.
    """

    rule: Acting = field(default_factory=lambda: Sampled("sample"))
    length: Count = 5

    def __post_init__(self) -> None:
        if not isinstance(self.rule, Forgets):
            raise RecipeError(
                f"acting.rule={type(self.rule).__name__} remembers the steps of an episode, and "
                "OpenLoop asks it at the beginning of each chunk only; set acting.rule=Sampled"
            )

    @property
    def chunk(self) -> int:
        """Actions of a chunk."""
        return self.length

    @property
    def reads(self) -> tuple[str, ...]:
        """As the rule. AttributeError where it does not say."""
        return self.rule.reads  # pyright: ignore[reportAttributeAccessIssue]

    def init(self, batch: int, spec: Spec) -> dict[str, Array]:
        """Chunks [B, h, A], and how many of their actions [B] are not executed yet."""
        chunks = jnp.zeros((batch, self.length, spec.action_dim))
        return {"chunk": chunks, "left": jnp.zeros(batch, jnp.int32)}

    def executed(self, memory: dict[str, Array], action: Array) -> dict[str, Array]:
        """The memory with the rest of its chunks dropped."""
        del action
        return {**memory, "left": jnp.zeros_like(memory["left"])}

    def __call__(
        self, key: Array, clock: Clock, view: View, memory: Any, step: Step, mode: Mode
    ) -> tuple[Array, Any]:
        """Actions [B, A] and what is left of the chunks."""
        before, h = memory["chunk"], self.length
        left = where_first(step.first, 0, memory["left"])
        asks = left == 0  # [B]

        def asked() -> Array:
            chunk = self.rule(key, clock, view, (), step, mode)[0].reshape(before.shape)
            return jnp.where(asks[:, None, None], chunk, before)

        chunk = jax.lax.cond(jnp.any(asks), asked, lambda: before)
        left = jnp.where(asks, h, left)
        action = jnp.take_along_axis(chunk, (h - left)[:, None, None], axis=1)[:, 0]
        return action, {"chunk": chunk, "left": left - 1}
