"""Networks and states of JAX as a card's JSON and named tensors, and back."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

from warmstart.errors import RecipeError
from warmstart.nets.critics import EnsembleCritic, Value
from warmstart.nets.dynamics import Dynamics
from warmstart.nets.flows import DistilledPolicy, FlowPolicy, VectorField
from warmstart.nets.linear import LayerNorm, Linear
from warmstart.nets.mlp import MLP
from warmstart.nets.pixels import Conv, Encoded, Encoder
from warmstart.nets.policies import DeterministicPolicy, GaussianPolicy, PolicyEnsemble
from warmstart.nets.residual import ResidualPolicy
from warmstart.nets.simba import Block as SimBaBlock
from warmstart.nets.simba import SimBa
from warmstart.nets.steered import SteeredPolicy
from warmstart.nets.transformer import Block as TransformerBlock
from warmstart.nets.transformer import Transformer
from warmstart.state import Scalar, State
from warmstart.types import Camera
from warmstart.values import to_json
from warmstart.views import View

_NAMES: dict[type, str] = {
    Linear: "linear",
    LayerNorm: "layer norm",
    MLP: "mlp",
    SimBa: "simba",
    SimBaBlock: "simba block",
    Transformer: "transformer",
    TransformerBlock: "transformer block",
    DeterministicPolicy: "deterministic policy",
    GaussianPolicy: "gaussian policy",
    PolicyEnsemble: "policy ensemble",
    ResidualPolicy: "residual policy",
    SteeredPolicy: "steered policy",
    VectorField: "vector field",
    FlowPolicy: "flow policy",
    DistilledPolicy: "distilled policy",
    EnsembleCritic: "critics",
    Value: "value",
    Dynamics: "dynamics",
    Scalar: "scalar",
    Conv: "conv",
    Encoder: "encoder",
    Encoded: "encoded",
    Camera: "camera",
}
_CLASSES = {name: cls for cls, name in _NAMES.items()}

Tensors = dict[str, np.ndarray]


def describe(tree: Any, name: str = "") -> tuple[Any, Tensors]:
    """Nested JSON, in which `{"tensor": NAME}` stands for an array, and the arrays by name.

    A network is an object with its kind as `is`; `build` makes it again in NumPy, `restored` in
    JAX.

    Raises:
        RecipeError: a network of another type than those of this package.
    """
    tensors: Tensors = {}

    def told(value: Any, name: str) -> Any:
        if isinstance(value, np.ndarray | np.generic | jax.Array):
            tensors[name] = np.asarray(value)
            return {"tensor": name}
        if value is None or isinstance(value, bool | int | float | str):
            return value
        inside = f"{name}." if name else ""
        if isinstance(value, dict):
            return {k: told(item, f"{inside}{k}") for k, item in value.items()}
        if isinstance(value, tuple | list):
            return [told(item, f"{inside}{i}") for i, item in enumerate(value)]
        if type(value) not in _NAMES:
            raise RecipeError(
                f"a network of type {type(value).__name__} has no form in NumPy; act through the "
                "run's own evaluation instead"
            )
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {
            "is": _NAMES[type(value)],
            **{k: told(item, f"{inside}{k}") for k, item in fields.items()},
        }

    return told(tree, name), tensors


def restored(described: Any, tensors: Tensors) -> Any:
    """The inverse of `describe`: JAX's networks, with NumPy leaves.

    Raises:
        KeyError, TypeError: it was not written by `describe`.
    """
    if isinstance(described, list):
        return tuple(restored(item, tensors) for item in described)
    if not isinstance(described, dict):
        return described
    if "tensor" in described:
        return tensors[described["tensor"]]
    fields = {k: restored(item, tensors) for k, item in described.items() if k != "is"}
    return _CLASSES[described["is"]](**fields) if "is" in described else fields


def acting_part(view: View, rule: Any) -> tuple[dict[str, Any], Tensors]:
    """What a card says of one seed's state, as far as acting by `rule` needs it, and its tensors.

    A rule says with `reads` which of "actor", "critic" and "pretrained" it looks at; of one that
    does not, all networks are kept.

    Raises:
        RecipeError: a network of another type than those of this package.
    """
    state = jax.device_get(view.state)
    reads = getattr(rule, "reads", None)
    nets = {k: net for k, net in state.nets.items() if reads is None or k in reads}
    needs_pretrained = (
        reads is None or "pretrained" in reads or (view.width is not None and "critic" in nets)
    )
    pretrained = {
        k: state.pretrained[k]
        for k in ("actor", "stats")
        if needs_pretrained and k in state.pretrained
    }
    kept = {"nets": nets, "pretrained": pretrained, "stats": state.stats, "signals": state.signals}
    told, tensors = describe(kept)
    card = {
        "acting": to_json(rule),
        "distribution": view.kind,
        "normalise": view.normalise,
        "width": view.width,
        "state": told,
    }
    return card, tensors


@dataclasses.dataclass(frozen=True)
class StoredLearner:
    """Stands for a learner where only its view is asked for: a policy that was stored."""

    kind: str
    normalise: Any
    width: float | None

    def view(self, state: State) -> View:
        """How acting rules look at `state`."""
        return View(state, self.kind, self.normalise, self.width)


def stored_learner(card: dict[str, Any], tensors: Tensors) -> tuple[StoredLearner, State]:
    """The inverse of `acting_part`. Raises KeyError or TypeError where it is none."""
    told = restored(card["state"], tensors)
    state = State(told["nets"], {}, {}, told["pretrained"], told["stats"], told["signals"])
    return StoredLearner(card["distribution"], card["normalise"], card["width"]), state
