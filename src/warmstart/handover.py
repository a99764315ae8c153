"""What crosses from pre-training to fine-tuning, and in what shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from warmstart.errors import RecipeError
from warmstart.learners import Learner
from warmstart.nets.critics import EnsembleCritic
from warmstart.nets.linear import Linear
from warmstart.nets.policies import DeterministicPolicy, GaussianPolicy
from warmstart.ranges import Finite
from warmstart.state import Scalar, State
from warmstart.types import Spec
from warmstart.values import register

Choice = Literal["keep", "fresh"]


@register
@dataclass(frozen=True)
class Handover:
    """For each component: kept as pre-trained, or fresh.

    Attributes:
        targets: "keep" the slow copies, or "copy" them again from the online networks.
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
    log_std: Finite = -1.0

    def choice(self, name: str) -> str:
        """The answer for a network or learned weight."""
        known: dict[str, str] = {
            "actor": self.actor,
            "critic": self.critic,
            "value": self.value,
            "temperature": self.temperature,
        }
        return known.get(name, "keep")


Outcome = Literal["kept", "converted", "fresh", "dropped"]


class Crossed(NamedTuple):
    """What became of one component at the switch, and why.

    `component` is a network or learned weight by its name, its " moments" (the optimiser's) or
    its " target" (the slow copy); "observation statistics"; or "frozen policy".
    """

    component: str
    outcome: Outcome
    reason: str


class HandedOver(NamedTuple):
    """The online learner's first state, and how each component of it came about."""

    state: State
    table: tuple[Crossed, ...]


def hand_over(
    key: Array,
    rule: Handover,
    source: State,
    online: Learner,
    spec: Spec,
) -> HandedOver:
    """The online learner's first state, and what was done to make it.

    What `rule` keeps and the pre-training has, in the online learner's shapes; all else fresh.
    The pretrained policy is left out where the actor is fresh and the old one has no such shape.
    The table depends on shapes alone, so that it is there under `jax.eval_shape` too.
    Raises RecipeError where something cannot cross, saying why and what to pre-train instead.
    """
    fresh = online.init(key, spec)
    nets, opts, targets = dict(fresh.nets), dict(fresh.opts), dict(fresh.targets)
    table: list[Crossed] = []
    for name, new in fresh.nets.items():
        nets[name], outcome, reason = _crossed(name, rule, source, new)
        label = _label(name, new)
        table.append(Crossed(label, outcome, reason))
        if name in opts:
            opt, done, reason = _moments(name, rule, source, opts[name], outcome)
            opts[name] = opt
            table.append(Crossed(f"{label} moments", done, reason))
        if name in targets:
            copy, done, reason = _target(name, rule, source, targets[name], nets[name], outcome)
            targets[name] = copy
            table.append(Crossed(f"{label} target", done, reason))
        elif name in source.targets:
            table.append(Crossed(f"{label} target", "dropped", "the online learner has none"))
    for name, old in source.nets.items():
        if name not in fresh.nets:
            also = ["moments"] * (name in source.opts) + ["target"] * (name in source.targets)
            gone = f"; its {' and '.join(also)} with it" if also else ""
            why = f"the online learner has none{gone}"
            table.append(Crossed(_label(name, old), "dropped", why))
    pretrained: dict[str, Any] = {}
    if "actor" in source.nets:  # a model that was fitted before anybody acts has none
        try:
            actor = convert("actor", source.nets["actor"], fresh.nets["actor"], rule.log_std)
            pretrained = {"actor": actor, "stats": source.stats}
            same = _shapes(actor) == _shapes(source.nets["actor"])
            how = (
                ("kept", "as pre-trained") if same else ("converted", "as the online actor's kind")
            )
        except RecipeError:
            if rule.actor == "keep":
                raise
            how = ("dropped", "it does not have the online actor's shapes")
        table.append(Crossed("frozen policy", *how))
    if scaled := online.normalise != "none":
        table.append(Crossed("observation statistics", "kept", f"normalise={online.normalise}"))
    state = State(
        nets=nets,
        targets=targets,
        opts=opts,
        pretrained=pretrained,
        stats=source.stats if scaled else fresh.stats,
        signals=fresh.signals,
    )
    # Every leaf a buffer of its own: donation must not meet one buffer in two places.
    return HandedOver(jax.tree.map(jnp.copy, state), tuple(table))


