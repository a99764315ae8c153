"""Policies that correct another one, whose action stands at the end of what they observe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from warmstart.errors import RecipeError
from warmstart.nets.distributions import Distribution
from warmstart.nets.policies import DeterministicPolicy, GaussianPolicy
from warmstart.nets.spec import PolicySpec
from warmstart.ranges import NotNegative
from warmstart.types import Array
from warmstart.values import register


class Residual(NamedTuple):
    """clip(a_base + scale * r), r of a policy of its own.

    Log-densities are those of r: the constant A log scale is left out, as in the sources.
    """

    base: Array  # [..., A], in [-1, 1]
    edit: Distribution  # of r
    scale: float

    @property
    def has_density(self) -> bool:
        """As r."""
        return self.edit.has_density

    def _around(self, edit: Array) -> Array:
        return jnp.clip(self.base + self.scale * edit, -1.0, 1.0)

    def mode(self) -> Array:
        """The base's action and r's mode."""
        return self._around(self.edit.mode())

    def sample(self, key: Array, shape: tuple[int, ...] = ()) -> Array:
        """Reparameterised actions [*shape, ..., A]."""
        return self._around(self.edit.sample(key, shape))

    def sample_with_log_prob(self, key: Array, shape: tuple[int, ...] = ()) -> tuple[Array, Array]:
        """Actions [*shape, ..., A], and the log-densities [*shape, ...] of r."""
        edit, log_prob = self.edit.sample_with_log_prob(key, shape)
        return self._around(edit), log_prob

    def log_prob(self, action: Array) -> Array:
        """log-density of the r that leads to given actions, or of the nearest that there is."""
        edit = (action - self.base) / max(self.scale, 1e-6)
        return self.edit.log_prob(jnp.clip(edit, -1.0, 1.0))


class ResidualPolicy(eqx.Module):
    """A policy of the whole observation, of whose end a base policy's action is corrected."""

    edit: GaussianPolicy | DeterministicPolicy
    scale: float = eqx.field(static=True)

    def __call__(self, obs: Array) -> Residual:
        """Observations [..., O + A] as they are, the base's action last, to a distribution."""
        head = self.edit.mean if isinstance(self.edit, GaussianPolicy) else self.edit.head
        actions = head.weight.shape[-1]
        return Residual(obs[..., -actions:], self.edit(obs), self.scale)


@register
@dataclass(frozen=True)
class ResidualPolicySpec(PolicySpec):
    """A correction of the base policy, at most `scale` in each number of the action.

    Its last layer begins at 0, so that its mode is the base's own action until it has learnt.

    Raises:
        RecipeError: as `PolicySpec`; several policies as one.
    """

    scale: NotNegative = 0.1
    beside_base: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.agents > 1:
            raise RecipeError(
                f"one policy corrects the base, not {self.agents}; set learner.policy.agents=1"
            )

    @property
    def distribution(self) -> str:
        """ "residual", whatever the correction's own is."""
        return "residual"

    def build(self, key: Array, obs_dim: int, action_dim: int) -> Any:
        """A fresh policy for observations [..., O + A] and actions [..., A]."""
        edit = super().build(key, obs_dim, action_dim)
        assert isinstance(edit, GaussianPolicy | DeterministicPolicy)

        def head(net: Any) -> Any:
            return net.mean if isinstance(net, GaussianPolicy) else net.head

        still = eqx.tree_at(head, edit, jax.tree.map(jnp.zeros_like, head(edit)))
        return ResidualPolicy(still, self.scale)
