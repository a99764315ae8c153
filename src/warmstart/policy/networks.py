"""The policies and critics of `warmstart.nets` in NumPy, and how a card becomes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.errors import RunError
from warmstart.policy.flows import DistilledPolicy, FlowPolicy, SteeredPolicy, VectorField
from warmstart.policy.kinds import KINDS
from warmstart.policy.layers import (
    MLP,
    LayerNorm,
    Linear,
    SimBa,
    SimBaBlock,
    Transformer,
    TransformerBlock,
    sigmoid,
)
from warmstart.policy.onnx_nodes import Graph
from warmstart.policy.pixels import Conv, Encoded, Encoder
from warmstart.types import Camera

Moments = tuple[np.ndarray, np.ndarray]
"""Means and log standard deviations, each [..., A]."""


@dataclass(frozen=True, eq=False)
class DeterministicPolicy:
    """`tanh(head(trunk(obs)))`."""

    trunk: Any
    head: Linear

    def mean(self, *seen: np.ndarray) -> np.ndarray:
        """The action [..., A] in [-1, 1]."""
        return np.tanh(self.head(self.trunk(*seen)))

    def onnx(self, graph: Graph, x: str) -> str:
        """Of `mean`."""
        return graph.add("Tanh", graph.of(self.head, graph.of(self.trunk, x)))


@dataclass(frozen=True, eq=False)
class GaussianPolicy:
    """Mean and log standard deviation of a Gaussian, before any squashing."""

    trunk: Any
    mean_head: Linear
    spread: Linear | np.ndarray
    affine: np.ndarray | None
    std: str
    log_std_range: tuple[float, float]
    bounded_mean: bool

    def mean(self, *seen: np.ndarray) -> np.ndarray:
        """The mean [..., A]."""
        return self._centre(self.trunk(*seen))

    def moments(self, *seen: np.ndarray) -> Moments:
        """The mean and log-std, each [..., A]."""
        features = self.trunk(*seen)
        mean, (low, high) = self._centre(features), self.log_std_range
        if isinstance(self.spread, Linear):
            u = self.spread(features)
        else:
            u = np.broadcast_to(self.spread, mean.shape)
        if self.affine is not None:
            u = self.affine[0] * u + self.affine[1]
        if self.std == "tanh":
            return mean, low + 0.5 * (high - low) * (1.0 + np.tanh(u))
        if self.std == "uniform_sigmoid":
            return mean, low + (high - low) * sigmoid(u)
        return mean, np.clip(u, low, high)

    def onnx(self, graph: Graph, x: str) -> str:
        """Of `mean`."""
        mean = graph.of(self.mean_head, graph.of(self.trunk, x))
        return graph.add("Tanh", mean) if self.bounded_mean else mean

    def _centre(self, features: np.ndarray) -> np.ndarray:
        mean = self.mean_head(features)
        return np.tanh(mean) if self.bounded_mean else mean


@dataclass(frozen=True, eq=False)
class PolicyEnsemble:
    """Several policies as one Gaussian with their moments (see `equations.ensemble`)."""

    members: tuple[GaussianPolicy, ...]

    def mean(self, *seen: np.ndarray) -> np.ndarray:
        """The mean of the means."""
        return np.mean([member.mean(*seen) for member in self.members], axis=0)

    def moments(self, *seen: np.ndarray) -> Moments:
        """The mean and log-std of the mixture."""
        each = zip(*(member.moments(*seen) for member in self.members), strict=True)
        means, log_stds = (np.stack(same) for same in each)
        centre = means.mean(axis=0)
        second = np.mean(np.exp(2.0 * log_stds) + means**2, axis=0)
        log_std = 0.5 * np.log(np.maximum(second - centre**2, 1e-20))
        return centre, np.clip(log_std, -20.0, 2.0)

    def onnx(self, graph: Graph, x: str) -> str:
        """Of `mean`."""
        return graph.add("Mean", *(graph.of(member, x) for member in self.members))


@dataclass(frozen=True, eq=False)
class ResidualPolicy:
    """A policy of an observation that ends with a base's action, which it corrects."""

    edit: GaussianPolicy | DeterministicPolicy
    scale: float
    kind: str  # of the correction, in `kinds`

    def mean(self, obs: np.ndarray) -> np.ndarray:
        """What it corrects and the most likely correction: [..., A], not clipped."""
        return self._around(KINDS[self.kind].mode(self.edit, obs), obs)

    def draw(self, obs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The same of a correction that is drawn."""
        return self._around(KINDS[self.kind].draw(self.edit, rng, obs), obs)

    def onnx(self, graph: Graph, x: str) -> str:
        """Of `mean`."""
        edit = KINDS[self.kind].onnx(graph, self.edit, x)
        edit = graph.add("Mul", edit, graph.number(self.scale))
        return graph.add("Add", graph.columns(x, -self._actions, 0), edit)

    @property
    def _actions(self) -> int:
        edit = self.edit
        return len((edit.mean_head if isinstance(edit, GaussianPolicy) else edit.head).bias)

    def _around(self, edit: np.ndarray, obs: np.ndarray) -> np.ndarray:
        return obs[..., -self._actions :] + np.float32(self.scale) * edit


@dataclass(frozen=True, eq=False)
class EnsembleCritic:
    """E critics of an observation and an action."""

    members: tuple[tuple[Any, Linear], ...]

    def __call__(self, obs: np.ndarray, action: np.ndarray) -> np.ndarray:
        """[..., O] and [..., A] to values [E, ...]."""
        x = np.concatenate([obs, action], axis=-1)
        return np.stack([head(trunk(x))[..., 0] for trunk, head in self.members])


def build(described: Any, tensors: dict[str, np.ndarray], member: int | None = None) -> Any:
    """The network that a card describes (see `describe`), of these tensors.

    Args:
        described: nested JSON.
        tensors: by name.
        member: which of stacked parameters [E, ...] to take; None: they are not stacked.

    Raises:
        ValueError, TypeError, KeyError, IndexError: it describes no network, or sizes differ.
        RunError: a network that is not known here.
    """
    if isinstance(described, list):
        return tuple(build(item, tensors, member) for item in described)
    if not isinstance(described, dict):
        return described
    if "tensor" in described:
        tensor = tensors[described["tensor"]]
        return tensor if member is None else np.array(tensor[member], order="C")
    if "is" not in described:
        return {name: build(item, tensors, member) for name, item in described.items()}
    fields = dict(described)
    kind = fields.pop("is")
    if kind == "policy ensemble":
        count = len(tensors[fields["members"]["mean"]["weight"]["tensor"]])
        each = [build(fields["members"], tensors, k) for k in range(count)]
        return PolicyEnsemble(tuple(each))
    if kind == "critics":
        count = len(tensors[fields["trunk"]["first"]["weight"]["tensor"]])
        shared = fields["shared_head"]
        heads = [build(fields["head"], tensors, None if shared else k) for k in range(count)]
        trunks = [build(fields["trunk"], tensors, k) for k in range(count)]
        return EnsembleCritic(tuple(zip(trunks, heads, strict=True)))
    made = NETWORKS.get(kind)
    if made is None:
        name = fields.get("class", kind)
        raise RunError(f"a network of the kind '{name}' has no form in NumPy")
    if kind == "gaussian policy":
        fields["mean_head"] = fields.pop("mean")
        del fields["squash"]  # the distribution says it too
    if kind == "residual policy":
        edit = fields["edit"]
        drawn = "squashed" if edit.get("squash") else "plain"
        fields["kind"] = "deterministic" if edit["is"] == "deterministic policy" else drawn
    return made(**{k: build(item, tensors, member) for k, item in fields.items()})


OWN = "own"
"""Of a network of the user's, which is kept by its leaves alone, and its class by name."""
NETWORKS: dict[str, Callable[..., Any] | None] = {
    "linear": Linear,
    "layer norm": LayerNorm,
    "mlp": MLP,
    "simba": SimBa,
    "simba block": SimBaBlock,
    "transformer": Transformer,
    "transformer block": TransformerBlock,
    "deterministic policy": DeterministicPolicy,
    "gaussian policy": GaussianPolicy,
    "policy ensemble": PolicyEnsemble,
    "residual policy": ResidualPolicy,
    "steered policy": SteeredPolicy,
    "vector field": VectorField,
    "flow policy": FlowPolicy,
    "distilled policy": DistilledPolicy,
    "critics": EnsembleCritic,
    "value": None,
    "dynamics": None,
    "scalar": None,
    "conv": Conv,
    "encoder": Encoder,
    "encoded": Encoded,
    "camera": Camera,
}
"""Every kind of network by the name that a card gives it (`describe` has JAX's class of each), and
its form in NumPy; None: it is kept, and does not act here."""
