"""What crosses from pre-training to fine-tuning, and in what shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.errors import RecipeError
from warmstart.learners import Learner
from warmstart.nets.conversions import convert, from_value, shapes
from warmstart.nets.pixels import Encoded, with_encoder
from warmstart.nets.policies import GaussianPolicy
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
    _share_encoder(online, nets, targets, table)
    pretrained: dict[str, Any] = {}
    if "actor" in source.nets:  # a model that was fitted before anybody acts has none
        try:
            actor = convert("actor", source.nets["actor"], fresh.nets["actor"], rule.log_std)
            pretrained = {"actor": actor, "stats": source.stats}
            same = shapes(actor) == shapes(source.nets["actor"])
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
        made = from_value(source.nets.get("value"), new)
        why = "the baselines Z(s), blind to the action at first (handover.critic=from_value)"
        return made, "converted", why
    if name not in source.nets:
        return new, "fresh", "the pre-training has none"
    if choice == "fresh":
        return new, "fresh", f"handover.{name}=fresh: the pre-trained one is left behind"
    old = source.nets[name]
    made = convert(name, old, new, rule.log_std)
    if shapes(old) == shapes(new):
        return made, "kept", "as pre-trained"
    why = "the mean of a Gaussian policy becomes a deterministic one"
    if isinstance(made.net if isinstance(made, Encoded) else made, GaussianPolicy):
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
    if shapes(old) != shapes(new):
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


def _share_encoder(
    online: Learner, nets: dict[str, Any], targets: dict[str, Any], table: list[Crossed]
) -> None:
    """Give networks that are fresh the encoder of the one that is not, where they share one.

    `nets`, `targets` and `table` are changed.
    """
    if not (getattr(online, "ties", False) and isinstance(nets["actor"], Encoded)):
        return
    fresh = {row.component for row in table if row.outcome == "fresh"}
    source = next((n for n in ("critic", "actor") if n in nets and n not in fresh), None)
    if source is None:
        return
    for name in ("actor", "critic", "value"):
        if name in nets and name in fresh:
            nets[name] = with_encoder(nets[name], nets[source])
            if name in targets:
                targets[name] = with_encoder(targets[name], nets[source])
            table.append(Crossed(f"{name} encoder", "kept", f"that of the pre-trained {source}"))
