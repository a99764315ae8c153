"""How a model of the world is fitted: steps of gradient, looks at held-out rows, an end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.dynamics import log_likelihood, model_loss, squared_error
from warmstart.errors import RecipeError
from warmstart.nets.dynamics import Dynamics, targets
from warmstart.ranges import Count, NotNegative, Whole
from warmstart.state import Optimiser, State, descend
from warmstart.types import Transition
from warmstart.values import register

MODEL = "model"
"""The name under which the ensemble stands in a state."""


@register
@dataclass(frozen=True)
class ModelFit:
    """Maximum likelihood with learned bounds of the variance, stopped by held-out error.

    The loss is that of Yu et al. 2020 (and Chua et al. 2018): `model_loss` plus `bounds` times the
    sum of high - low plus the weights' decay. `state.nets` holds the networks that learn,
    `state.targets` the best snapshot of each, `state.signals` what `start` gives.

    Attributes:
        batch: rows of each network's minibatch.
        optimiser: Adam's.
        decay: coefficients of ||W||^2 / 2, layer by layer; the last one is the head's.
        bounds: weight of the bounds' distance.
        look_every: steps between two looks at the held-out rows.
        patience: looks in a row without any network's improvement before one more ends the fit.
        tolerance: share of the error by which a network must improve to be kept.

    Raises:
        RecipeError: no coefficient of decay.
    """

    batch: Count = 256
    optimiser: Optimiser = Optimiser(1e-3)
    decay: tuple[NotNegative, ...] = (2.5e-5, 5e-5, 7.5e-5, 7.5e-5, 1e-4)
    bounds: NotNegative = 0.01
    look_every: Count = 1_000
    patience: Whole = 5
    tolerance: NotNegative = 0.01

    def __post_init__(self) -> None:
        if not self.decay:
            raise RecipeError(
                "a model's fit needs at least one coefficient of decay; set learner.fit.decay=0"
            )

    def start(self, net: Any) -> Any:
        """The optimiser's first state."""
        return self.optimiser.build().init(net)

    def begun(self, state: State) -> State:
        """The state with an optimiser, snapshots that count for nothing, and no look taken."""
        net = state.nets[MODEL]
        blank = _with_error(net, jnp.full(net.members, jnp.inf))
        opts = {**state.opts}
        if MODEL not in opts:
            opts[MODEL] = self.start(net)
        return state.replace(
            opts=opts,
            # A copy: a buffer that is donated must not stand in two places of one state.
            targets={**state.targets, MODEL: jax.tree.map(jnp.copy, blank)},
            signals={**state.signals, "stale": jnp.int32(0), "converged": jnp.zeros((), bool)},
        )

    def step(self, state: State, batch: Transition, weight: Array) -> tuple[State, dict[str, Any]]:
        """One step of every network on rows [E, B] of its own with weights [E, B]."""
        wanted = targets(batch)

        def loss(net: Dynamics) -> tuple[Array, dict[str, Array]]:
            mean, log_var = net(batch.obs, batch.action)
            likelihood = model_loss(mean, log_var, wanted, weight)
            total = likelihood + self.bounds * jnp.sum(net.high - net.low) + net.decay(self.decay)
            error = jnp.mean((mean - wanted) ** 2)
            return total, {"model_loss": total, "model_error": error}

        net = state.nets[MODEL]
        state, info = descend(MODEL, state, loss, self.optimiser)
        # Scale and goal are measured, not learnt.
        new = _with_error(state.nets[MODEL], net.error, net)
        return state.replace(nets={**state.nets, MODEL: new}), info

    def look(self, state: State, held: Transition) -> tuple[State, dict[str, Any]]:
        """Networks that improved on held-out rows [H] are kept; who waits too long is done."""
        net, best = state.nets[MODEL], state.targets[MODEL]
        mean, log_var = net(held.obs, held.action)
        error = squared_error(mean, targets(held))
        better = (best.error - error) / best.error > self.tolerance
        better = better | jnp.isinf(best.error)
        stale = jnp.where(jnp.any(better), 0, state.signals["stale"] + 1)
        best = snapshot(better, _with_error(net, error), best)
        info = {
            "held_out_error": jnp.mean(jnp.sort(best.error)[: best.elites]),
            "held_out_likelihood": jnp.mean(log_likelihood(mean, log_var, targets(held))),
        }
        signals = {**state.signals, "stale": stale, "converged": stale > self.patience}
        return state.replace(targets={**state.targets, MODEL: best}, signals=signals), info


def fitted(state: State) -> State:
    """The state behind a fit: every network as its best snapshot, and no trace of the fit."""
    gone = ("stale", "converged")
    return state.replace(
        nets={**state.nets, MODEL: state.targets[MODEL]},
        targets={name: net for name, net in state.targets.items() if name != MODEL},
        signals={name: x for name, x in state.signals.items() if name not in gone},
    )


def snapshot(better: Array, new: Dynamics, old: Dynamics) -> Dynamics:
    """Networks of `new` where `better` [E], else of `old`; the shared bounds are the newest."""

    def pick(a: Array, b: Array) -> Array:
        return jnp.where(better.reshape(-1, *(1,) * (a.ndim - 1)), a, b)

    return Dynamics(
        trunk=jax.tree.map(pick, new.trunk, old.trunk),
        head=jax.tree.map(pick, new.head, old.head),
        low=new.low,
        high=new.high,
        centre=new.centre,
        spread=new.spread,
        goal=new.goal,
        error=pick(new.error, old.error),
        elites=new.elites,
    )


def _with_error(net: Dynamics, error: Array, measured: Dynamics | None = None) -> Dynamics:
    """The same networks with an error [E], and with what was measured for others."""
    by = net if measured is None else measured
    return Dynamics(
        net.trunk, net.head, net.low, net.high, by.centre, by.spread, by.goal, error, net.elites
    )
