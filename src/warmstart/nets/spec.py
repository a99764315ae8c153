"""What a network looks like, as plain values: frozen, JSON-friendly, and `build` makes it."""

from __future__ import annotations

import dataclasses
import math
import typing
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp

from warmstart.errors import RecipeError, did_you_mean
from warmstart.nets.critics import EnsembleCritic, Value
from warmstart.nets.linear import INITS, Linear, linear
from warmstart.nets.mlp import ACTIVATIONS, MLP, mlp
from warmstart.nets.policies import STDS, DeterministicPolicy, GaussianPolicy, PolicyEnsemble
from warmstart.nets.simba import SimBa, simba
from warmstart.ranges import Count, Finite, Positive, Whole
from warmstart.types import Array
from warmstart.values import register


def _known(field_name: str, word: object, known: tuple[str, ...]) -> None:
    if word not in known:
        raise RecipeError(f"{field_name} cannot be '{word}'. {did_you_mean(str(word), known)}")


@register
@dataclass(frozen=True)
class NetSpec:
    """A trunk and the initialisation of the linear head on top of it.

    Attributes:
        hidden: size of each hidden layer; for `simba` one number for each block, all equal.
        activation: relu, tanh, elu, gelu or swish.
        layer_norm: False, True (behind every hidden Dense) or "first" (behind the first, with
            tanh there).
        init: how hidden weights are drawn, a name of `warmstart.nets.linear.INITS`.
        scale: factor of the hidden weights, the gain of `orthogonal`.
        last_hidden_scale: that factor for the last hidden layer (None: `scale`).
        head_init: how the head's weights are drawn (None: `init`).
        head_scale: factor of the head's weights (None: `scale`, and 1 for `simba`).
        kind: "mlp" or "simba", whose hidden weights, activation and norms are its own: there
            `activation`, `layer_norm`, `scale` and `last_hidden_scale` have no say.
        eps: epsilon of every LayerNorm.

    Raises:
        RecipeError: a name that does not exist, or sizes that make no network.
    """

    hidden: tuple[Count, ...] = (256, 256)
    activation: str = "relu"
    layer_norm: bool | str = False
    init: str = "orthogonal"
    scale: Positive = math.sqrt(2.0)
    last_hidden_scale: Positive | None = None
    head_init: str | None = None
    head_scale: Positive | None = None
    kind: str = "mlp"
    eps: Positive = 1e-6

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        _known("activation", self.activation, tuple(ACTIVATIONS))
        _known("kind", self.kind, ("mlp", "simba"))
        for name in ("init", "head_init"):
            if (init := getattr(self, name)) is not None:
                _known(name, init, tuple(INITS))
        if self.layer_norm not in (False, True, "first"):
            raise RecipeError(
                f"layer_norm cannot be '{self.layer_norm}'. Use false, true or 'first'."
            )
        if not self.hidden:
            raise RecipeError("hidden is empty. Give at least one hidden layer.")
        if self.kind == "simba" and len(set(self.hidden)) > 1:
            raise RecipeError(
                f"hidden is {self.hidden}, but SimBa's blocks add onto one another. "
                "Give every block the same size."
            )

    def trunk(self, key: Array, n_in: int) -> MLP | SimBa:
        """A fresh trunk for inputs of `n_in` numbers."""
        if self.kind == "simba":
            return simba(key, n_in, self.hidden[0], len(self.hidden), self.eps)
        return mlp(
            key,
            n_in,
            self.hidden,
            activation=self.activation,
            norm=self.layer_norm,
            eps=self.eps,
            init=self.init,
            scale=self.scale,
            last_scale=self.last_hidden_scale,
        )

    def head(self, key: Array, n_out: int) -> Linear:
        """A fresh linear head on the trunk's features."""
        scale = self.head_scale
        if scale is None:
            scale = 1.0 if self.kind == "simba" else self.scale
        return linear(key, self.hidden[-1], n_out, self.head_init or self.init, scale)


