"""A model of the world, fitted to a dataset; nobody acts yet."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.dynamics import largest_deviation, log_likelihood, squared_error
from warmstart.errors import RecipeError
from warmstart.learners.base import BaseLearner
from warmstart.learners.learner import Metrics
from warmstart.nets.dynamics import Dynamics, DynamicsSpec, targets
from warmstart.parts import ModelFit, fitted
from warmstart.parts.model_fit import MODEL
from warmstart.ranges import Count
from warmstart.state import State, empty_stats, key_for
from warmstart.types import Clock, Spec, Transition
from warmstart.values import register


@register
@dataclass(frozen=True)
class DynamicsFit(BaseLearner):
    """An ensemble by maximum likelihood, until it has converged (Yu et al. 2020, algorithm 2).

    A batch is a minibatch for each network and, at its end, `held` rows that none of them learns
    from. Once no network improves there any more, all further updates change nothing: the number
    of updates is a limit, and stays a number. What is handed over are the best snapshots.

    Attributes:
        model: the networks.
        fit: how they learn, and when they are done.
        held: rows that measure.
    """

    model: DynamicsSpec = DynamicsSpec()
    fit: ModelFit = ModelFit()
    held: Count = 1_000
    discount = 1.0
    has_model: ClassVar[bool] = True

    @property
    def groups(self) -> int:
        """Networks that want rows of their own."""
        return self.model.members

    @property
    def apart(self) -> int:
        """Rows at the end of a batch that nobody learns from."""
        return self.held

    @property
    def batch(self) -> int:
        """Rows of one update."""
        return self.groups * self.fit.batch + self.held

    def check(self) -> None:
        """Raise RecipeError where nothing would measure, or the fit's rate shall fall."""
        if self.held < 1:
            raise RecipeError("a model's fit ends by its held-out error; set held >= 1")
        self.fit.optimiser.check_steady("learner.fit.optimiser")

    @property
    def policy_kind(self) -> str:
        """Nobody acts."""
        return "none"

    def networks_of(self, online: Any) -> DynamicsFit:
        """With the model of the online learner, where that has one."""
        return dataclasses.replace(self, model=getattr(online, "model", self.model))

    def init(self, key: Array, spec: Spec) -> State:
        """Fresh networks."""
        net = self.model.build(key_for(key, MODEL), spec.obs_dim, spec.action_dim)
        return self.fit.begun(State({MODEL: net}, {}, {}, {}, empty_stats(spec.obs_dim), {}))

    def study(self, state: State, data: Transition) -> State:
        """The model's scale of inputs and its goal, from all rows [N]."""
        net = state.nets[MODEL].fitted_to(data)
        return self.fit.begun(state.replace(nets={MODEL: net}))

    def update(
        self, key: Array, clock: Clock, state: State, batch: Transition
    ) -> tuple[State, Metrics]:
        """One step of every network on a batch [1, B], and a look where it is due."""
        del key
        own, learnt = self.fit.batch, self.groups * self.fit.batch
        rows = jax.tree.map(lambda x: x[0, :learnt].reshape(self.groups, own, *x.shape[2:]), batch)
        held = jax.tree.map(lambda x: x[0, learnt:], batch)
        taken = clock.updates + 1
        due = (taken % self.fit.look_every == 0) | (taken == clock.budget)

        def go(state: State) -> tuple[State, Metrics]:
            state, info = self.fit.step(state, rows, jnp.ones((self.groups, own)))
            state, seen = look_if(self.fit, due, state, held)
            return state, {"fit": {**info, "updates": jnp.ones(())}, "look": seen}

        shapes = jax.eval_shape(go, state)[1]
        zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
        done = state.signals["converged"]
        state, metrics = jax.lax.cond(done, lambda s: (s, zeros), go, state)
        return state, {**metrics, "end": {"converged": done * 1.0, "updates": jnp.ones(())}}

    def measure(self, key: Array, state: State, batch: Transition) -> dict[str, Array]:
        """See `model_measures`."""
        del key
        return model_measures(state.targets[MODEL], batch)

    def handed(self, state: State) -> State:
        """The best snapshots."""
        return fitted(state)


def look_if(
    fit: ModelFit, due: Array, state: State, held: Transition
) -> tuple[State, dict[str, Array]]:
    """`fit.look` where it is due; else zeros that count for nothing."""

    def look(state: State) -> tuple[State, dict[str, Array]]:
        state, info = fit.look(state, held)
        return state, {**info, "updates": jnp.ones(())}

    shapes = jax.eval_shape(look, state)[1]
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    return jax.lax.cond(due, look, lambda s: (s, zeros), state)


def model_measures(model: Dynamics, batch: Transition) -> dict[str, Array]:
    """On rows [B]: the elites' squared error and log-likelihood, and the penalty u(s, a)."""
    mean, log_var = model(batch.obs, batch.action)
    best, wanted = model.best(), targets(batch)
    return {
        "model_error": jnp.mean(squared_error(mean, wanted)[best]),
        "model_likelihood": jnp.mean(log_likelihood(mean, log_var, wanted)[best]),
        "model_penalty": jnp.mean(largest_deviation(log_var)),
    }
