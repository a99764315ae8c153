"""Floor 3: the actor-critic update, composed of parts.

    critic  = E (Q - sg y)^2 + w * conservatism        y = r + gamma * mask * backup
    policy  = improvement + constraint
    value   = value fit, where a method has a V

One update is U critic minibatches, each followed by its targets' step, then one step of the
actor and the temperature.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.bellman import td_target
from warmstart.learners.actor_step import descend_actor
from warmstart.learners.check import check
from warmstart.learners.critic_step import descend_critic
from warmstart.learners.follow import follow
from warmstart.learners.learner import Metrics
from warmstart.learners.measures import TEMPERATURE, measure, study, values
from warmstart.nets.spec import CriticSpec, PolicySpec, ValueSpec
from warmstart.parts.align import Align
from warmstart.parts.backup import Backup, SampledBackup
from warmstart.parts.conservatism import WEIGHT, Conservatism, NoConservatism
from warmstart.parts.constraint import CONSTRAINT, Constraint, NoConstraint
from warmstart.parts.improvement import Improvement, MaximiseQ
from warmstart.parts.value_fit import ValueFit
from warmstart.parts.weights import Fixed, Learned, Weight
from warmstart.ranges import Count, Share, Whole
from warmstart.state import (
    Normalise,
    Optimiser,
    State,
    descend,
    empty_stats,
    key_for,
    merge_stats,
)
from warmstart.types import Clock, Happening, Spec, Transition
from warmstart.values import register
from warmstart.views import ALIGNED, View

register(Optimiser)

Network = Literal["actor", "critic", "value"]


@register
@dataclass(frozen=True)
class ActorCritic:
    """A learner as a value: networks, parts and numbers.

    Attributes:
        policy, critic, value: the networks; None where a method has none.
        backup, conservatism, improvement, constraint, value_fit: the terms of the losses.
        align: critics are residuals on the frozen policy's log-density (ACA).
        temperature: the entropy weight; Fixed(0) for methods without one.
        batch: rows B of one critic minibatch.
        minibatches: U, critic steps of one update.
        actor_batch: the actor sees the "last" minibatch (RLPD) or the "whole" U * B rows (WSRL).
        actor_every: updates between two actor steps (TD3's policy delay).
        actor_from: critic steps of a phase before the actor and the temperature first move. With
            `rhythm.first` of that size, fresh critics are fitted on the warm-up rows alone first.
        cloning: critic steps of a phase in which the actor follows the data by likelihood (CQL).
        target_every: critic steps between two Polyak steps.
        target_actor: keep a slow copy of the actor too; it moves when the actor moves.
        temperature_on: the entropy that moves the temperature is taken at "obs" or "next_obs".
        normalise: observation scaling: "none", "dataset" (exact, fixed) or "running".
        finished_only: draw online rows of finished episodes only (Cal-QL: their returns are known).
        trains: the networks that learn; in policy refinement the actor's alone.
        discount: filled in from the task.
    """

    policy: PolicySpec = field(default_factory=PolicySpec)
    critic: CriticSpec | None = field(default_factory=CriticSpec)
    value: ValueSpec | None = None
    backup: Backup = SampledBackup()
    conservatism: Conservatism = NoConservatism()
    improvement: Improvement = MaximiseQ()
    constraint: Constraint = NoConstraint()
    value_fit: ValueFit | None = None
    align: Align | None = None
    temperature: Weight = Fixed(0.0)
    actor_optimiser: Optimiser = Optimiser()
    critic_optimiser: Optimiser = Optimiser()
    value_optimiser: Optimiser = Optimiser()
    tau: Share = 0.005
    batch: Count = 256
    minibatches: Count = 1
    actor_batch: Literal["last", "whole"] = "last"
    actor_every: Count = 1
    actor_from: Whole = 0
    cloning: Whole = 0
    target_every: Count = 1
    target_actor: bool = False
    temperature_on: Literal["obs", "next_obs"] = "obs"
    normalise: Normalise = "none"
    finished_only: bool = False
    trains: tuple[Network, ...] = ("actor", "critic", "value")
    discount: Share = 0.99
    windows: ClassVar[bool] = False

    def init(self, key: Array, spec: Spec) -> State:
        """A fresh state for an environment's sizes."""
        nets: dict[str, Any] = {
            "actor": self.policy.build(key_for(key, "actor"), spec.obs_dim, spec.action_dim)
        }
        if self.critic is not None:
            critic_key = key_for(key, "critic")
            nets["critic"] = self.critic.build(critic_key, spec.obs_dim, spec.action_dim)
        if self.value is not None:
            nets["value"] = self.value.build(key_for(key, "value"), spec.obs_dim)
        for name, weight in self._weights().items():
            if isinstance(weight, Learned):
                nets[name] = weight.start()
        targets = {} if self.critic is None else {"critic": nets["critic"]}
        if self.target_actor:
            targets["actor"] = nets["actor"]
        return State(
            nets=nets,
            # A copy: a buffer that is donated must not stand in two places of one state.
            targets=jax.tree.map(jnp.copy, targets),
            opts={name: self.optimiser(name).build().init(net) for name, net in nets.items()},
            prior={},
            stats=empty_stats(spec.obs_dim),
            signals=self.signals(),
        )

    def optimiser(self, name: str) -> Optimiser:
        """The optimiser of a named network or learned weight."""
        weight = self._weights().get(name)
        if isinstance(weight, Learned):
            return weight.optimiser
        named = {"actor": self.actor_optimiser, "critic": self.critic_optimiser}
        return named.get(name, self.value_optimiser)

    def _weights(self) -> dict[str, Weight]:
        return {
            TEMPERATURE: self.temperature,
            WEIGHT: self.conservatism.weight,
            CONSTRAINT: self.constraint.weight,
        }

    @property
    def hears(self) -> frozenset[Any]:
        """The happenings that some weight acts on."""
        return frozenset(kind for weight in self._weights().values() for kind in weight.hears)

    def signals(self) -> dict[str, Any]:
        """What the weights remember at the start."""
        kept = {k: v for weight in self._weights().values() for k, v in weight.signals().items()}
        return kept if self.align is None else {**kept, ALIGNED: jnp.ones((), jnp.float32)}

    def observe(self, state: State, event: Happening) -> State:
        """The state after something happened: only its signals differ."""
        signals = state.signals
        for weight in self._weights().values():
            signals = weight.observe(signals, event)
        return state.replace(signals=signals)

    @property
    def policy_kind(self) -> str:
        """The distribution that the policy's output means."""
        return self.policy.distribution

    @property
    def reads_returns(self) -> bool:
        """Whether some term reads the returns-to-go of its rows."""
        fitted = "value" in self.trains and getattr(self.value_fit, "reads_returns", False)
        return fitted or getattr(self.conservatism, "reads_returns", False)

    @property
    def reads_next_action(self) -> bool:
        """Whether the target is held near the action that was logged next."""
        return getattr(self.backup, "reads_next_action", False)

    def with_discount(self, discount: float) -> ActorCritic:
        """The same learner with a task's discount."""
        return dataclasses.replace(self, discount=discount)

    def handed(self, state: State) -> State:
        """What crosses to the next learner: all of it."""
        return state

    def view(self, state: State) -> View:
        """How parts and acting rules look at `state`."""
        width = None if self.align is None else self.align.width
        return View(state, self.policy_kind, self.normalise, width)

    def update(
        self, key: Array, clock: Clock, state: State, batch: Transition
    ) -> tuple[State, Metrics]:
        """One update on a batch [U, B, ...]: U critic steps, then the actor where it is due."""
        u = self.minibatches
        if self.align is not None:
            weight = self.align.weight.at(state, ALIGNED, clock)
            state = state.replace(signals={**state.signals, ALIGNED: jnp.float32(weight)})

        def critic_step(state: State, x: tuple[Array, Transition]) -> tuple[State, dict]:
            i, minibatch = x
            now = clock._replace(updates=clock.updates + i)
            return self._critic_step(jax.random.fold_in(key, i), now, state, minibatch)

        if u == 1:
            state, info = critic_step(state, (jnp.int32(0), _at(batch, 0)))
        else:
            state, infos = jax.lax.scan(critic_step, state, (jnp.arange(u), batch))
            info = jax.tree.map(jnp.mean, infos)
        rows = _at(batch, -1)
        if self.actor_batch == "whole":
            rows = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), batch)
        actor_key = key_for(key, "actor")

        def actor_step(state: State) -> tuple[State, dict]:
            return self._actor_step(actor_key, clock, state, rows)

        info["online_share"] = jnp.mean(batch.online)
        metrics = {"critic": {**info, "updates": jnp.ones(())}}
        if "actor" not in self.trains:
            return state, metrics
        if self.actor_every == 1 and self.actor_from == 0:
            state, actor_info = actor_step(state)
        else:
            due = (clock.updates // u + 1) % self.actor_every == 0
            due = due & (clock.updates >= self.actor_from)
            shapes = jax.eval_shape(actor_step, state)[1]
            zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
            state, actor_info = jax.lax.cond(due, actor_step, lambda s: (s, zeros), state)
        return state, {**metrics, "actor": actor_info}

    def _critic_step(
        self, key: Array, clock: Clock, state: State, batch: Transition
    ) -> tuple[State, dict[str, Array]]:
        info: dict[str, Array] = {}
        if self.normalise == "running":
            state = state.replace(stats=merge_stats(state.stats, batch.obs))
        if self.value_fit is not None and "value" in self.trains:
            fit, view = self.value_fit, self.view(state)
            alpha = self.temperature.at(state, TEMPERATURE, clock)
            value_key, discount = key_for(key, "value"), self.discount

            def loss(net: Any) -> tuple[Array, dict[str, Array]]:
                return fit(value_key, view, net, batch, alpha, discount)

            state, info = descend("value", state, loss, self.value_optimiser, clock)
        if self.critic is None or "critic" not in self.trains:
            return state, info
        view = self.view(state)
        alpha = self.temperature.at(state, TEMPERATURE, clock)
        backup = self.backup(key_for(key, "backup"), view, batch, alpha)
        target = jax.lax.stop_gradient(td_target(batch.reward, batch.mask, self.discount, backup))
        state, critic_info = descend_critic(
            self, key_for(key, "conservatism"), clock, state, batch, target
        )

        if self.target_every == 1:
            state = follow("critic", state, self.tau)
        else:
            due = (clock.updates + 1) % self.target_every == 0
            state = jax.lax.cond(due, lambda s: follow("critic", s, self.tau), lambda s: s, state)
        return state, {**info, **critic_info, "target_mean": jnp.mean(target)}

    _actor_step = descend_actor
    check, measure, study, values = check, measure, study, values


def _at(batch: Transition, index: int) -> Transition:
    return jax.tree.map(lambda x: x[index], batch)
