"""Floor 3: what crosses from pre-training to fine-tuning, and in what shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from warmstart.errors import RecipeError
from warmstart.learners import Learner
from warmstart.nets.critics import EnsembleCritic
from warmstart.nets.linear import Linear
from warmstart.nets.policies import DeterministicPolicy, GaussianPolicy
from warmstart.state import State
from warmstart.types import Spec
from warmstart.values import register

Choice = Literal["keep", "fresh"]


@register
@dataclass(frozen=True)
class Handover:
    """For each component: kept as pre-trained, or fresh.

    Attributes:
        targets: "keep" the slow copies, or "copy" them anew from the online networks.
        moments: the optimisers' moments of whatever network is kept.
        temperature: the entropy temperature; other learned weights cross when both sides have
            them (CQL's multiplier is dropped when the online learner has none).
        critic: also "from_value": the baselines Z_i(s), blind to the action at first (ACA).
        log_std: the constant log standard deviation given to a deterministic actor that becomes
            a Gaussian one.
    """

    actor: Choice = "keep"
    critic: Literal["keep", "fresh", "from_value"] = "keep"
    value: Choice = "keep"
    targets: Literal["keep", "copy"] = "keep"
    temperature: Choice = "keep"
    moments: Choice = "keep"
    log_std: float = -1.0

    def choice(self, name: str) -> str:
        """The answer for a network or learned weight."""
        known: dict[str, str] = {
            "actor": self.actor,
            "critic": self.critic,
            "value": self.value,
            "temperature": self.temperature,
        }
        return known.get(name, "keep")


def hand_over(
    key: Array,
    rule: Handover,
    source: State,
    online: Learner,
    spec: Spec,
) -> State:
    """The online learner's first state.

    What `rule` keeps and the pre-training has, in the online learner's shapes; all else fresh.
    The frozen prior is left out where the actor is fresh and the old one has no such shape.
    Raises RecipeError where something cannot cross, saying why and what to pre-train instead.
    """
    fresh = online.init(key, spec)
    nets, opts, targets = dict(fresh.nets), dict(fresh.opts), dict(fresh.targets)
    for name, new in fresh.nets.items():
        if rule.choice(name) == "fresh" or name not in source.nets:
            continue
        old = source.nets[name]
        if rule.choice(name) == "from_value":
            nets[name] = targets[name] = _from_value(source.nets.get("value"), new)
            continue
        nets[name] = convert(name, old, new, rule.log_std)
        unchanged = _shapes(old) == _shapes(new)
        if (
            rule.moments == "keep"
            and unchanged
            and name in source.opts
            and name in fresh.opts
            and _shapes(source.opts[name]) == _shapes(fresh.opts[name])
        ):
            opts[name] = source.opts[name]
        if name in targets:
            keep = rule.targets == "keep" and unchanged and name in source.targets
            targets[name] = source.targets[name] if keep else nets[name]
    prior: dict[str, Any] = {}
    if "actor" in source.nets:  # a model that was fitted before anybody acts has none
        try:
            actor = convert("actor", source.nets["actor"], fresh.nets["actor"], rule.log_std)
            prior = {"actor": actor, "stats": source.stats}
        except RecipeError:
            if rule.actor == "keep":
                raise
    state = State(
        nets=nets,
        targets=targets,
        opts=opts,
        prior=prior,
        stats=source.stats if online.normalise != "none" else fresh.stats,
        signals=fresh.signals,
    )
    # Every leaf a buffer of its own: donation must not meet one buffer in two places.
    return jax.tree.map(jnp.copy, state)


def convert(name: str, old: Any, new: Any, log_std: float) -> Any:
    """`old` in the shape of `new`: as it is, by a declared conversion, or RecipeError."""
    if _shapes(old) == _shapes(new):
        return old
    match old, new:
        case (DeterministicPolicy(), GaussianPolicy()) if _shapes((old.trunk, old.head)) == _shapes(
            (new.trunk, new.mean)
        ):
            return _spread(old, new, log_std)
        case (GaussianPolicy(), DeterministicPolicy()) if _shapes((old.trunk, old.mean)) == _shapes(
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


def _from_value(value: Any, new: Any) -> Any:
    """Baselines Z_i(s) as critics of the same layers whose first one ignores the action."""
    if isinstance(value, EnsembleCritic):
        first, wanted = value.trunk.first.weight, new.trunk.first.weight
        missing = wanted.shape[1] - first.shape[1]
        if missing > 0 and len(first) == len(wanted):
            wide = jnp.concatenate([first, jnp.zeros((len(first), missing, first.shape[2]))], 1)
            made = eqx.tree_at(lambda c: c.trunk.first.weight, value, wide)
            if _shapes(made) == _shapes(new):
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


def _shapes(tree: Any) -> tuple[Any, list[Any]]:
    leaves, structure = jax.tree.flatten(tree)
    return structure, [(leaf.shape, leaf.dtype) for leaf in leaves]


def _describe(net: Any) -> str:
    weights = [leaf.shape for leaf in jax.tree.leaves(net) if leaf.ndim >= 2]
    return f"a {type(net).__name__} with weights {' '.join('x'.join(map(str, s)) for s in weights)}"
