"""One gradient step of the actor: what it climbs, and what holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from jax import Array

from warmstart.equations.policy import regression_loss
from warmstart.learners.target_networks import follow
from warmstart.nets.pixels import held
from warmstart.parts.constraint import CONSTRAINT
from warmstart.parts.weights import TEMPERATURE, Learned
from warmstart.state import State, descend, key_for
from warmstart.types import Clock, Transition
from warmstart.views import View

if TYPE_CHECKING:
    from warmstart.learners.actor_critic import ActorCritic


def climb(
    learner: ActorCritic,
    key: Array,
    clock: Clock,
    view: View,
    net: Any,
    batch: Transition,
    alpha: Array,
) -> tuple[Array, dict[str, Array]]:
    """The actor's loss [] before its constraint, and what there is to report.

    In the first `learner.cloning` critic steps of a phase it is -log pi(a|s) - alpha H, whatever
    the critics say (released CQL code).
    """
    up, info = learner.improvement(key_for(key, "improvement"), view, net, batch, alpha)
    if not learner.cloning:
        return up, info
    likely = view.policy(batch.obs, net).log_prob(batch.action)
    cloned = regression_loss(jnp.ones(()), likely) - alpha * info["entropy"]
    return jnp.where(clock.updates < learner.cloning, cloned, up), info


def descend_actor(
    learner: ActorCritic, key: Array, clock: Clock, state: State, batch: Transition
) -> tuple[State, dict[str, Array]]:
    """One step of the actor on rows [B], then of its slow copy and of the weights that it moves."""
    view = learner.view(state)
    alpha = learner.temperature.at(state, TEMPERATURE, clock)
    bound = learner.constraint.weight
    weight, gate = bound.at(state, CONSTRAINT, clock), jnp.mean(batch.gate)

    def loss(net: Any) -> tuple[Array, dict[str, Array]]:
        net = held(net) if learner.ties else net
        up, info = climb(learner, key, clock, view, net, batch, alpha)
        near, more = learner.constraint(key_for(key, "constraint"), view, net, batch)
        total = up + weight * gate * near
        return total, {**info, **more, "constraint_gap": near, "actor_loss": total}

    state, info = descend("actor", state, loss, learner.actor_optimiser, clock)
    if not getattr(learner.constraint, "free", False):
        state = bound.step(state, CONSTRAINT, info["constraint_gap"], batch.action.shape[-1])
        info["constraint_weight"] = weight
    if learner.target_actor:
        state = follow("actor", state, learner.tau)
    if isinstance(learner.temperature, Learned):
        entropy = info.get("entropy")
        if learner.temperature_on == "next_obs" or entropy is None:
            where = batch.next_obs if learner.temperature_on == "next_obs" else batch.obs
            policy = view.policy(where)
            log_prob = policy.sample_with_log_prob(key_for(key, "temperature"))[1]
            entropy = -jnp.mean(log_prob)
        state = learner.temperature.step(state, TEMPERATURE, entropy, batch.action.shape[-1])
        info["temperature"] = alpha
    return learner.measured(state, info), {**info, "updates": jnp.ones(())}
