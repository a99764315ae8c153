"""Networks in the shape of others: what the handover converts, and nothing else."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from warmstart.errors import RecipeError
from warmstart.nets.critics import EnsembleCritic
from warmstart.nets.linear import Linear
from warmstart.nets.pixels import Encoded
from warmstart.nets.policies import DeterministicPolicy, GaussianPolicy


def convert(name: str, old: Any, new: Any, log_std: float) -> Any:
    """`old` in the shape of `new`: as it is, by a declared conversion, or RecipeError."""
    if shapes(old) == shapes(new):
        return old
    match old, new:
        case (Encoded(), Encoded()) if shapes(_eyes(old)) == shapes(_eyes(new)):
            return eqx.tree_at(lambda n: n.net, old, convert(name, old.net, new.net, log_std))
        case (DeterministicPolicy(), GaussianPolicy()) if shapes((old.trunk, old.head)) == shapes(
            (new.trunk, new.mean)
        ):
            return _spread(old, new, log_std)
        case (GaussianPolicy(), DeterministicPolicy()) if shapes((old.trunk, old.mean)) == shapes(
            (new.trunk, new.head)
        ):
            return DeterministicPolicy(old.trunk, old.mean)
    sizes = {where: _describe(net) for where, net in (("pre-trained", old), ("online", new))}
    if sizes["pre-trained"] == sizes["online"]:
        sizes["online"] = "one with another squashing, spread or normalisation"
    raise RecipeError(
        f"the {name} cannot cross: pre-trained it is {sizes['pre-trained']}, online it must be "
        f"{sizes['online']}. Pre-train with the online learner's networks (as `warmstart run` "
        f"does by itself), or set handover.{name}=fresh"
    )


def _eyes(net: Encoded) -> Any:
    return net.encoder, net.squeeze, net.norm


def from_value(value: Any, new: Any) -> Any:
    """Baselines Z_i(s) as critics of the same layers whose first one ignores the action."""
    if isinstance(value, Encoded) and isinstance(new, Encoded):
        return eqx.tree_at(lambda n: n.net, value, from_value(value.net, new.net))
    if isinstance(value, EnsembleCritic):
        first, wanted = value.trunk.first.weight, new.trunk.first.weight
        missing = wanted.shape[1] - first.shape[1]
        if missing > 0 and len(first) == len(wanted):
            wide = jnp.concatenate([first, jnp.zeros((len(first), missing, first.shape[2]))], 1)
            made = eqx.tree_at(lambda c: c.trunk.first.weight, value, wide)
            if shapes(made) == shapes(new):
                return made
    raise RecipeError(
        "handover.critic=from_value needs as many baselines as critics, of the same layers; "
        "pre-train with value.members equal to critic.members, or set handover.critic=keep"
    )


def _spread(old: DeterministicPolicy, new: GaussianPolicy, log_std: float) -> GaussianPolicy:
    """The same trunk and mean, a constant log-std where the online policy's range allows it."""
    low, high = new.log_std_range
    if new.std not in ("exp", "uniform") or new.affine is not None or not low <= log_std <= high:
        raise RecipeError(
            f"a deterministic actor cannot become a Gaussian one with std '{new.std}' in "
            f"{new.log_std_range}; use std 'exp' or 'uniform', or set handover.actor=fresh"
        )
    spread = (
        Linear(jnp.zeros_like(new.spread.weight), jnp.full_like(new.spread.bias, log_std))
        if isinstance(new.spread, Linear)
        else jnp.full_like(new.spread, log_std)
    )
    return eqx.tree_at(lambda p: (p.trunk, p.mean, p.spread), new, (old.trunk, old.head, spread))


def shapes(tree: Any) -> tuple[Any, list[Any]]:
    """The structure of a tree, and its leaves' shapes and types."""
    leaves, structure = jax.tree.flatten(tree)
    return structure, [(leaf.shape, leaf.dtype) for leaf in leaves]


def _describe(net: Any) -> str:
    weights = [leaf.shape for leaf in jax.tree.leaves(net) if leaf.ndim >= 2]
    return f"a {type(net).__name__} with weights {' '.join('x'.join(map(str, s)) for s in weights)}"
