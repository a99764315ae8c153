"""Floor 3: what an actor-critic takes from given rows, and what its values are worth there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
from jax import Array

from warmstart.equations.bellman import squared_td, td_target
from warmstart.nets.mlp import MLP
from warmstart.parts.backup import PairedBackup
from warmstart.state import State, key_for, merge_stats
from warmstart.types import Clock, Transition

if TYPE_CHECKING:
    from warmstart.learners.actor_critic import ActorCritic

STILL = Clock(np.int32(0), np.int32(0), np.int32(1))
"""The clock of a measurement: a temperature is not scheduled."""
TEMPERATURE = "temperature"
"""The name under which a learned temperature stands in the state."""


def study(learner: ActorCritic, state: State, data: Transition) -> State:
    """The state with the observation statistics of all rows [N], where they are the learner's."""
    if learner.normalise != "dataset":
        return state
    return state.replace(stats=merge_stats(state.stats, data.obs))


def measure(learner: ActorCritic, key: Array, state: State, batch: Transition) -> dict[str, Array]:
    """Mean Q and TD error (without conservative terms) on rows [B]; policy drift there.

    The TD error is the mean over critics and rows of (Q_i(s, a) - y)^2 with the learner's own
    target (subset, entropy and maximum rules included). `dead_units` is the share of the policy's
    last hidden units that give zero on all of these rows.
    """
    view = learner.view(state)
    info: dict[str, Array] = {}
    if learner.critic is not None:
        alpha = learner.temperature.at(state, TEMPERATURE, STILL)
        backup = learner.backup(key_for(key, "backup"), view, batch, alpha)
        target = td_target(batch.reward, batch.mask, learner.discount, backup)
        q = view.q(batch.obs, batch.action)
        info = {"q": jnp.mean(q), "td": squared_td(q, target)}
    trunk = getattr(state.nets.get("actor"), "trunk", None)
    if isinstance(trunk, MLP):
        features = trunk(view.obs(batch.obs))
        info["dead_units"] = jnp.mean(jnp.all(features == 0.0, axis=0))
    if "actor" in state.prior:
        moved = view.policy(batch.obs).mode() - view.prior(batch.obs).mode()
        info["drift"] = jnp.mean(jnp.sum(moved**2, axis=-1))
    return info


def values(
    learner: ActorCritic, key: Array, state: State, batch: Transition
) -> tuple[Array, Array] | None:
    """Q(s, a) [B], the mean over critics, and the entropy bonus [B] that its target counts.

    None for a learner without critics.
    """
    if learner.critic is None:
        return None
    view = learner.view(state)
    q = jnp.mean(view.q(batch.obs, batch.action), axis=0)
    bonus = jnp.zeros_like(q)
    soft = isinstance(learner.backup, PairedBackup) or getattr(learner.backup, "entropy", False)
    if soft:
        _, log_prob = view.policy(batch.obs).sample_with_log_prob(key_for(key, "bonus"))
        bonus = -learner.temperature.at(state, TEMPERATURE, STILL) * log_prob
    return q, bonus
