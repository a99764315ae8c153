"""What the output of a policy network means: the one table of kinds.

A kind is how the network's numbers become an action in [-1, 1], in NumPy and as an ONNX graph. A
spec names its own as `distribution`, and `card["distribution"]` keeps it. A kind that is not here
acts through the run's own evaluation alone.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from warmstart.errors import RunError
from warmstart.policy.onnx_nodes import Graph


class Kind(Protocol):
    """How a network of `networks` acts; `seen` is what it sees, scaled."""

    def mode(self, net: Any, *seen: np.ndarray) -> np.ndarray:
        """What is executed in evaluation [..., A]."""
        ...

    def draw(self, net: Any, rng: np.random.Generator, *seen: np.ndarray) -> np.ndarray:
        """A draw [..., A]."""
        ...

    def onnx(self, graph: Graph, net: Any, x: str) -> str:
        """The nodes of `mode`."""
        ...


class Deterministic:
    """One action for each observation."""

    def mode(self, net: Any, *seen: np.ndarray) -> np.ndarray:
        """See `Kind`."""
        return net.mean(*seen)

    def draw(self, net: Any, rng: np.random.Generator, *seen: np.ndarray) -> np.ndarray:
        """The one action."""
        del rng
        return net.mean(*seen)

    def onnx(self, graph: Graph, net: Any, x: str) -> str:
        """See `Kind`."""
        return graph.of(net, x)


class Gaussian:
    """A Gaussian, squashed into the box."""

    def mode(self, net: Any, *seen: np.ndarray) -> np.ndarray:
        """See `Kind`."""
        return self._boxed(net.mean(*seen))

    def draw(self, net: Any, rng: np.random.Generator, *seen: np.ndarray) -> np.ndarray:
        """See `Kind`."""
        mean, log_std = net.moments(*seen)
        noise = rng.standard_normal(mean.shape, np.float32)
        return self._boxed(mean + np.exp(log_std) * noise)

    def onnx(self, graph: Graph, net: Any, x: str) -> str:
        """See `Kind`."""
        return graph.add("Tanh", graph.of(net, x))

    def _boxed(self, free: np.ndarray) -> np.ndarray:
        return np.tanh(free)


class Plain(Gaussian):
    """A Gaussian, clipped at the box."""

    def onnx(self, graph: Graph, net: Any, x: str) -> str:
        """See `Kind`."""
        return graph.add("Clip", graph.of(net, x), graph.number(-1.0), graph.number(1.0))

    def _boxed(self, free: np.ndarray) -> np.ndarray:
        return np.minimum(np.maximum(free, -1.0), 1.0)


class Generated(Plain):
    """Made of an observation and of noise, clipped at the box; in evaluation the noise is 0."""

    def mode(self, net: Any, *seen: np.ndarray) -> np.ndarray:
        """See `Kind`."""
        nothing = np.zeros((*seen[0].shape[:-1], net.actions), np.float32)
        return self._boxed(net.made(seen[0], nothing))

    def draw(self, net: Any, rng: np.random.Generator, *seen: np.ndarray) -> np.ndarray:
        """See `Kind`."""
        noise = rng.standard_normal((*seen[0].shape[:-1], net.actions), np.float32)
        return self._boxed(net.made(seen[0], noise))


class OwnDraws(Plain):
    """Of a network that draws by itself, clipped at the box."""

    def draw(self, net: Any, rng: np.random.Generator, *seen: np.ndarray) -> np.ndarray:
        """See `Kind`."""
        return self._boxed(net.draw(seen[0], rng))


KINDS: dict[str, Kind] = {
    "deterministic": Deterministic(),
    "squashed": Gaussian(),
    "matched": Gaussian(),  # several as one, by their moments
    "plain": Plain(),
    "generated": Generated(),
    "steered": OwnDraws(),
    "residual": OwnDraws(),
}


def kind_of(name: str) -> Kind:
    """The kind of that name. Raises RunError where it has no form in NumPy."""
    if name not in KINDS:
        raise RunError(f"a policy of the kind '{name}' has no form in NumPy")
    return KINDS[name]
