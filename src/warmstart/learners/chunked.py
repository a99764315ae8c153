"""An actor-critic whose action is a chunk: several actions in a row, executed blindly."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.chunks import Counts, discounted_sum, known_target, whole_mask
from warmstart.errors import RecipeError
from warmstart.learners.learner import Metrics
from warmstart.learners.wrapper import LearnerWrapper
from warmstart.parts.conservatism import NoConservatism
from warmstart.parts.constraint import NoConstraint
from warmstart.parts.flow import FlowCloning
from warmstart.parts.improvement import MaximiseQ
from warmstart.ranges import Count
from warmstart.state import State, key_for
from warmstart.types import Clock, Spec, Transition
from warmstart.values import register
from warmstart.views import View


@register
@dataclass(frozen=True)
class Chunked(LearnerWrapper):
    """`learner` on chunks of `length` actions (Li et al. 2025): one action of length * A numbers.

    A row and those behind it become one row of the learner's: R in the place of the reward,
    gamma^(h-1) times the masks' product in that of the mask, s_{t+h} behind it. Its target counts
    where it is known, and its actions as far as they were logged.
    """

    length: Count = 5

    @property
    def chunk(self) -> int:
        """Actions of a chunk."""
        return self.length

    def check(self) -> None:
        """As the learner, of whose parts none may read the whole of a logged action."""
        super().check()
        inner = self.learner
        parts = (
            ("improvement", inner.improvement, MaximiseQ | FlowCloning, "MaximiseQ"),
            ("constraint", inner.constraint, NoConstraint, "NoConstraint"),
            ("conservatism", inner.conservatism, NoConservatism, "NoConservatism"),
            ("value_fit", inner.value_fit, type(None), "none"),
            ("cloning", inner.cloning or None, type(None), "0"),
        )
        for field, part, known, instead in parts:
            if not isinstance(part, known):
                name = part if field == "cloning" else type(part).__name__
                raise RecipeError(
                    f"learner.{field}={name} reads a logged action whole, and a chunk that runs "
                    f"over an episode's end was logged in part; set learner.{field}={instead}"
                )
        if inner.reads_next_action:
            raise RecipeError(
                "the penalty on targets reads the action logged next, and chunks have none; set "
                "learner.backup.penalty=0"
            )

    def networks_of(self, online: Any) -> Chunked:
        """With the online learner's networks and its length."""
        if not isinstance(online, Chunked):
            return super().networks_of(online)
        inner = self.learner.networks_of(online.learner)
        return dataclasses.replace(self, learner=inner, length=online.length)

    def init(self, key: Array, spec: Spec) -> State:
        """A fresh state, whose policy and critics are of whole chunks."""
        wide = dataclasses.replace(spec, action_dim=self.length * spec.action_dim)
        return self.learner.init(key, wide)

    def study(self, state: State, data: Transition) -> State:
        """As the learner."""
        return self.learner.study(state, data)

    def update(
        self, key: Array, clock: Clock, state: State, batch: Transition
    ) -> tuple[State, Metrics]:
        """The learner's update on chunks."""
        return self.learner.update(key, clock, state, self.folded(key_for(key, "chunks"), batch))

    def folded(self, key: Array, batch: Transition) -> Transition:
        """Rows [...] with the steps behind them as rows of chunks.

        What would have been done behind an episode's end is drawn uniformly: behind a real one it
        makes no difference, and critics shall learn that of any action.
        """
        later, h = batch.later, self.length
        if later is None:  # h = 1: a row is its own chunk
            return batch
        lead = batch.reward.shape

        def joined(first: Array, rest: Array) -> Array:
            return jnp.concatenate([first[..., None], rest], axis=-1)  # [..., h]

        there = joined(jnp.ones(lead), later.there)
        mask = whole_mask(joined(batch.mask, later.mask), there)
        action = jnp.concatenate([batch.action[..., None, :], later.action], axis=-2)
        drawn = jax.random.uniform(key, action.shape, action.dtype, -1.0, 1.0)
        action = jnp.where(there[..., None] > 0.0, action, drawn)  # [..., h, A]
        logged = jnp.broadcast_to(there[..., None], action.shape)
        return batch._replace(
            action=action.reshape(*lead, -1),
            reward=discounted_sum(joined(batch.reward, later.reward), there, self.discount),
            mask=self.discount ** (h - 1) * mask,
            next_obs=later.next_obs,
            later=None,
            counts=Counts(known_target(mask, there), logged.reshape(*lead, -1)),
        )

    def measure(self, key: Array, state: State, batch: Transition) -> dict[str, Array]:
        """As the learner, on chunks whose target is known."""
        return self.learner.measure(key, state, self.folded(key_for(key, "chunks"), batch))

    def values(self, key: Array, state: State, batch: Transition) -> tuple[Array, Array] | None:
        """As the learner, of the chunk that begins at each row; NaN where it is not known."""
        batch = self.folded(key_for(key, "chunks"), batch)
        found = self.learner.values(key, state, batch)
        if found is None or batch.counts is None:
            return found
        return jnp.where(batch.counts.target > 0.0, found[0], jnp.nan), found[1]

    def view(self, state: State) -> View:
        """As the learner: policies give chunks [..., length * A], critics judge them."""
        return self.learner.view(state)
