"""Cloning of actions from sequences, given the return that followed.

    L = mean (a - pi(context))^2                               deterministic (Chen et al. 2021)
    L = -mean log pi(a | context) - alpha H(pi)                Gaussian (Zheng et al. 2022, eq. 4)

over all steps of the windows that belong to an episode. alpha is a weight like every other.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.errors import RecipeError
from warmstart.learners.base import BaseLearner
from warmstart.learners.learner import Metrics
from warmstart.nets.sequence_spec import SequenceSpec
from warmstart.parts import Fixed, Learned, Weight
from warmstart.parts.weights import TEMPERATURE
from warmstart.ranges import Count, Positive
from warmstart.state import Normalise, State, Warming, descend, empty_stats, key_for, merge_stats
from warmstart.types import Clock, Context, Event, Spec, Transition
from warmstart.values import register

for _spec in (SequenceSpec, Warming):
    register(_spec)


@register
@dataclass(frozen=True)
class SequenceCloning(BaseLearner):
    """A learner as a value; observations are always scaled by the dataset's statistics.

    Attributes:
        policy: what the network looks like.
        temperature: the entropy's weight; Fixed(0) leaves it out.
        optimiser: of the network.
        batch: windows B of one update.
        scale: returns are divided by it; None: by the largest absolute return of the data.
    """

    policy: SequenceSpec = SequenceSpec()
    temperature: Weight = Fixed(0.0)
    optimiser: Warming = Warming()
    batch: Count = 64
    scale: Positive | None = None
    windows: ClassVar[bool] = True
    acts_on: ClassVar[Literal["observation", "context"]] = "context"
    # An episode's returns are known at its end; they are sums, whatever the task's discount.
    finished_only = True
    reads_returns = True
    discount = 1.0

    @property
    def normalise(self) -> Normalise:
        """Always by the dataset."""
        return "dataset"

    @property
    def subscribes(self) -> frozenset[Any]:
        """What the temperature acts on."""
        return frozenset(self.temperature.subscribes)

    def check(self) -> None:
        """Raise RecipeError where the numbers make no learner."""
        if self.policy.kind == "deterministic" and isinstance(self.temperature, Learned):
            raise RecipeError(
                "a learned temperature needs a stochastic policy, and this one is deterministic; "
                "set learner.policy.kind=gaussian"
            )
        if isinstance(self.temperature, Learned):
            self.temperature.optimiser.check_steady("learner.temperature.optimiser")

    def networks_of(self, online: Any) -> SequenceCloning:
        """With the online learner's network and scale of returns."""
        if not isinstance(online, SequenceCloning):
            return super().networks_of(online)
        return dataclasses.replace(self, policy=online.policy, scale=online.scale)

    def init(self, key: Array, spec: Spec) -> State:
        """A fresh state for an environment's sizes."""
        nets: dict[str, Any] = {"actor": self.policy.build(key_for(key, "actor"), spec)}
        opts = {"actor": self.optimiser.build().init(nets["actor"])}
        if isinstance(self.temperature, Learned):
            nets[TEMPERATURE] = self.temperature.start()
            opts[TEMPERATURE] = self.temperature.optimiser.build().init(nets[TEMPERATURE])
        stats = {
            **empty_stats(spec.obs_dim),
            **{f"return_{name}": jnp.ones((), jnp.float32) for name in ("low", "high", "scale")},
        }
        return State(nets, {}, opts, {}, stats, self.temperature.signals())

    def study(self, state: State, data: Transition) -> State:
        """The statistics of observations, and the lowest and highest return of an episode."""
        first = (data.t == 0) & jnp.isfinite(data.return_to_go)
        low = jnp.min(jnp.where(first, data.return_to_go, jnp.inf))
        high = jnp.max(jnp.where(first, data.return_to_go, -jnp.inf))
        scale = jnp.maximum(jnp.maximum(jnp.abs(low), jnp.abs(high)), 1e-3)
        if self.scale is not None:
            scale = jnp.float32(self.scale)
        returns = {"return_low": low, "return_high": high, "return_scale": scale}
        return state.replace(stats={**merge_stats(state.stats, data.obs), **returns})

    def update(
        self, key: Array, clock: Clock, state: State, batch: Transition
    ) -> tuple[State, Metrics]:
        """One step of the network, then of the temperature, on windows [1, B, T, ...]."""
        batch = jax.tree.map(lambda x: x[0], batch)
        view = self.view(state)
        alpha = self.temperature.at(state, TEMPERATURE, clock)
        there = batch.t >= 0
        context = Context(
            batch.return_to_go, batch.obs, batch.action, batch.t, key_for(key, "dropout")
        )

        def mean(x: Array) -> Array:
            return jnp.sum(jnp.where(there, x, 0.0)) / jnp.maximum(jnp.sum(there), 1)

        def loss(net: Any) -> tuple[Array, dict[str, Array]]:
            policy = view.over(context, net)
            error = mean(jnp.mean((policy.mode() - batch.action) ** 2, axis=-1))
            if self.policy.kind == "deterministic":
                return error, {"actor_loss": error, "cloning_error": error}
            likely = mean(policy.log_prob(batch.action))
            drawn = policy.sample_with_log_prob(key_for(key, "entropy"))[1]
            entropy = -mean(drawn)
            total = -likely - alpha * entropy
            return total, {
                "actor_loss": total,
                "cloning_error": error,
                "log_likelihood": likely,
                "entropy": entropy,
            }

        state, info = descend("actor", state, loss, self.optimiser, clock)
        if isinstance(self.temperature, Learned):
            dims = batch.action.shape[-1]
            state = self.temperature.step(state, TEMPERATURE, info["entropy"], dims)
            info["temperature"] = alpha
        info["online_share"] = mean(jnp.minimum(batch.online, 1.0))
        return state, {"actor": {**info, "updates": jnp.ones(())}}

    def measure(self, key: Array, state: State, batch: Transition) -> dict[str, Array]:
        """How far the policy has moved, at the first step of a context, on rows [B]."""
        del key
        if "actor" not in state.pretrained:
            return {}
        known = jnp.isfinite(batch.return_to_go)
        returns = jnp.where(known, batch.return_to_go, state.stats["return_high"])
        context = Context(returns, batch.obs, jnp.zeros_like(batch.action), jnp.zeros_like(returns))
        context = jax.tree.map(lambda x: x[:, None], context)
        before = state.replace(
            nets={**state.nets, "actor": state.pretrained["actor"]}, stats=state.pretrained["stats"]
        )
        now, then = (self.view(s).over(context).mode() for s in (state, before))
        return {"drift": jnp.mean(jnp.sum((now - then) ** 2, axis=-1))}

    def observe(self, state: State, event: Event) -> State:
        """The state after something happened: only its signals differ."""
        return state.replace(signals=self.temperature.observe(state.signals, event))
