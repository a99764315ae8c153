"""What a target bootstraps from: y = r + gamma * mask * backup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.bellman import anchored_value, smoothing_noise, soft_value
from warmstart.equations.ensemble import pairwise_minimum, pessimistic_value
from warmstart.errors import RecipeError
from warmstart.nets.distributions import draw
from warmstart.parts.needs import need_members, need_value
from warmstart.ranges import Count, NotNegative
from warmstart.state import key_for
from warmstart.types import Transition
from warmstart.values import register
from warmstart.views import View, draw_members


class Backup(Protocol):
    """What a target bootstraps from."""

    def __call__(self, key: Array, view: View, batch: Transition, alpha: Array) -> Array:
        """The bootstrap value [B], or [E, B] where each critic has its own."""
        ...


def reduced(q: Array, pessimism: float | None) -> Array:
    """Values [E, ...] of several critics as one [...]: see `SampledBackup.pessimism`."""
    if pessimism is None:
        return jnp.min(q, axis=0)
    return pessimistic_value(q, pessimism) if pessimism else jnp.mean(q, axis=0)


@register
@dataclass(frozen=True)
class SampledBackup:
    """min over critics of Q'(s', a'), a' ~ pi(.|s'), the backup of SAC and its descendants.

    Attributes:
        subset: how many target critics are drawn for the minimum; None takes all
            (REDQ: 2 of 10; Chen et al. 2021, eq. 1).
        replacement: draw with replacement, so that a pair is one critic twice with
            probability 1/E (the released WSRL code).
        entropy: subtract alpha log pi(a'|s').
        actions: proposals a'; above 1 the backup is max over them of the minimum over critics
            (CQL's max-target backup; Kumar et al. 2020, appendix F).
        pessimism: the critics' mean less so many of their deviations, instead of their minimum
            (0: the mean).
        chosen_by: whose values choose among the proposals: the "target" critics', which then also
            say what the best one is worth, or the "online" ones' (Li et al. 2025, best of n).
    """

    subset: Count | None = None
    replacement: bool = False
    entropy: bool = True
    actions: Count = 1
    pessimism: NotNegative | None = None
    chosen_by: Literal["target", "online"] = "target"

    def check(self, learner: Any) -> None:
        """A maximum over several actions has no entropy; a subset is of critics that are there."""
        need_members(learner, "backup", self.subset)
        if self.entropy and self.actions > 1:
            raise RecipeError(
                "an entropy backup and the maximum over several actions exclude each other; "
                "set learner.backup.entropy=false or learner.backup.actions=1"
            )

    def __call__(self, key: Array, view: View, batch: Transition, alpha: Array) -> Array:
        """The bootstrap value [B]."""
        policy = view.policy(batch.next_obs)
        action, log_prob = draw(policy, key_for(key, "actions"), (self.actions,))
        members = draw_members(
            key_for(key, "members"), view.critic(target=True).members, self.subset, self.replacement
        )
        critic = view.critic(target=True, members=members)
        obs = view.obs(batch.next_obs)
        if self.chosen_by == "online" and self.actions > 1:
            judged = reduced(view.critic().call_actions(obs, action), self.pessimism)
            best = jnp.argmax(judged, axis=0)[None, :, None]
            action = jnp.take_along_axis(action, best, axis=0)
        q = reduced(critic.call_actions(obs, action), self.pessimism)  # [N, B]
        if self.entropy:
            q = soft_value(q, log_prob, alpha)
        return jnp.max(q, axis=0)


@register
@dataclass(frozen=True)
class SmoothedBackup:
    """min over critics of Q'(s', a'), a' = pi'(s') + clipped noise (Fujimoto et al. 2018, eq. 14).

    Attributes:
        noise, clip: deviation and bound of the noise.
        subset, replacement, pessimism: see `SampledBackup`.
        penalty: times ||a' - a'_data||^2 off the value, a'_data the action that was logged at s'
            (ReBRAC; Tarasov et al. 2023, eq. 4); nothing where none was, as at an episode's end.
    """

    noise: NotNegative = 0.2
    clip: NotNegative = 0.5
    subset: Count | None = None
    replacement: bool = False
    penalty: NotNegative = 0.0
    pessimism: NotNegative | None = None

    @property
    def reads_next_action(self) -> bool:
        """Whether there is a penalty."""
        return self.penalty > 0.0

    def check(self, learner: Any) -> None:
        """A subset is of critics that are there."""
        need_members(learner, "backup", self.subset)

    def __call__(self, key: Array, view: View, batch: Transition, alpha: Array) -> Array:
        """The bootstrap value [B]; one noise vector for each row, shared by the critics."""
        del alpha
        action = view.policy(batch.next_obs, target=True).mode()
        noise = jax.random.normal(key_for(key, "smoothing"), action.shape)
        action = jnp.clip(action + smoothing_noise(noise, self.noise, self.clip), -1.0, 1.0)
        members = draw_members(
            key_for(key, "members"), view.critic(target=True).members, self.subset, self.replacement
        )
        critic = view.critic(target=True, members=members)
        q = reduced(critic(view.obs(batch.next_obs), action), self.pessimism)
        if not self.reads_next_action:
            return q
        assert batch.next_action is not None and batch.followed is not None
        return anchored_value(q, action, batch.next_action, self.penalty * batch.followed)


@register
@dataclass(frozen=True)
class PairedBackup:
    """Each of K agents its own target: min of its two critics at one a' of all (Lee et al. 2021).

    With `beta` one target for all: the mean of those minima less beta times their deviation over
    the agents (UPQ). Without `twins` the members are single critics.
    """

    beta: NotNegative | None = None
    twins: bool = True
    of_agents: ClassVar[bool] = True
    entropy: ClassVar[bool] = True

    def __call__(self, key: Array, view: View, batch: Transition, alpha: Array) -> Array:
        """The bootstrap values [E, B], or [B] with `beta`."""
        action, log_prob = draw(view.policy(batch.next_obs), key_for(key, "actions"))
        q = view.q(batch.next_obs, action, target=True)
        each = pairwise_minimum(q) if self.twins else q
        if self.beta is not None:
            return soft_value(pessimistic_value(each, self.beta), log_prob, alpha)
        return soft_value(jnp.repeat(each, 2 if self.twins else 1, axis=0), log_prob, alpha)


@register
@dataclass(frozen=True)
class ValueBackup:
    """V(s'), the online value network (Kostrikov et al. 2022, eq. 6)."""

    reads_value: ClassVar[bool] = True

    def check(self, learner: Any) -> None:
        """It reads one state value."""
        need_value(learner, "backup ValueBackup")

    def __call__(self, key: Array, view: View, batch: Transition, alpha: Array) -> Array:
        """The bootstrap value [B]."""
        del key, alpha
        return view.value(batch.next_obs)
