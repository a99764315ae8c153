"""Policy heads on a trunk. Each network returns its distribution, which squashes and samples."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from warmstart.equations.ensemble import moment_match
from warmstart.nets.critics import unstack
from warmstart.nets.distributions import Deterministic, Plain, Squashed
from warmstart.nets.linear import Linear
from warmstart.nets.mlp import MLP
from warmstart.nets.simba import SimBa
from warmstart.nets.transformer import Transformer
from warmstart.types import Array

STDS = ("exp", "tanh", "uniform", "uniform_sigmoid")


class GaussianPolicy(eqx.Module):
    """Mean and log standard deviation of a Gaussian, before any squashing.

    Attributes:
        trunk: observation (or the steps up to it) to features.
        mean: linear head [H, A].
        spread: the log-std's source: a linear head [H, A] (`exp`, `tanh`) or a vector [A] that no
            observation moves (`uniform`, `uniform_sigmoid`).
        affine: learned scale and offset [2] of the log-std before its range (Cal-QL's released
            nets), or None.
        std: how `spread` becomes a log-std inside `log_std_range` (low, high): `exp` and `uniform`
            clip it; `tanh` maps it to low + (high - low) (1 + tanh u) / 2; `uniform_sigmoid` to
            low + (high - low) sigmoid(u).
        squash: whether the action is tanh of the Gaussian's draw.
        bounded_mean: the mean passes tanh, the noise does not (IQL's policy).
    """

    trunk: MLP | SimBa | Transformer
    mean: Linear
    spread: Linear | Array
    affine: Array | None
    std: str = eqx.field(static=True)
    log_std_range: tuple[float, float] = eqx.field(static=True)
    squash: bool = eqx.field(static=True)
    bounded_mean: bool = eqx.field(static=True)

    def __call__(self, obs: Any) -> Squashed | Plain:
        """The distribution at normalised observations [..., O], or contexts [..., T]."""
        mean, log_std = self.numbers(obs)
        return Squashed(mean, log_std) if self.squash else Plain(mean, log_std)

    def numbers(self, obs: Any) -> tuple[Array, Array]:
        """`(mean, log_std)` [..., A]."""
        features = self.trunk(obs)
        mean = self.mean(features)
        if self.bounded_mean:
            mean = jnp.tanh(mean)
        if isinstance(self.spread, Linear):
            raw = self.spread(features)
        else:
            raw = jnp.broadcast_to(self.spread, mean.shape)
        if self.affine is not None:
            raw = self.affine[0] * raw + self.affine[1]
        return mean, self._log_std(raw)

    def _log_std(self, raw: Array) -> Array:
        low, high = self.log_std_range
        if self.std == "tanh":
            return low + 0.5 * (high - low) * (1.0 + jnp.tanh(raw))
        if self.std == "uniform_sigmoid":
            return low + (high - low) * jax.nn.sigmoid(raw)
        return jnp.clip(raw, low, high)


class PolicyEnsemble(eqx.Module):
    """K squashed Gaussian policies in stacked parameters that act as one."""

    members: GaussianPolicy  # leaves [K, ...]

    def __call__(self, obs: Array) -> Squashed:
        """Normalised observations [..., O] to the Gaussian with the mixture's moments, squashed."""
        each = unstack(self.members, self.members.mean.weight.shape[0])
        means, log_stds = zip(*(member.numbers(obs) for member in each), strict=True)
        return Squashed(*moment_match(jnp.stack(means), jnp.stack(log_stds)))


class DeterministicPolicy(eqx.Module):
    """`tanh(head(trunk(obs)))`: an action in [-1, 1]."""

    trunk: MLP | SimBa | Transformer
    head: Linear

    def __call__(self, obs: Any) -> Deterministic:
        """Normalised observations [..., O], or contexts [..., T], to actions [..., A]."""
        return Deterministic(jnp.tanh(self.head(self.trunk(obs))))
