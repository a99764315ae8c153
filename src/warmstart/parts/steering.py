"""Learning in the noise of a generator: a critic of noise, and what climbs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.policy import soft_policy_loss
from warmstart.errors import RecipeError
from warmstart.nets.spec import CriticSpec
from warmstart.nets.steered import Steered, SteeredPolicySpec
from warmstart.parts.backup import reduced
from warmstart.ranges import NotNegative
from warmstart.state import Info, Optimiser, key_for
from warmstart.types import Transition
from warmstart.values import register
from warmstart.views import View

NOISE_CRITIC = "noise_critic"


def need_steered(learner: Any, what: str) -> None:
    """Raise RecipeError where the policy steers no generator, or nobody judges noise."""
    if not isinstance(learner.policy, SteeredPolicySpec):
        raise RecipeError(
            f"{what} is for a policy that steers a generator, and this one is "
            f"{learner.policy.distribution}; take finetune and pretrain from dsrl"
        )


@register
@dataclass(frozen=True)
class NoiseCritic:
    """Q_W(s, w) = Q_A(s, G(s, w)) for w ~ N(0, I) (Wagenmaker et al. 2025, noise aliasing).

    Attributes:
        net: critics of observations and noise.
        pessimism: of the action critics: see `SampledBackup.pessimism`.
        optimiser: of the critics of noise.
    """

    net: CriticSpec = field(default_factory=CriticSpec)
    pessimism: NotNegative | None = None
    optimiser: Optimiser = Optimiser()
    name: str = NOISE_CRITIC

    def check(self, learner: Any) -> None:
        """It judges the noise of a generator."""
        need_steered(learner, "extras NoiseCritic")

    def build(self, key: Array, obs_dim: int, action_dim: int) -> Any:
        """Fresh critics; the noise has as many numbers as an action."""
        return self.net.build(key, obs_dim, action_dim)

    def loss(self, key: Array, view: View, net: Any, batch: Transition) -> tuple[Array, Info]:
        """mean (Q_W,i(s, w) - Q_A(s, G(s, w)))^2 [], w ~ N(0, I), on rows [B]."""
        policy: Any = view.policy(batch.obs)
        noise = jax.random.normal(key_for(key, "noise"), batch.action.shape, batch.action.dtype)
        target = reduced(view.q(batch.obs, policy.made(noise)), self.pessimism)
        gap = net(view.obs(batch.obs), noise) - jax.lax.stop_gradient(target)
        loss = jnp.mean(gap**2)
        return loss, {"noise_loss": loss}


@register
@dataclass(frozen=True)
class Steering:
    """Climb the critics of noise: E alpha log pi(w|s) - mean_i Q_W,i(s, w)."""

    def check(self, learner: Any) -> None:
        """It reads the critics of noise."""
        need_steered(learner, "improvement Steering")
        if not any(extra.name == NOISE_CRITIC for extra in learner.extras):
            raise RecipeError(
                "improvement Steering climbs critics of noise, and this learner has none; take "
                "finetune from dsrl"
            )

    def __call__(
        self, key: Array, view: View, net: Any, batch: Transition, alpha: Array
    ) -> tuple[Array, dict[str, Array]]:
        """The loss [], and the entropy of the noise."""
        policy = view.policy(batch.obs, net)
        assert isinstance(policy, Steered)
        noise, log_prob = policy.noise(key_for(key, "policy"))
        q = jnp.mean(view.state.nets[NOISE_CRITIC](view.obs(batch.obs), noise), axis=0)
        info = {"entropy": -jnp.mean(log_prob), "actor_q": jnp.mean(q)}
        return soft_policy_loss(log_prob, q, alpha), info
