"""Value networks: an ensemble of critics in stacked parameters, and a state value."""

from __future__ import annotations

from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp

from warmstart.nets.linear import Linear
from warmstart.nets.mlp import MLP
from warmstart.nets.simba import SimBa
from warmstart.types import Array

_T = TypeVar("_T")


def unstack(tree: _T, size: int) -> list[_T]:
    """A pytree of leaves [E, ...] to E pytrees of leaves [...].

    One `split` for each leaf: its gradient is one concatenation, where indexing E times would
    make E gradients of the whole stack and add them up.
    """
    leaves, structure = jax.tree.flatten(tree)
    parts = [[part[0] for part in jax.lax.split(leaf, (1,) * size)] for leaf in leaves]
    return [structure.unflatten(member) for member in zip(*parts, strict=True)]


class EnsembleCritic(eqx.Module):
    """E critics Q_i(s, a): stacked parameters [E, ...], products member by member.

    Attributes:
        trunk: (observation, action) to features, leaves [E, ...].
        head: weight [E, H, 1], or [H, 1] where all members share it.
        shared_head: one output layer for all members, as in WSRL's released code.
    """

    trunk: MLP | SimBa
    head: Linear
    shared_head: bool = eqx.field(static=True)

    @property
    def members(self) -> int:
        """E, the number of critics."""
        return self.trunk.first.weight.shape[0]

    def __call__(self, obs: Array, action: Array) -> Array:
        """Normalised observations [B, O] and actions [B, A] to values [E, B]."""
        x = jnp.concatenate([obs, action], -1)
        return jnp.stack([head(trunk(x))[..., 0] for trunk, head in self._each()])

    def call_actions(self, obs: Array, actions: Array) -> Array:
        """N actions for each observation: [B, O] and [N, B, A] to values [E, N, B].

        The observation's share of the first layer is computed once and serves its N actions.
        """
        split = obs.shape[-1]
        rows = actions.reshape(-1, actions.shape[-1])

        def values(trunk: MLP | SimBa, head: Linear) -> Array:
            first = trunk.first
            of_obs = obs @ first.weight[:split] + first.bias
            of_actions = (rows @ first.weight[split:]).reshape(*actions.shape[:-1], -1)
            h = (of_obs + of_actions).reshape(len(rows), -1)
            return head(trunk.rest(h))[:, 0].reshape(actions.shape[:-1])

        return jnp.stack([values(trunk, head) for trunk, head in self._each()])

    def take(self, indices: Array) -> EnsembleCritic:
        """The members `indices` [M], gathered as parameters: only these are then evaluated."""

        def pick(leaf: Array) -> Array:
            return jnp.take(leaf, indices, axis=0)

        head = self.head if self.shared_head else jax.tree.map(pick, self.head)
        return EnsembleCritic(jax.tree.map(pick, self.trunk), head, self.shared_head)

    def _each(self) -> list[tuple[MLP | SimBa, Linear]]:
        size = self.members
        heads = [self.head] * size if self.shared_head else unstack(self.head, size)
        return list(zip(unstack(self.trunk, size), heads, strict=True))


class Value(eqx.Module):
    """A state value V(s)."""

    trunk: MLP | SimBa
    head: Linear

    def __call__(self, obs: Array) -> Array:
        """Normalised observations [..., O] to values [...]."""
        return self.head(self.trunk(obs))[..., 0]
