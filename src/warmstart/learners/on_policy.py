"""On-policy learning: several passes over the newest rollout, then it is forgotten.

    A   = generalised advantages of the rollout, by V as it stands          (Schulman et al. 2016)
    rho = pi(a|s) / pi_old(a|s), pi_old the policy that acted
    actor = -min(rho A, clip(rho, 1 -+ eps) A) - w H(pi)                     (Schulman et al. 2017)
    value = (V(s) - (A + V_old(s)))^2

The rollout was acted by the networks that are there when its update begins, since none was made
meanwhile: pi_old and V_old are read from them, and nothing is stored with the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.advantage import (
    clipped_objective,
    divergence,
    generalised_advantage,
    ratio_of,
)
from warmstart.errors import RecipeError
from warmstart.learners.base import BaseLearner
from warmstart.learners.learner import Metrics
from warmstart.nets.distributions import drawn_log_prob
from warmstart.nets.spec import PolicySpec, ValueSpec
from warmstart.parts.needs import need_density
from warmstart.ranges import Count, NotNegative, Positive, Share, Whole
from warmstart.state import Normalise, Optimiser, State, descend, empty_stats, key_for
from warmstart.types import Clock, Spec, Transition
from warmstart.values import register


class Rollout(NamedTuple):
    """What an update knows of each row [N] of its rollout."""

    obs: Array  # [N, O]
    action: Array  # [N, A]
    advantage: Array
    target: Array  # of the value
    log_prob: Array  # of the action, by the policy that acted


@register
@dataclass(frozen=True)
class PPO(BaseLearner):
    """A learner as a value: two networks and the numbers of proximal policy optimisation.

    An update is a whole rollout [1, N]: `epochs` passes in minibatches of `batch` rows.

    Attributes:
        policy, value: the networks.
        batch: rows of a minibatch; of a rollout that is no multiple, each pass leaves some out.
        epochs: passes over a rollout.
        clip: eps, how far a ratio may leave 1 before it pulls no more.
        trace: lambda of the advantages.
        entropy: weight of the entropy.
        target_kl: mean divergence from the policy that acted, above which a rollout's further
            passes are left out; None: never.
        actor_from: rollouts in which the value alone learns, before the actor first moves.
        actor_optimiser, value_optimiser: of the two networks.
        normalise: observation scaling: "none" or "dataset".
        discount: filled in from the task.
    """

    policy: PolicySpec = field(default_factory=PolicySpec)
    value: ValueSpec = field(default_factory=ValueSpec)
    batch: Count = 64
    epochs: Count = 10
    clip: Positive = 0.2
    trace: Share = 0.95
    entropy: NotNegative = 0.0
    target_kl: Positive | None = None
    actor_from: Whole = 0
    actor_optimiser: Optimiser = Optimiser(3e-4, clip=0.5)
    value_optimiser: Optimiser = Optimiser(3e-4, clip=0.5)
    normalise: Normalise = "none"
    discount: Share = 0.99
    on_policy = True

    def check(self) -> None:
        """Raise RecipeError where there are no probabilities, or several values."""
        need_density(self, "PPO")
        if self.value.members:
            raise RecipeError(
                f"PPO fits one state value, and this one is an ensemble of {self.value.members} "
                "baselines; set finetune.learner.value.members=0"
            )

    def init(self, key: Array, spec: Spec) -> State:
        """A fresh state for an environment's sizes."""
        nets: dict[str, Any] = {
            "actor": self.policy.build(key_for(key, "actor"), spec.obs_dim, spec.action_dim),
            "value": self.value.build(key_for(key, "value"), spec.obs_dim),
        }
        rates = {"actor": self.actor_optimiser, "value": self.value_optimiser}
        opts = {name: rates[name].build().init(net) for name, net in nets.items()}
        return State(nets, {}, opts, {}, empty_stats(spec.obs_dim), {})

    def known(self, state: State, rows: Transition) -> Rollout:
        """What the networks that acted make of rows [N] in the order of time."""
        view = self.view(state)
        value, after = view.value(rows.obs), view.value(rows.next_obs)
        advantage = generalised_advantage(
            rows.reward, rows.mask, rows.last, value, after, self.discount, self.trace
        )
        acted = drawn_log_prob(view.policy(rows.obs), rows.action)
        return Rollout(rows.obs, rows.action, advantage, advantage + value, acted)

    def update(
        self, key: Array, clock: Clock, state: State, batch: Transition
    ) -> tuple[State, Metrics]:
        """Learn from a rollout [1, N, ...]; metrics are means over the passes that were taken."""
        rows = jax.tree.map(lambda x: x[0], batch)
        known = self.known(state, rows)
        count = len(known.advantage)
        size = min(self.batch, count)
        moves = clock.updates >= self.actor_from

        def pass_over(state: State, k: Array) -> tuple[State, dict[str, Array]]:
            order = jax.random.permutation(key_for(k, "order"), count)
            parts = order[: count // size * size].reshape(-1, size)

            def step(state: State, x: tuple[Array, Array]) -> tuple[State, dict[str, Array]]:
                i, at = x
                part = jax.tree.map(lambda x: x[at], known)
                return self._step(jax.random.fold_in(k, i), clock, state, part, moves)

            state, infos = jax.lax.scan(step, state, (jnp.arange(len(parts)), parts))
            return state, jax.tree.map(jnp.mean, infos)

        none = jax.tree.map(
            lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(pass_over, state, key)[1]
        )

        def epoch(now: tuple[State, Array], k: Array) -> tuple[Any, Any]:
            state, over = now
            if self.target_kl is None:
                state, info = pass_over(state, k)
                return (state, over), (info, jnp.ones(()))
            state, info = jax.lax.cond(over, lambda s, k: (s, none), pass_over, state, k)
            return (state, over | (info["kl"] > self.target_kl)), (info, 1.0 - over)

        keys = jax.vmap(lambda i: jax.random.fold_in(key_for(key, "epoch"), i))(
            jnp.arange(self.epochs)
        )
        (state, _), (infos, taken) = jax.lax.scan(epoch, (state, jnp.array(False)), keys)
        info = jax.tree.map(lambda x: jnp.sum(x) / jnp.sum(taken), infos)
        info |= {
            "epochs": jnp.sum(taken),
            "online_share": jnp.mean(rows.online),
            "target_mean": jnp.mean(known.target),
            "updates": jnp.ones(()),
        }
        return state, {"actor": info}

    def _step(
        self, key: Array, clock: Clock, state: State, part: Rollout, moves: Array
    ) -> tuple[State, dict[str, Array]]:
        """One gradient step of each network on a minibatch [B]."""
        view = self.view(state)
        spread = jnp.std(part.advantage) + 1e-8
        advantage = (part.advantage - jnp.mean(part.advantage)) / spread

        def actor(net: Any) -> tuple[Array, dict[str, Array]]:
            policy = view.policy(part.obs, net)
            ratio = ratio_of(drawn_log_prob(policy, part.action), part.log_prob)
            entropy = -jnp.mean(policy.sample_with_log_prob(key_for(key, "entropy"))[1])
            loss = clipped_objective(ratio, advantage, self.clip) - self.entropy * entropy
            return loss, {
                "actor_loss": loss,
                "entropy": entropy,
                "kl": divergence(ratio),
                "clipped_share": jnp.mean(jnp.abs(ratio - 1.0) > self.clip),
            }

        def value(net: Any) -> tuple[Array, dict[str, Array]]:
            guess = view.value(part.obs, net)
            loss = jnp.mean((guess - part.target) ** 2)
            return loss, {"value_loss": loss, "value_mean": jnp.mean(guess)}

        moved, info = descend("actor", state, actor, self.actor_optimiser, clock)
        if self.actor_from:
            moved = jax.tree.map(lambda new, old: jnp.where(moves, new, old), moved, state)
        state, fitted = descend("value", moved, value, self.value_optimiser, clock)
        return state, {**info, **fitted}

    def measure(self, key: Array, state: State, batch: Transition) -> dict[str, Array]:
        """How far the policy has moved from the pre-trained one, on rows [B]."""
        del key
        if "actor" not in state.pretrained:
            return {}
        view = self.view(state)
        moved = view.policy(batch.obs).mode() - view.pretrained(batch.obs).mode()
        return {"drift": jnp.mean(jnp.sum(moved**2, axis=-1))}
