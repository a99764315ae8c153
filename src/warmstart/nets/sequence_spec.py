"""What a policy over sequences looks like, as a plain value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import jax

from warmstart.errors import RecipeError, did_you_mean
from warmstart.nets.linear import linear
from warmstart.nets.mlp import ACTIVATIONS
from warmstart.nets.policies import DeterministicPolicy, GaussianPolicy
from warmstart.nets.transformer import transformer
from warmstart.ranges import BelowOne, Count, Finite
from warmstart.types import Array, Spec


@dataclass(frozen=True)
class SequenceSpec:
    """A causal transformer with the heads of a deterministic or a squashed Gaussian policy.

    Attributes:
        kind: "deterministic" (tanh of one head) or "gaussian" (tanh of a Gaussian's draw, its
            log-std mapped by tanh into `log_std_range`).
        layers, heads, width: blocks, attention heads in each, numbers in a token.
        dropout: share of units dropped while learning.
        activation: of the blocks' hidden layers, a name of `warmstart.nets.mlp.ACTIVATIONS`.
        positions: whether the network knows the step of the episode (a learned table).
        log_std_range: bounds of the Gaussian's log standard deviation.

    Raises:
        RecipeError: a name that does not exist, or sizes that make no network.
    """

    kind: Literal["deterministic", "gaussian"] = "deterministic"
    layers: Count = 3
    heads: Count = 1
    width: Count = 128
    dropout: BelowOne = 0.1
    activation: str = "relu"
    positions: bool = True
    log_std_range: tuple[Finite, Finite] = (-5.0, 2.0)

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            hint = did_you_mean(str(self.activation), ACTIVATIONS)
            raise RecipeError(f"activation cannot be '{self.activation}'. {hint}")
        if self.width % self.heads:
            raise RecipeError(
                f"a transformer of {self.heads} heads and width {self.width} cannot be built; give "
                "a width that the heads divide"
            )

    @property
    def distribution(self) -> str:
        """What the network's output means."""
        return "deterministic" if self.kind == "deterministic" else "squashed"

    def build(self, key: Array, spec: Spec) -> DeterministicPolicy | GaussianPolicy:
        """A fresh policy over contexts; a head of PyTorch's draw, or orthogonal ones."""
        trunk_key, mean_key, std_key = jax.random.split(key, 3)
        trunk = transformer(
            trunk_key,
            spec.obs_dim,
            spec.action_dim,
            layers=self.layers,
            heads=self.heads,
            width=self.width,
            dropout=self.dropout,
            activation=self.activation,
            times=(spec.horizon or 1000) if self.positions else 0,
        )
        if self.kind == "deterministic":
            return DeterministicPolicy(
                trunk, linear(mean_key, self.width, spec.action_dim, "torch")
            )
        mean, spread = (linear(k, self.width, spec.action_dim) for k in (mean_key, std_key))
        return GaussianPolicy(
            trunk, mean, spread, None, "tanh", self.log_std_range, squash=True, bounded_mean=False
        )
