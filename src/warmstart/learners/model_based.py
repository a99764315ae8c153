"""An actor-critic that carries a model of the world along, and may fit it again."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.errors import RecipeError
from warmstart.learners.dynamics_fit import look_if, model_measures
from warmstart.learners.learner import Metrics
from warmstart.learners.wrapper import LearnerWrapper
from warmstart.nets.dynamics import DynamicsSpec
from warmstart.parts import ModelFit, fitted
from warmstart.parts.model_fit import MODEL
from warmstart.ranges import Count
from warmstart.replay import Faded, Layout, Stores, Wanted
from warmstart.state import State, key_for
from warmstart.types import Clock, Spec, Transition
from warmstart.values import register
from warmstart.views import View

REFITS = "refits"


@register
@dataclass(frozen=True)
class Refit:
    """The model is fitted again, on from where it is, once in `every` environment steps.

    Attributes:
        fit: how, and when it is done.
        source: whose rows, by which priority (Mao et al. 2022, algorithm 1).
        every: environment steps between two fits.
        most: largest number of steps of a fit.
        held: rows that measure; drawn again for each fit, which then does not learn from them.
    """

    fit: ModelFit = ModelFit()
    source: Faded = Faded()
    every: Count = 1_000
    most: Count = 1_000
    held: Count = 1_000

    def __call__(
        self, key: Array, clock: Clock, state: State, stores: Stores, layout: Layout
    ) -> State:
        """The state behind a fit, where one is due."""
        rounds = clock.env_steps // self.every
        due = rounds != state.signals[REFITS]

        def go(state: State) -> State:
            state = self._fit(key, clock, self.fit.begun(state), stores, layout, due)
            return fitted(state)

        state = jax.lax.cond(due, go, lambda s: s, state)
        return state.replace(signals={**state.signals, REFITS: rounds})

    def _fit(
        self, key: Array, clock: Clock, state: State, stores: Stores, layout: Layout, due: Array
    ) -> State:
        groups = state.nets[MODEL].members
        want = Wanted((groups, self.fit.batch), False, layout, groups, self.held)
        kept = key_for(key, "held")
        held = layout.unpack(self.source.held(kept, clock, stores, want))

        def more(loop: tuple[Array, State]) -> Array:
            taken, state = loop
            # `due` once more: over an axis of seeds a branch is taken by all of them.
            return due & (taken < self.most) & ~state.signals["converged"]

        def step(loop: tuple[Array, State]) -> tuple[Array, State]:
            taken, state = loop
            k = jax.random.fold_in(key_for(key, "fit"), taken)
            rows, weight = self.source.learnt(k, kept, clock, stores, want)
            state, _ = self.fit.step(state, layout.unpack(rows), weight)
            taken = taken + 1
            look = (taken % self.fit.look_every == 0) | (taken == self.most)
            return taken, look_if(self.fit, look, state, held)[0]

        return jax.lax.while_loop(more, step, (jnp.int32(0), state))[1]


@register
@dataclass(frozen=True)
class ModelBased(LearnerWrapper):
    """`learner`, with an ensemble beside its networks for a source to imagine rows by.

    Attributes:
        learner: what learns from the rows; it knows nothing of the model.
        model: the networks of the model.
        refit: when the model is fitted again; None: it stays as it was handed over.
    """

    model: DynamicsSpec = DynamicsSpec()
    refit: Refit | None = None
    has_model: ClassVar[bool] = True

    def networks_of(self, online: Any) -> ModelBased:
        """With the online learner's networks and, where it has one, its model."""
        model = getattr(online, "model", self.model)
        inner = self.learner.networks_of(online)
        return dataclasses.replace(self, learner=inner, model=model)

    def check(self) -> None:
        """As the learner; imagined rows have no returns, and a refit no phase of its own."""
        super().check()
        if self.refit is not None:
            self.refit.fit.optimiser.check_steady("learner.refit.fit.optimiser")
        if self.reads_returns or self.finished_only:
            unset = ["learner.finished_only=false"] if self.finished_only else []
            unset += ["learner.conservatism.calibrated=false"] if self.reads_returns else []
            raise RecipeError(f"imagined rows have no returns-to-go; set {' and '.join(unset)}")

    def init(self, key: Array, spec: Spec) -> State:
        """The learner's fresh state, and a fresh model."""
        state = self.learner.init(key, spec)
        net = self.model.build(key_for(key, MODEL), spec.obs_dim, spec.action_dim)
        state = state.replace(nets={**state.nets, MODEL: net})
        if self.refit is None:
            return state
        opts = {**state.opts, MODEL: self.refit.fit.start(net)}
        return state.replace(opts=opts, signals={**state.signals, REFITS: jnp.int32(0)})

    def study(self, state: State, data: Transition) -> State:
        """As the learner; and the model's scale of inputs and its goal, from all rows [N]."""
        net = state.nets[MODEL].fitted_to(data)
        return self.learner.study(state.replace(nets={**state.nets, MODEL: net}), data)

    def prepare(
        self, key: Array, clock: Clock, state: State, stores: Stores, layout: Layout
    ) -> State:
        """Before rows are drawn: the model is fitted again where that is due."""
        return state if self.refit is None else self.refit(key, clock, state, stores, layout)

    def update(
        self, key: Array, clock: Clock, state: State, batch: Transition
    ) -> tuple[State, Metrics]:
        """The learner's update."""
        state, metrics = self.learner.update(key, clock, state, batch)
        model = state.nets[MODEL]
        error = jnp.mean(model.error[model.best()])
        return state, {**metrics, "model": {"held_out_error": error, "updates": jnp.ones(())}}

    def measure(self, key: Array, state: State, batch: Transition) -> dict[str, Array]:
        """As the learner; and what the model is worth on rows [B]."""
        return {
            **self.learner.measure(key, state, batch),
            **model_measures(state.nets[MODEL], batch),
        }

    def values(self, key: Array, state: State, batch: Transition) -> tuple[Array, Array] | None:
        """As the learner."""
        return self.learner.values(key, state, batch)

    def view(self, state: State) -> View:
        """As the learner."""
        return self.learner.view(state)