def table_of(rule: Handover, before: Learner, online: Learner, spec: Spec) -> tuple[Crossed, ...]:
    """What `hand_over` does between two learners, by shapes alone: nothing is computed.

    Raises RecipeError as `hand_over`.
    """
    found: list[tuple[Crossed, ...]] = []

    def once(key: Array) -> State:
        source = before.handed(before.init(key, spec))
        handed = hand_over(key, rule, source, online, spec)
        found.append(handed.table)
        return handed.state

    jax.eval_shape(once, jax.ShapeDtypeStruct((2,), jnp.uint32))
    return found[-1]


def in_words(table: Sequence[Crossed]) -> str:
    """The table in one line: what was kept, converted, fresh and dropped."""
    said = []
    for outcome in get_args(Outcome):
        names = [row.component for row in table if row.outcome == outcome]
        if names:
            said.append(f"{outcome}: {', '.join(names)}")
    return "; ".join(said) or "nothing crosses"


def _label(name: str, net: Any) -> str:
    """A learned weight beside the temperature is a multiplier."""
    multiplier = isinstance(net, Scalar) and name != "temperature"
    return f"{name} multiplier" if multiplier else name


def _crossed(name: str, rule: Handover, source: State, new: Any) -> tuple[Any, Outcome, str]:
    """A network or learned weight of the online learner's."""
    choice = rule.choice(name)
    if choice == "from_value":
        made = _from_value(source.nets.get("value"), new)
        why = "the baselines Z(s), blind to the action at first (handover.critic=from_value)"
        return made, "converted", why
    if name not in source.nets:
        return new, "fresh", "the pre-training has none"
    if choice == "fresh":
        return new, "fresh", f"handover.{name}=fresh: the pre-trained one is left behind"
    old = source.nets[name]
    made = convert(name, old, new, rule.log_std)
    if _shapes(old) == _shapes(new):
        return made, "kept", "as pre-trained"
    why = "the mean of a Gaussian policy becomes a deterministic one"
    if isinstance(made, GaussianPolicy):
        why = f"the mean of a Gaussian policy of log standard deviation {rule.log_std:g}"
    return made, "converted", why


def _moments(
    name: str, rule: Handover, source: State, new: Any, outcome: Outcome
) -> tuple[Any, Outcome, str]:
    """The optimiser's moments of a network that came about by `outcome`."""
    if name not in source.opts:
        why = f"the {name} is fresh" if outcome == "fresh" else "the pre-training hands over none"
        return new, "fresh", why
    if outcome == "fresh":
        return new, "dropped", f"the {name} is fresh, and its moments begin at 0"
    if rule.moments == "fresh":
        return new, "dropped", "handover.moments=fresh: they begin at 0"
    if outcome == "converted":
        return new, "dropped", f"the {name} was converted: they begin at 0"
    old = source.opts[name]
    if _shapes(old) != _shapes(new):
        return new, "dropped", "the two optimisers remember different things: they begin at 0"
    return old, "kept", "as pre-trained"


def _target(
    name: str, rule: Handover, source: State, new: Any, net: Any, outcome: Outcome
) -> tuple[Any, Outcome, str]:
    """The slow copy of a network that came about by `outcome`."""
    here, old = name in source.targets, source.targets.get(name)
    lost: Outcome = "dropped" if here else "fresh"
    if outcome == "fresh":
        return new, lost, f"a copy of the fresh {name}"
    if outcome == "converted":
        return net, lost, f"a copy of the converted {name}"
    if rule.targets == "copy":
        return net, lost, f"handover.targets=copy: a copy of the {name}"
    if not here:
        return net, "fresh", f"a copy of the {name}: the pre-training has no slow one"
    return old, "kept", "as pre-trained"


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