@register
@dataclass(frozen=True)
class PolicySpec:
    """A policy network.

    Attributes:
        net: trunk and head initialisation.
        kind: "gaussian" or "deterministic"; the fields below concern the Gaussian alone.
        squash: the action is tanh of the Gaussian's draw.
        bounded_mean: the mean passes tanh and the noise does not; needs `squash=False`.
        std: "exp" (a head on the observation, clipped), "tanh" (a head, tanh-mapped), "uniform"
            (one learned vector, clipped) or "uniform_sigmoid" (one vector, sigmoid-mapped).
        log_std_range: bounds of the log standard deviation. A paper's clip of the std itself at
            [1e-5, 10] is the range (log 1e-5, log 10).
        log_std_affine: initial scale and offset of the log-std, both learned (None: absent).
        agents: K squashed Gaussians that act as one, with the mixture's moments (Off2On).

    Raises:
        RecipeError: a name that does not exist or fields that contradict one another.
    """

    net: NetSpec = field(default_factory=NetSpec)
    kind: str = "gaussian"
    squash: bool = True
    bounded_mean: bool = False
    std: str = "exp"
    log_std_range: tuple[Finite, Finite] = (-20.0, 2.0)
    log_std_affine: tuple[Finite, Finite] | None = None
    agents: Count = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "log_std_range", tuple(self.log_std_range))
        if self.log_std_affine is not None:
            object.__setattr__(self, "log_std_affine", tuple(self.log_std_affine))
        _known("policy kind", self.kind, ("gaussian", "deterministic"))
        _known("std", self.std, STDS)
        low, high = self.log_std_range
        if low >= high:
            raise RecipeError(f"log_std_range is {self.log_std_range}. Put the lower bound first.")
        if self.agents > 1 and (self.kind != "gaussian" or not self.squash):
            raise RecipeError(
                f"{self.agents} policies (agents) act as one where they are squashed Gaussians; "
                "set learner.policy.kind=gaussian and learner.policy.squash=true"
            )
        if self.squash and self.bounded_mean:
            raise RecipeError(
                "bounded_mean and squash would both pass the mean through tanh. "
                "Set learner.policy.squash=false to bound the mean alone."
            )

    @property
    def distribution(self) -> str:
        """What the network's output means: "deterministic", "squashed", "plain" or "matched"."""
        if self.kind == "deterministic":
            return "deterministic"
        if self.agents > 1:
            return "matched"
        return "squashed" if self.squash else "plain"

    @property
    def has_density(self) -> bool:
        """Whether the policy has log-densities."""
        return self.kind != "deterministic"

    def build(
        self, key: Array, obs_dim: int, action_dim: int
    ) -> GaussianPolicy | DeterministicPolicy | PolicyEnsemble:
        """A fresh policy for observations [..., O] and actions [..., A]."""
        if self.agents > 1:
            one, keys = dataclasses.replace(self, agents=1), jax.random.split(key, self.agents)
            members = jax.lax.map(lambda k: one.build(k, obs_dim, action_dim), keys)
            return PolicyEnsemble(typing.cast(GaussianPolicy, members))
        trunk_key, mean_key, std_key = jax.random.split(key, 3)
        trunk = self.net.trunk(trunk_key, obs_dim)
        head = self.net.head(mean_key, action_dim)
        if self.kind == "deterministic":
            return DeterministicPolicy(trunk, head)
        return GaussianPolicy(
            trunk,
            head,
            jnp.zeros(action_dim, jnp.float32)
            if self.std.startswith("uniform")
            else self.net.head(std_key, action_dim),
            None if self.log_std_affine is None else jnp.array(self.log_std_affine, jnp.float32),
            self.std,
            self.log_std_range,
            self.squash,
            self.bounded_mean,
        )


@register
@dataclass(frozen=True)
class CriticSpec:
    """An ensemble of `members` critics; `shared_head` gives all of them one output layer."""

    net: NetSpec = field(default_factory=NetSpec)
    members: Count = 2
    shared_head: bool = False

    def build(self, key: Array, obs_dim: int, action_dim: int) -> EnsembleCritic:
        """Fresh critics, each drawn from a key of its own."""
        trunk_key, head_key = jax.random.split(key)
        trunks = jax.vmap(lambda k: self.net.trunk(k, obs_dim + action_dim))(
            jax.random.split(trunk_key, self.members)
        )
        heads = (
            self.net.head(head_key, 1)
            if self.shared_head
            else jax.vmap(lambda k: self.net.head(k, 1))(jax.random.split(head_key, self.members))
        )
        return EnsembleCritic(trunks, heads, self.shared_head)


@register
@dataclass(frozen=True)
class ValueSpec:
    """A state-value network; with `members`, an ensemble of that many baselines Z_i(s) (ACA)."""

    net: NetSpec = field(default_factory=NetSpec)
    members: Whole = 0

    def build(self, key: Array, obs_dim: int) -> Value | EnsembleCritic:
        """A fresh V for observations [..., O]; baselines are critics of an empty action."""
        if self.members:
            return CriticSpec(self.net, self.members).build(key, obs_dim, 0)
        trunk_key, head_key = jax.random.split(key)
        return Value(self.net.trunk(trunk_key, obs_dim), self.net.head(head_key, 1))
