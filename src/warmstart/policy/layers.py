"""The layers and trunks of `warmstart.nets` in NumPy, as plain data that can be called.

Calling a compiled program costs some 80 microseconds, whatever it computes; a small network is done
in a few. Every class stands for the one of the same name, and gives its numbers up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from warmstart.policy.onnx_nodes import Graph


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


_ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0.0))),
    "gelu": lambda x: 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x * x * x))),
    "swish": lambda x: x * sigmoid(x),
}


def _activated(graph: Graph, name: str, x: str) -> str:
    """The nodes of an activation."""
    if name == "swish":
        return graph.add("Mul", x, graph.add("Sigmoid", x))
    if name != "gelu":
        return graph.add({"relu": "Relu", "tanh": "Tanh", "elu": "Elu"}[name], x)
    cube = graph.add("Mul", graph.add("Mul", x, x), x)
    inner = graph.add("Add", x, graph.add("Mul", cube, graph.number(0.044715)))
    risen = graph.add("Tanh", graph.add("Mul", inner, graph.number(0.7978845608)))
    risen = graph.add("Add", risen, graph.number(1.0))
    return graph.add("Mul", graph.add("Mul", x, graph.number(0.5)), risen)


@dataclass(frozen=True, eq=False)
class Linear:
    """`x @ weight + bias`."""

    weight: np.ndarray  # [in, out]
    bias: np.ndarray  # [out]

    def __post_init__(self) -> None:
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[1:]:
            raise ValueError(f"a layer of {self.weight.shape} and {self.bias.shape}")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """[..., in] to [..., out]."""
        return x @ self.weight + self.bias

    def onnx(self, graph: Graph, x: str) -> str:
        """The same."""
        return graph.add("Gemm", x, graph.constant(self.weight), graph.constant(self.bias))


@dataclass(frozen=True, eq=False)
class LayerNorm:
    """Layer normalisation with learned scale and offset."""

    scale: np.ndarray  # [H]
    offset: np.ndarray  # [H]
    eps: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """[..., H] to [..., H]."""
        centred = x - x.mean(-1, keepdims=True)
        variance = (centred * centred).mean(-1, keepdims=True)
        return centred / np.sqrt(variance + np.float32(self.eps)) * self.scale + self.offset

    def onnx(self, graph: Graph, x: str) -> str:
        """The same."""
        scale, offset = graph.constant(self.scale), graph.constant(self.offset)
        return graph.add("LayerNormalization", x, scale, offset, epsilon=float(self.eps))


@dataclass(frozen=True, eq=False)
class MLP:
    """Dense layers, each with its activation and, where there are norms left, one of them."""

    first: Linear
    layers: tuple[Linear, ...]
    norms: tuple[LayerNorm, ...]
    activations: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.activations) != 1 + len(self.layers) or len(self.norms) > len(self.activations):
            raise ValueError("layers, norms and activations do not fit together")
        for name in self.activations:
            if name not in _ACTIVATIONS:
                raise ValueError(f"there is no activation '{name}'")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """[..., in] to features [..., H]."""
        for i, layer in enumerate((self.first, *self.layers)):
            x = layer(x)
            if i < len(self.norms):
                x = self.norms[i](x)
            x = _ACTIVATIONS[self.activations[i]](x)
        return x

    def onnx(self, graph: Graph, x: str) -> str:
        """The same."""
        for i, layer in enumerate((self.first, *self.layers)):
            x = graph.of(layer, x)
            if i < len(self.norms):
                x = graph.of(self.norms[i], x)
            x = _activated(graph, self.activations[i], x)
        return x


@dataclass(frozen=True, eq=False)
class SimBaBlock:
    """A residual block of SimBa."""

    norm: LayerNorm
    up: Linear
    down: Linear

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """[..., H] to [..., H]."""
        return x + self.down(np.maximum(self.up(self.norm(x)), 0.0))

    def onnx(self, graph: Graph, x: str) -> str:
        """The same."""
        up = graph.add("Relu", graph.of(self.up, graph.of(self.norm, x)))
        return graph.add("Add", x, graph.of(self.down, up))


@dataclass(frozen=True, eq=False)
class SimBa:
    """Dense, residual blocks, LayerNorm."""

    first: Linear
    blocks: tuple[SimBaBlock, ...]
    norm: LayerNorm

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """[..., in] to features [..., H]."""
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def onnx(self, graph: Graph, x: str) -> str:
        """The same."""
        x = graph.of(self.first, x)
        for block in self.blocks:
            x = graph.of(block, x)
        return graph.of(self.norm, x)


@dataclass(frozen=True, eq=False)
class TransformerBlock:
    """Attention over earlier tokens, then a hidden layer."""

    first: LayerNorm
    query: Linear
    key_value: Linear
    mix: Linear
    second: LayerNorm
    up: Linear
    down: Linear
    heads: int
    dropout: float
    activation: str

    def __call__(self, x: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Tokens [..., L, D] to the same; `seen` [..., L, L] says who sees whom."""
        normal = self.first(x)
        k, v = np.split(self.key_value(normal), 2, axis=-1)
        parts = (t.reshape(*t.shape[:-1], self.heads, -1) for t in (self.query(normal), k, v))
        q, k, v = (np.swapaxes(t, -2, -3) for t in parts)  # [..., heads, L, d]
        scores = q @ np.swapaxes(k, -1, -2) / np.float32(math.sqrt(q.shape[-1]))
        scores = np.where(seen[..., None, :, :], scores, np.float32(-1e9))
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed = np.swapaxes(weights @ v, -2, -3)
        x = x + self.mix(mixed.reshape(x.shape))
        return x + self.down(_ACTIVATIONS[self.activation](self.up(self.second(x))))


@dataclass(frozen=True, eq=False)
class Transformer:
    """Features of the last step of a context, from it and the steps before it."""

    of_return: Linear
    of_obs: Linear
    of_action: Linear
    of_time: np.ndarray | None
    start: LayerNorm
    blocks: tuple[TransformerBlock, ...]
    end: LayerNorm
    dropout: float

    def __call__(
        self, returns: np.ndarray, obs: np.ndarray, action: np.ndarray, t: np.ndarray
    ) -> np.ndarray:
        """[N, T], [N, T, O], [N, T, A] and [N, T] (-1: no step) to features [N, D]."""
        tokens = [self.of_return(returns[..., None]), self.of_obs(obs), self.of_action(action)]
        x = np.stack(tokens, axis=-2)  # [N, T, 3, D]
        if self.of_time is not None:
            at = np.clip(t, 0, len(self.of_time) - 1).astype(np.int32)
            x = x + self.of_time[at][..., None, :]
        x = self.start(x.reshape(len(x), -1, x.shape[-1]))
        there = np.repeat(t >= 0, len(tokens), axis=-1)
        order = np.arange(there.shape[-1])
        seen = (order[:, None] >= order) & there[:, None, :]
        for block in self.blocks:
            x = block(x, seen)
        return self.end(x[:, -2])  # an action is read off the observation, which does not see it
