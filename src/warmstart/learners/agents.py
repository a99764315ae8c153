"""K agents that learn apart, for a learner that goes on with all of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.errors import RecipeError
from warmstart.learners.actor_critic import ActorCritic
from warmstart.learners.learner import Metrics
from warmstart.learners.wrapper import LearnerWrapper
from warmstart.nets.policies import PolicyEnsemble
from warmstart.ranges import Count
from warmstart.state import State
from warmstart.types import Clock, Spec, Transition
from warmstart.values import register
from warmstart.views import View


@register
@dataclass(frozen=True)
class Agents(LearnerWrapper):
    """`count` copies of a learner, each from a key of its own and on rows of its own.

    Every leaf of the state has a leading axis [K]. Evaluated, and handed over, as one agent: the
    policies as a moment-matched Gaussian, the critics as one ensemble [2 K] (Lee et al. 2021).

    Raises RecipeError for a learner with scaled observations or with signals.
    """

    count: Count = 5

    def __post_init__(self) -> None:
        if self.count < 2:
            raise RecipeError("Agents needs count >= 2; for one agent name its learner alone")
        if self.learner.normalise != "none" or self.learner.subscribes:
            raise RecipeError(
                "Agents share no observation statistics and hear nothing: "
                "set learner.normalise=none and a fixed or learned constraint weight"
            )

    def networks_of(self, online: Any) -> Agents:
        """Each agent with a share of the online learner's networks."""
        online = online.learner if online.has_model else online
        if not isinstance(online, ActorCritic):
            return super().networks_of(online)
        if online.policy.agents != self.count:
            raise RecipeError(
                f"this pre-training is {self.count} agents, and the online learner has "
                f"{online.policy.agents}; take finetune from off2on or upq too"
            )
        one = dataclasses.replace(online, policy=dataclasses.replace(online.policy, agents=1))
        return dataclasses.replace(self, learner=self.learner.networks_of(one))

    @property
    def batch(self) -> int:
        """Rows of one critic minibatch of all agents."""
        return self.learner.batch * self.count

    @property
    def policy_kind(self) -> str:
        """The moment-matched Gaussian of all agents."""
        return "matched"

    def init(self, key: Array, spec: Spec) -> State:
        """Fresh agents, leaves [K, ...]."""
        return jax.lax.map(lambda k: self.learner.init(k, spec), jax.random.split(key, self.count))

    def study(self, state: State, data: Transition) -> State:
        """Nothing is taken: the agents share no statistics."""
        del data
        return state

    def update(
        self, key: Array, clock: Clock, state: State, batch: Transition
    ) -> tuple[State, Metrics]:
        """One update of each agent on its share of a batch [U, K * B, ...]."""
        u, k = self.learner.minibatches, self.count

        def own(x: Array) -> Array:
            return jnp.moveaxis(x.reshape(u, k, -1, *x.shape[2:]), 1, 0)

        keys = jax.random.split(key, k)
        state, metrics = jax.lax.map(
            lambda x: self.learner.update(x[0], clock, x[1], x[2]),
            (keys, state, jax.tree.map(own, batch)),
        )
        return state, jax.tree.map(lambda x: jnp.mean(x, axis=0), metrics)

    def handed(self, state: State) -> State:
        """One state for all agents: what can cross."""

        def flat(x: Array) -> Array:
            return x.reshape(-1, *x.shape[2:])

        return State(
            nets={
                "actor": PolicyEnsemble(state.nets["actor"]),
                "critic": jax.tree.map(flat, state.nets["critic"]),
            },
            targets={"critic": jax.tree.map(flat, state.targets["critic"])},
            opts={},
            pretrained={},
            stats=jax.tree.map(lambda x: x[0], state.stats),
            signals={},
        )

    def view(self, state: State) -> View:
        """All agents as one."""
        return View(self.handed(state), self.policy_kind, "none")

    def measure(self, key: Array, state: State, batch: Transition) -> dict[str, Array]:
        """The mean of the agents' own measurements."""
        each = jax.lax.map(lambda s: self.learner.measure(key, s, batch), state)
        return jax.tree.map(jnp.mean, each)

    def values(self, key: Array, state: State, batch: Transition) -> tuple[Array, Array] | None:
        """The mean of the agents' own values [B] and bonuses [B]."""
        each = jax.lax.map(lambda s: self.learner.values(key, s, batch), state)
        return jax.tree.map(lambda x: jnp.mean(x, axis=0), each)
