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
from warmstart.policy.networks import OWN
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
"""Every class that a policy folder holds, by the name of `networks.NETWORKS`."""
_CLASSES = {name: cls for cls, name in _NAMES.items()}

Tensors = dict[str, np.ndarray]


def describe(tree: Any, name: str = "") -> tuple[Any, Tensors]:
    """Nested JSON, in which `{"tensor": NAME}` stands for an array, and the arrays by name.

    A network is an object with its kind as `is`; `build` makes it again in NumPy, `restored` in
    JAX. One of the user's own, where it is a pytree of arrays, is kept by its leaves.

    Raises:
        RecipeError: what is neither.
    """
    tensors: Tensors = {}

    def plain(value: Any, name: str) -> Any:
        if isinstance(value, np.ndarray | np.generic | jax.Array):
            tensors[name] = np.asarray(value)
            return {"tensor": name}
        if value is None or isinstance(value, bool | int | float | str):
            return value
        inside = f"{name}." if name else ""
        if isinstance(value, dict):
            return {k: plain(item, f"{inside}{k}") for k, item in value.items()}
        if type(value) in (tuple, list):  # and no named one, which is somebody's class
            return [plain(item, f"{inside}{i}") for i, item in enumerate(value)]
        if type(value) not in _NAMES:
            leaves = [plain(leaf, f"{inside}{i}") for i, leaf in enumerate(_leaves(value))]
            return {"is": OWN, "class": type(value).__name__, "leaves": leaves}
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {
            "is": _NAMES[type(value)],
            **{k: plain(item, f"{inside}{k}") for k, item in fields.items()},
        }

    return plain(tree, name), tensors


def _leaves(value: Any) -> list[Any]:
    """The arrays of a network that is not of this package. Raises RecipeError."""
    leaves = jax.tree.leaves(value)
    if any(not isinstance(leaf, np.ndarray | np.generic | jax.Array) for leaf in leaves):
        raise RecipeError(
            f"a network of type {type(value).__name__} is no pytree of arrays, and cannot be kept; "
            "make it an Equinox module whose other fields are static"
        )
    return leaves


def restored(described: Any, tensors: Tensors, like: Any = None) -> Any:
    """The inverse of `describe`: JAX's networks, with NumPy leaves.

    Args:
        described: what `describe` gave.
        tensors: the same.
        like: a tree with networks of the user's own where there are some, as the recipe makes them.

    Raises:
        KeyError, TypeError, ValueError: it was not written by `describe`, or not of a tree like
            this.
    """
    if isinstance(described, list):
        return tuple(restored(item, tensors, _at(like, i)) for i, item in enumerate(described))
    if not isinstance(described, dict):
        return described
    if "tensor" in described:
        return tensors[described["tensor"]]
    if described.get("is") == OWN:
        leaves = [tensors[leaf["tensor"]] for leaf in described["leaves"]]
        return jax.tree.unflatten(jax.tree.structure(like), leaves)
    parts = {k: item for k, item in described.items() if k != "is"}
    fields = {k: restored(item, tensors, _at(like, k)) for k, item in parts.items()}
    return _CLASSES[described["is"]](**fields) if "is" in described else fields


def holds_own(described: Any) -> bool:
    """Whether a network of the user's own is part of what `describe` gave."""
    if isinstance(described, list):
        return any(holds_own(item) for item in described)
    if not isinstance(described, dict):
        return False
    return described.get("is") == OWN or any(holds_own(item) for item in described.values())


def _at(like: Any, name: str | int) -> Any:
    """A part of a tree; None where it has none."""
    if isinstance(like, dict):
        return like.get(name)
    if isinstance(like, tuple | list) and isinstance(name, int):
        return like[name] if name < len(like) else None
    return getattr(like, str(name), None)


def acting_part(view: View, rule: Any) -> tuple[dict[str, Any], Tensors]:
    """What a card says of one seed's state, as far as acting by `rule` needs it, and its tensors.

    A rule says with `reads` which of "actor", "critic" and "pretrained" it looks at; of one that
    does not, all networks are kept.

    Raises:
        RecipeError: a network that cannot be kept.
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
    described, tensors = describe(kept)
    card = {
        "acting": to_json(rule),
        "distribution": view.kind,
        "normalise": view.normalise,
        "width": view.width,
        "state": described,
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


def stored_learner(
    card: dict[str, Any], tensors: Tensors, like: Any = None
) -> tuple[StoredLearner, State]:
    """The inverse of `acting_part`; `like` is a state with the same networks, for those of the
    user's own. Raises KeyError, TypeError or ValueError where it is none."""
    held = restored(card["state"], tensors, like)
    state = State(held["nets"], {}, {}, held["pretrained"], held["stats"], held["signals"])
    return StoredLearner(card["distribution"], card["normalise"], card["width"]), state
