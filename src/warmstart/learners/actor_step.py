"""Floor 3: what the actor climbs, after the data alone where a method begins with cloning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from jax import Array

from warmstart.equations.policy import regression_loss
from warmstart.state import key_for
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
    follow = regression_loss(jnp.ones(()), likely) - alpha * info["entropy"]
    return jnp.where(clock.updates < learner.cloning, follow, up), info
