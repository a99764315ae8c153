"""Everything that learns, as one pytree; and the one way to take a gradient step."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import Array

from warmstart.errors import RecipeError
from warmstart.ranges import BelowOne, NotNegative, Positive, Whole
from warmstart.types import Clock
from warmstart.values import register


class State(eqx.Module):
    """All that a learner carries. Every leaf is an array; plain JAX transformations apply.

    Attributes:
        nets: actor, critic, value and the scalars of learned weights, by name.
        targets: slow copies of some of `nets`, under the same names.
        opts: optimiser state for each entry of `nets`.
        pretrained: the frozen pre-trained policy (`actor` and its `stats`), or empty.
        stats: observation statistics `mean` [O], `var` [O], `count` [], applied by views.
        signals: what acting rules and controlled weights remember.
    """

    nets: dict[str, Any]
    targets: dict[str, Any]
    opts: dict[str, Any]
    pretrained: dict[str, Any]
    stats: dict[str, Array]
    signals: dict[str, Any]

    def replace(self, **changes: Any) -> State:
        """A copy with whole fields replaced."""
        names = ("nets", "targets", "opts", "pretrained", "stats", "signals")
        return State(**{name: changes.get(name, getattr(self, name)) for name in names})


@register
@dataclass(frozen=True)
class Optimiser:
    """Adam, or AdamW where `weight_decay` is not 0, after an optional global-norm clip.

    With `decay="cosine"` the rate falls from `lr` to 0 over the phase, one half of a cosine:
    lr (1 + cos(pi n / N)) / 2 at step n of N (Loshchilov & Hutter 2017, eq. 5, without restarts).
    """

    lr: NotNegative = 3e-4
    weight_decay: NotNegative = 0.0
    clip: Positive | None = None
    beta1: BelowOne = 0.9
    beta2: BelowOne = 0.999
    decay: Literal["none", "cosine"] = "none"

    def rate(self, clock: Clock | None) -> float | Array:
        """The learning rate at a moment of a phase.

        Raises RecipeError where the rate falls with the phase and nobody says how far that is.
        """
        if self.decay == "none":
            return self.lr
        if clock is None:
            raise RecipeError(
                f"decay={self.decay} is for the optimisers of actor, critic and value; "
                "set decay=none for this one"
            )
        # Pre-training counts its updates, the online phase its environment steps.
        done = jnp.where(clock.env_steps > 0, clock.env_steps, clock.updates)
        share = jnp.clip(done / jnp.maximum(clock.budget, 1), 0.0, 1.0)
        return self.lr * 0.5 * (1.0 + jnp.cos(jnp.pi * share))

    def check_steady(self, path: str) -> None:
        """Raise RecipeError where the rate of the optimiser at `path`, which no clock reaches,
        shall fall with the phase.
        """
        if self.decay != "none":
            raise RecipeError(
                f"decay={self.decay} is for the optimisers of actor, critic and value; "
                f"set {path}.decay=none"
            )

    def build(self, rate: float | Array | None = None) -> optax.GradientTransformation:
        """The Optax transformation, at `rate` (None: `lr`)."""
        # Always four steps, so that moments can cross between optimisers of different numbers.
        return optax.chain(
            optax.identity() if self.clip is None else optax.clip_by_global_norm(self.clip),
            optax.scale_by_adam(b1=self.beta1, b2=self.beta2),
            optax.add_decayed_weights(self.weight_decay) if self.weight_decay else optax.identity(),
            optax.scale(-(self.lr if rate is None else rate)),
        )


@dataclass(frozen=True)
class Warming(Optimiser):
    """An optimiser whose rate rises linearly over its first `warmup` steps.

    With `trust` it is LAMB (You et al. 2020, algorithm 2): each array's step is as long as the
    array itself, times the rate. As released with ODT, only where `weight_decay` is not 0.
    """

    lr: NotNegative = 1e-4
    weight_decay: NotNegative = 1e-4
    clip: Positive | None = 0.25
    warmup: Whole = 10_000
    trust: bool = False

    def build(self, rate: float | Array | None = None) -> optax.GradientTransformation:
        """The Optax transformation, at `rate` (None: `lr`) after the warm-up."""
        full = self.lr if rate is None else rate
        decay = optax.add_decayed_weights(self.weight_decay)
        layerwise = self.trust and self.weight_decay
        return optax.chain(
            optax.identity() if self.clip is None else optax.clip_by_global_norm(self.clip),
            optax.scale_by_adam(b1=self.beta1, b2=self.beta2),
            optax.chain(decay, optax.scale_by_trust_ratio()) if layerwise else decay,
            optax.scale_by_schedule(
                lambda n: -full * jnp.minimum((n + 1) / max(self.warmup, 1), 1.0)
            ),
        )


class Scalar(eqx.Module):
    """The raw parameter of a learned weight."""

    raw: Array  # []


Info = dict[str, Array]
"""What a loss logs: names and numbers []."""
Loss = Callable[[Any], tuple[Array, Info]]
"""A loss [] of a network, and what it logs."""


def descend(
    name: str, state: State, loss: Loss, optimiser: Optimiser, clock: Clock | None = None
) -> tuple[State, Info]:
    """One gradient step on `state.nets[name]`: the only place with a gradient.

    `loss(net) -> (loss, info)` receives the network that learns as its argument and reads all
    else from the state, so that what is not named stays as it is to the last bit. `clock` is for
    an optimiser whose rate falls with the phase.
    """
    gradient, info = jax.grad(loss, has_aux=True)(state.nets[name])
    return _stepped(name, state, gradient, optimiser, clock), info


def descend_in_tiles(
    name: str,
    state: State,
    loss: Callable[[Any, Any], tuple[Array, Info]],
    rows: Any,
    optimiser: Optimiser,
    clock: Clock | None = None,
) -> tuple[State, Info]:
    """`descend` on the mean of `loss(net, tile)` over the tiles of `rows`, leaves [tiles, ...].

    On a CPU one tile after the other, so that what the backward pass needs again is still in the
    cache: worth 40 % of an update of CQL. Elsewhere all at once. The sums round differently.
    """
    net = state.nets[name]
    first = jax.tree.map(lambda x: x[0], rows)
    tiles = jax.tree.leaves(rows)[0].shape[0]
    if tiles == 1:
        return descend(name, state, lambda net: loss(net, first), optimiser, clock)
    gradient_of = jax.grad(loss, has_aux=True)

    def in_turn(net: Any, rows: Any) -> Any:
        def add(sums: Any, tile: Any) -> tuple[Any, None]:
            return jax.tree.map(jnp.add, sums, gradient_of(net, tile)), None

        shapes = jax.eval_shape(gradient_of, net, first)
        zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
        sums = jax.lax.scan(add, zeros, rows)[0]
        return jax.tree.map(lambda x: x / tiles, sums)

    def at_once(net: Any, rows: Any) -> Any:
        def whole(net: Any) -> tuple[Array, Info]:
            losses, infos = jax.vmap(loss, in_axes=(None, 0))(net, rows)
            return jnp.mean(losses), jax.tree.map(lambda x: jnp.mean(x, axis=0), infos)

        return jax.grad(whole, has_aux=True)(net)

    gradient, info = jax.lax.platform_dependent(net, rows, cpu=in_turn, default=at_once)
    return _stepped(name, state, gradient, optimiser, clock), info


def _stepped(
    name: str, state: State, gradient: Any, optimiser: Optimiser, clock: Clock | None
) -> State:
    net = state.nets[name]
    step = optimiser.build(optimiser.rate(clock))
    change, opt = step.update(gradient, state.opts[name], net)
    nets = {**state.nets, name: optax.apply_updates(net, change)}
    return state.replace(nets=nets, opts={**state.opts, name: opt})


def key_for(key: Array, name: str) -> Array:
    """A key of its own for each named part: removing one part leaves the others' draws alone."""
    return jax.random.fold_in(key, zlib.crc32(name.encode()) & 0x7FFFFFFF)


Normalise = Literal["none", "dataset", "running"]
"""How observations are scaled: not at all, by the dataset's statistics, or by running ones."""


def empty_stats(obs_dim: int) -> dict[str, Array]:
    """Statistics of nothing: mean 0, variance 1, count 0."""
    return {
        "mean": jnp.zeros(obs_dim, jnp.float32),
        "var": jnp.ones(obs_dim, jnp.float32),
        "count": jnp.zeros((), jnp.float32),
    }


def merge_stats(stats: dict[str, Array], obs: Array) -> dict[str, Array]:
    """Exact mean and population variance of what came before and the rows `obs` [B, O].

    Chan et al. 1979, the parallel-variance rule.
    """
    n = jnp.asarray(obs.shape[0], jnp.float32)
    mean, var = jnp.mean(obs, axis=0), jnp.var(obs, axis=0)
    total = stats["count"] + n
    delta = mean - stats["mean"]
    m2 = stats["var"] * stats["count"] + var * n + delta**2 * stats["count"] * n / total
    return {"mean": stats["mean"] + delta * n / total, "var": m2 / total, "count": total}
