"""The actor-critic update, composed of parts.

    critic  = E (Q - sg y)^2 + w * conservatism        y = r + gamma * mask * backup
    policy  = improvement + constraint
    value   = value fit, where a method has a V

One update is U critic minibatches, each followed by its targets' step, then one step of the
actor and the temperature.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from warmstart.equations.bellman import squared_td, td_target
from warmstart.errors import RecipeError
from warmstart.learners.actor_step import descend_actor
from warmstart.learners.base import BaseLearner
from warmstart.learners.critic_step import descend_critic
from warmstart.learners.learner import Metrics
from warmstart.learners.on_policy import PPO
from warmstart.learners.target_networks import follow
from warmstart.nets.distributions import draw
from warmstart.nets.flows import FlowPolicySpec
from warmstart.nets.mlp import MLP
from warmstart.nets.pixels import Encoded, EncoderSpec, held, with_encoder
from warmstart.nets.policies import DeterministicPolicy, GaussianPolicy
from warmstart.nets.spec import CriticSpec, PolicySpec, ValueSpec
from warmstart.parts.align import Align
from warmstart.parts.backup import Backup, SampledBackup
from warmstart.parts.conservatism import WEIGHT, Conservatism, NoConservatism
from warmstart.parts.constraint import CONSTRAINT, Constraint, NoConstraint
from warmstart.parts.extra import Extra, descend_extra
from warmstart.parts.improvement import Improvement, MaximiseQ
from warmstart.parts.needs import Checks, need_density
from warmstart.parts.row_weight import EvenRows, RowWeight
from warmstart.parts.value_fit import ValueFit
from warmstart.parts.weights import TEMPERATURE, Fixed, Learned, ReadsMetrics, Weight
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
from warmstart.types import Clock, Event, Spec, Transition, WithPixels
from warmstart.values import register
from warmstart.views import ALIGNED, View

register(Optimiser)

Network = Literal["actor", "critic", "value"]
STILL = Clock(np.int32(0), np.int32(0), np.int32(1))
"""The clock of a measurement: a temperature is not scheduled."""


@register
@dataclass(frozen=True)
class ActorCritic(BaseLearner):
    """A learner as a value: networks, parts and numbers.

    Attributes:
        policy, critic, value: the networks; None where a method has none.
        backup, conservatism, improvement, constraint, value_fit: the terms of the losses.
        row_weight: how much each row counts in the critics' TD error.
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
        extras: further networks, each with a loss of its own; they learn with every critic step.
        encoder: how the networks look at images, where the task shows some.
    """

    policy: PolicySpec | FlowPolicySpec = field(default_factory=PolicySpec)
    critic: CriticSpec | None = field(default_factory=CriticSpec)
    value: ValueSpec | None = None
    backup: Backup = SampledBackup()
    conservatism: Conservatism = NoConservatism()
    improvement: Improvement = MaximiseQ()
    constraint: Constraint = NoConstraint()
    value_fit: ValueFit | None = None
    align: Align | None = None
    row_weight: RowWeight = EvenRows()
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
    extras: tuple[Extra, ...] = ()
    encoder: EncoderSpec = EncoderSpec()

    @property
    def reads_images(self) -> bool:
        """Whether its networks can stand behind an encoder: all but flows from noise to actions."""
        return isinstance(self.policy, PolicySpec) and not self.extras

    @property
    def ties(self) -> bool:
        """Whether its networks share the critics' encoder, where there is one."""
        return self.encoder.shared and self.critic is not None and "critic" in self.trains

    def init(self, key: Array, spec: Spec) -> State:
        """A fresh state for an environment's sizes."""
        actions, around = spec.action_dim, self.encoder.around
        actor_key, critic_key, value_key = (key_for(key, n) for n in ("actor", "critic", "value"))
        nets: dict[str, Any] = {
            "actor": around(actor_key, spec, lambda n: self.policy.build(actor_key, n, actions))
        }
        if (critic := self.critic) is not None:
            nets["critic"] = around(
                critic_key, spec, lambda n: critic.build(critic_key, n, actions)
            )
        if (value := self.value) is not None:
            nets["value"] = around(value_key, spec, lambda n: value.build(value_key, n))
        if self.ties:
            nets = tied(nets)
        for extra in self.extras:
            nets[extra.name] = extra.build(key_for(key, extra.name), spec.obs_dim, spec.action_dim)
        for name, weight in self.weights().items():
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
            pretrained={},
            stats=empty_stats(spec.numbers),
            signals=self.signals(),
        )

    def optimiser(self, name: str) -> Optimiser:
        """The optimiser of a named network or learned weight."""
        weight = self.weights().get(name)
        if isinstance(weight, Learned):
            return weight.optimiser
        named = {
            "actor": self.actor_optimiser,
            "critic": self.critic_optimiser,
            "value": self.value_optimiser,
        }
        return named[name] if name in named else self._extra(name).optimiser

    def _extra(self, name: str) -> Extra:
        return next(extra for extra in self.extras if extra.name == name)

    def weights(self) -> dict[str, Weight]:
        """How strongly terms count, by the names under which learned ones stand in the state."""
        return {
            TEMPERATURE: self.temperature,
            WEIGHT: self.conservatism.weight,
            CONSTRAINT: self.constraint.weight,
        }

    @property
    def subscribes(self) -> frozenset[Any]:
        """The events that some weight acts on."""
        return frozenset(kind for weight in self.weights().values() for kind in weight.subscribes)

    def parts(self) -> tuple[Any, ...]:
        """The terms of the losses and what stands around them, those that bring networks too."""
        return (
            self.conservatism,
            self.improvement,
            self.constraint,
            self.backup,
            self.value_fit,
            self.align,
            self.row_weight,
            *self.extras,
        )

    def _remembering(self) -> tuple[Any, ...]:
        """Those that may have signals: weights, and parts that follow what an update measured."""
        parts = (part for part in self.parts() if isinstance(part, ReadsMetrics))
        return (*self.weights().values(), *parts)

    @property
    def readers(self) -> tuple[ReadsMetrics, ...]:
        """The weights and parts that follow what an update measured."""
        return tuple(one for one in self._remembering() if isinstance(one, ReadsMetrics))

    def signals(self) -> dict[str, Any]:
        """What weights and parts remember at the start. RecipeError where two use one name."""
        kept = {} if self.align is None else {ALIGNED: jnp.ones((), jnp.float32)}
        for one in self._remembering():
            for name, value in one.signals().items():
                if name in kept:
                    raise RecipeError(
                        f"two parts of this learner remember something as '{name}', one of them "
                        f"{type(one).__name__}; give each of their signals() a name of its own"
                    )
                kept[name] = value
        return kept

    def observe(self, state: State, event: Event) -> State:
        """The state after something happened: only its signals differ."""
        signals = state.signals
        for weight in self.weights().values():
            signals = {**signals, **weight.observe(signals, event)}
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

    def networks_of(self, online: Any) -> ActorCritic:
        """With the online learner's networks and scale of observations."""
        online = online.learner if online.has_model else online
        if not isinstance(online, ActorCritic | PPO):
            return super().networks_of(online)
        policy, critic = online.policy, None
        if not self.policy.has_density and policy.has_density:
            # It crosses as the mean of a Gaussian of one width.
            policy = dataclasses.replace(self.policy, net=policy.net)
        if self.critic is not None:
            # Of several agents each has critics of its own.
            backup = getattr(online, "backup", None)
            alone = online.critic is None or getattr(backup, "of_agents", False)
            critic = self.critic if alone else online.critic
        value = self.value and (online.value or self.value)
        return dataclasses.replace(
            self,
            policy=policy,
            critic=critic,
            value=value,
            normalise=online.normalise,
            encoder=getattr(online, "encoder", self.encoder),
        )

    def view(self, state: State) -> View:
        """How parts and acting rules look at `state`."""
        width = None if self.align is None else self.align.width
        return View(state, self.policy_kind, self.normalise, width)

    def update(
        self, key: Array, clock: Clock, state: State, batch: Transition
    ) -> tuple[State, Metrics]:
        """One update on a batch [U, B, ...]: U critic steps, then the actor where it is due."""
        u = self.minibatches
        batch = shifted(key, state.nets["actor"], batch)
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
            # By their number: -1 does not work for images alone, whose numbers are [U, B, 0].
            rows = jax.tree.map(lambda x: x.reshape(x.shape[0] * x.shape[1], *x.shape[2:]), batch)
        actor_key = key_for(key, "actor")

        def actor_step(state: State) -> tuple[State, dict]:
            return self._actor_step(actor_key, clock, state, rows)

        info["online_share"] = jnp.mean(jnp.minimum(batch.online, 1.0))
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
            obs = batch.obs.numbers if isinstance(batch.obs, WithPixels) else batch.obs
            state = state.replace(stats=merge_stats(state.stats, obs))
        for extra in self.extras:
            state, seen = descend_extra(
                extra, key_for(key, extra.name), clock, state, self.view(state), batch
            )
            info |= seen
        if self.value_fit is not None and "value" in self.trains:
            fit, view = self.value_fit, self.view(state)
            alpha = self.temperature.at(state, TEMPERATURE, clock)
            value_key, discount = key_for(key, "value"), self.discount

            def loss(net: Any) -> tuple[Array, dict[str, Array]]:
                net = held(net) if self.ties else net
                return fit(value_key, view, net, batch, alpha, discount)

            state, fitted = descend("value", state, loss, self.value_optimiser, clock)
            info |= fitted
        if self.critic is None or "critic" not in self.trains:
            return self.measured(state, info), info
        view = self.view(state)
        alpha = self.temperature.at(state, TEMPERATURE, clock)
        backup = self.backup(key_for(key, "backup"), view, batch, alpha)
        target = jax.lax.stop_gradient(td_target(batch.reward, batch.mask, self.discount, backup))
        state, critic_info = descend_critic(
            self, key_for(key, "conservatism"), clock, state, batch, target
        )
        if self.ties:
            state = state.replace(nets=tied(state.nets))
        if self.target_every == 1:
            state = follow("critic", state, self.tau)
        else:
            due = (clock.updates + 1) % self.target_every == 0
            state = jax.lax.cond(due, lambda s: follow("critic", s, self.tau), lambda s: s, state)
        info |= {**critic_info, "target_mean": jnp.mean(target)}
        return self.measured(state, info), info

    def measured(self, state: State, info: dict[str, Array]) -> State:
        """The state after those weights and parts that follow metrics have read a step's."""
        signals = state.signals
        for one in self.readers:
            signals = {**signals, **one.read(signals, info)}
        return state.replace(signals=signals)

    _actor_step = descend_actor

    def check(self) -> None:
        """Raise RecipeError where the learner's parts do not fit its networks."""
        if self.cloning:
            need_density(self, "cloning by likelihood")
            if not getattr(self.improvement, "climbs", False):
                raise RecipeError(
                    "cloning is for an actor that climbs its critics afterwards; set "
                    "learner.improvement=MaximiseQ or learner.cloning=0"
                )
        if self.value_fit is not None and self.value is None:
            raise RecipeError(
                f"value_fit={type(self.value_fit).__name__} has no network to fit; set "
                "learner.value=ValueSpec, or learner.value_fit=none"
            )
        for part in self.parts():
            if isinstance(part, Checks):
                part.check(self)
        for path, weight in self.weights().items():
            if isinstance(weight, Learned):
                if path == TEMPERATURE:
                    need_density(self, "a learned temperature")
                where = path if path == TEMPERATURE else f"{path}.weight"
                weight.optimiser.check_steady(f"learner.{where}.optimiser")
        self._check_names()

    def _check_names(self) -> None:
        """Every network and learned weight has a name of its own."""
        names = ["actor", "critic", "value", *self.weights(), *(e.name for e in self.extras)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise RecipeError(
                f"two networks of this learner are called '{twice}'; give the one in "
                "learner.extras another name"
            )

    def measure(self, key: Array, state: State, batch: Transition) -> dict[str, Array]:
        """Mean Q and TD error (without conservative terms) on rows [B]; policy drift there.

        The TD error is the mean over critics and rows of (Q_i(s, a) - y)^2 with the learner's own
        target (subset, entropy and maximum rules included). `dead_units` is the share of the
        policy's last hidden units that give zero on all of these rows.
        """
        view = self.view(state)
        info: dict[str, Array] = {}
        if self.critic is not None:
            alpha = self.temperature.at(state, TEMPERATURE, STILL)
            backup = self.backup(key_for(key, "backup"), view, batch, alpha)
            target = td_target(batch.reward, batch.mask, self.discount, backup)
            q = view.q(batch.obs, batch.action)
            info = {"q": jnp.mean(q), "td": squared_td(q, target)}
            if batch.counts is not None:
                info = _of_known(q, target, batch.counts.target)
        actor = state.nets.get("actor")
        known = isinstance(actor, GaussianPolicy | DeterministicPolicy)
        if known and isinstance(actor.trunk, MLP):
            features = actor.trunk(view.obs(batch.obs))
            info["dead_units"] = jnp.mean(jnp.all(features == 0.0, axis=0))
        if "actor" in state.pretrained:
            moved = view.policy(batch.obs).mode() - view.pretrained(batch.obs).mode()
            info["drift"] = jnp.mean(jnp.sum(moved**2, axis=-1))
        return info

    def values(self, key: Array, state: State, batch: Transition) -> tuple[Array, Array] | None:
        """Q(s, a) [B], the mean over critics, and the entropy bonus [B] that its target counts.

        None for a learner without critics.
        """
        if self.critic is None:
            return None
        view = self.view(state)
        q = jnp.mean(view.q(batch.obs, batch.action), axis=0)
        bonus = jnp.zeros_like(q)
        if getattr(self.backup, "entropy", False):
            _, log_prob = draw(view.policy(batch.obs), key_for(key, "bonus"))
            bonus = -self.temperature.at(state, TEMPERATURE, STILL) * log_prob
        return q, bonus


def tied(nets: dict[str, Any]) -> dict[str, Any]:
    """The networks with the critics' encoder in actor and value, where there is one."""
    if not isinstance(nets["critic"], Encoded):
        return nets
    # A copy: a buffer that is donated must not stand in two places of one state.
    eye = {n: jax.tree.map(jnp.copy, nets["critic"]) for n in ("actor", "value") if n in nets}
    return {**nets, **{n: with_encoder(nets[n], own) for n, own in eye.items()}}


def shifted(key: Array, net: Any, batch: Transition) -> Transition:
    """The batch with its images moved at random, each by itself, where `net` says how far."""
    if not isinstance(net, Encoded) or not net.shift:
        return batch
    obs, after = (
        net.shifted(key_for(key, f"shift {name}"), seen)
        for name, seen in (("obs", batch.obs), ("next_obs", batch.next_obs))
    )
    return batch._replace(obs=obs, next_obs=after)


def _of_known(q: Array, target: Array, known: Array) -> dict[str, Array]:
    """Mean Q and TD error where `known` [B] is 1."""
    share = jnp.maximum(jnp.mean(known), 1.0 / known.size)
    return {
        "q": jnp.mean(known * q) / share,
        "td": squared_td(q, target, known) / share,
    }


def _at(batch: Transition, index: int) -> Transition:
    return jax.tree.map(lambda x: x[index], batch)
