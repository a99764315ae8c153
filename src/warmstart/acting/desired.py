"""Ask for a return, and act on the last steps (Chen et al. 2021, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.acting.rule import Mode
from warmstart.ranges import Count, Finite
from warmstart.types import Clock, Context, Listener, Spec, Step
from warmstart.values import register
from warmstart.views import View


@register
@dataclass(frozen=True)
class Desired(Listener):
    """The policy's action, given what return is still wanted and the last `length` steps.

    Explores with a draw, evaluates with the mode. What is wanted falls by each reward received.

    Attributes:
        target: the return that an evaluation asks for.
        explore: the one that training asks for (None: the same).
        unit: "data": 0 is the lowest and 1 the highest return of an episode in the dataset;
            "reward": a sum of rewards, after the task's reward transform.
        length: steps of context, read again at every step: what is kept of earlier readings
            would be exact for the first `length` steps of an episode only.
    """

    target: Finite = 1.0
    explore: Finite | None = None
    unit: Literal["data", "reward"] = "data"
    length: Count = 20

    reads: ClassVar[tuple[str, ...]] = ("actor",)
    acts_on: ClassVar[str] = "context"

    def init(self, batch: int, spec: Spec) -> Context:
        """Contexts [B, T] of nothing."""
        return Context(
            jnp.zeros((batch, self.length)),
            jnp.zeros((batch, self.length, spec.obs_dim)),
            jnp.zeros((batch, self.length, spec.action_dim)),
            jnp.full((batch, self.length), -1.0, jnp.float32),
        )

    def wanted(self, view: View, mode: Mode) -> Array:
        """The return [] to ask for at the start of an episode."""
        target = self.target if mode == "evaluate" or self.explore is None else self.explore
        if self.unit == "reward":
            return jnp.float32(target)
        low, high = (view.state.stats[f"return_{name}"] for name in ("low", "high"))
        return low + target * (high - low)

    def executed(self, memory: Context, action: Array) -> Context:
        """The context with what was really done [B, A] at the last step."""
        return memory._replace(action=memory.action.at[:, -1].set(action))

    def __call__(
        self, key: Array, clock: Clock, view: View, memory: Any, step: Step, mode: Mode
    ) -> tuple[Array, Any]:
        """Actions [B, A] and the context with this step."""
        del clock
        first = step.first > 0
        before = memory._replace(t=jnp.where(first[:, None], -1.0, memory.t))
        now = Context(
            jnp.where(first, self.wanted(view, mode), before.returns[:, -1] - step.last_reward),
            step.obs,
            jnp.zeros_like(before.action[:, -1]),
            before.t[:, -1] + 1.0,
        )
        context = jax.tree.map(
            lambda old, new: jnp.concatenate([old[:, 1:], new[:, None]], axis=1), before, now
        )
        policy = jax.tree.map(lambda x: x[:, -1], view.over(context))
        action = policy.sample(key) if mode == "explore" else policy.mode()
        return action, context._replace(action=context.action.at[:, -1].set(action))
