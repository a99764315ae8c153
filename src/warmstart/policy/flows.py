"""The policies of `warmstart.nets` that make an action of noise, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.policy.kinds import KINDS
from warmstart.policy.layers import Linear
from warmstart.policy.onnx_nodes import Graph


@dataclass(frozen=True, eq=False)
class VectorField:
    """The velocity of a point of action space."""

    body: Any
    head: Linear

    def __call__(self, obs: np.ndarray, x: np.ndarray, t: np.ndarray) -> np.ndarray:
        """[..., O], [..., A] and [..., 1] to [..., A]."""
        return self.head(self.body(np.concatenate([obs, x, t], axis=-1)))


@dataclass(frozen=True, eq=False)
class FlowPolicy:
    """Noise, carried along a vector field by Euler's rule."""

    field: VectorField
    steps: int

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"a flow of {self.steps} steps")

    @property
    def actions(self) -> int:
        """A."""
        return len(self.field.head.bias)

    def made(self, obs: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """[..., O] and [..., A] to actions [..., A], not clipped."""
        x, size = noise, np.float32(1.0 / self.steps)
        for i in range(self.steps):
            t = np.full((*x.shape[:-1], 1), i / self.steps, np.float32)
            x = x + size * self.field(obs, x, t)
        return x

    def onnx(self, graph: Graph, x: str) -> str:
        """Of `made`, of noise that is 0."""
        return self.onnx_made(graph, x, graph.filled(x, self.actions, 0.0, self._observed))

    @property
    def _observed(self) -> int:
        return len(self.field.body.first.weight) - self.actions - 1

    def onnx_made(self, graph: Graph, x: str, noise: str) -> str:
        """Of `made`."""
        field, size, at = self.field, graph.number(1.0 / self.steps), noise
        for i in range(self.steps):
            t = graph.filled(x, 1, i / self.steps, self._observed)
            seen = graph.add("Concat", x, at, t, axis=1)
            moved = graph.of(field.head, graph.of(field.body, seen))
            at = graph.add("Add", at, graph.add("Mul", moved, size))
        return at


@dataclass(frozen=True, eq=False)
class DistilledPolicy:
    """One step from noise to action; the flow that taught it does not act."""

    body: Any
    head: Linear
    flow: FlowPolicy

    @property
    def actions(self) -> int:
        """A."""
        return len(self.head.bias)

    def made(self, obs: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """[..., O] and [..., A] to actions [..., A], not clipped."""
        return self.head(self.body(np.concatenate([obs, noise], axis=-1)))

    def onnx(self, graph: Graph, x: str) -> str:
        """Of `made`, of noise that is 0."""
        observed = len(self.body.first.weight) - self.actions
        seen = graph.add("Concat", x, graph.filled(x, self.actions, 0.0, observed), axis=1)
        return graph.of(self.head, graph.of(self.body, seen))


@dataclass(frozen=True, eq=False)
class SteeredPolicy:
    """A generator, and the policy that chooses its noise."""

    steer: Any  # a Gaussian policy of `networks`
    flow: FlowPolicy
    limit: float

    def mean(self, obs: np.ndarray) -> np.ndarray:
        """What becomes of the most likely noise: [..., O] to [..., A], not clipped."""
        return self.flow.made(obs, self.limit * KINDS["squashed"].mode(self.steer, obs))

    def draw(self, obs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """What becomes of noise that is drawn."""
        return self.flow.made(obs, self.limit * KINDS["squashed"].draw(self.steer, rng, obs))

    def onnx(self, graph: Graph, x: str) -> str:
        """Of `mean`."""
        steered = KINDS["squashed"].onnx(graph, self.steer, x)
        return self.flow.onnx_made(graph, x, graph.add("Mul", steered, graph.number(self.limit)))
