"""Networks that see images, in NumPy: see `warmstart.nets.pixels`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.policy.layers import LayerNorm, Linear
from warmstart.policy.onnx_nodes import Graph
from warmstart.types import Camera


@dataclass(frozen=True, eq=False)
class Conv:
    """A convolution without padding, then relu."""

    weight: np.ndarray  # [k, k, in, out]
    bias: np.ndarray  # [out]
    stride: int

    def __post_init__(self) -> None:
        if self.weight.ndim != 4 or self.bias.shape != self.weight.shape[3:] or self.stride < 1:
            raise ValueError(f"a convolution of {self.weight.shape}, {self.bias.shape}")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """[N, H, W, in] to [N, H', W', out]."""
        size, step = self.weight.shape[:2], self.stride
        windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))
        seen = np.tensordot(windows[:, ::step, ::step], self.weight, ((4, 5, 3), (0, 1, 2)))
        return np.maximum(seen + self.bias, 0.0)

    def onnx(self, graph: Graph, x: str) -> str:
        """The same, of [N, in, H, W] to [N, out, H', W']."""
        weight = graph.constant(self.weight.transpose(3, 2, 0, 1))
        steps = [self.stride, self.stride]
        return graph.add(
            "Relu", graph.add("Conv", x, weight, graph.constant(self.bias), strides=steps)
        )


@dataclass(frozen=True, eq=False)
class Encoder:
    """The convolutions of every camera."""

    towers: tuple[tuple[Conv, ...], ...]
    cameras: tuple[Camera, ...]

    @property
    def pixels(self) -> int:
        """P."""
        return sum(camera.size for camera in self.cameras)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """[N, P], 0 to 255, to [N, K]."""
        seen, start = [], 0
        for tower, camera in zip(self.towers, self.cameras, strict=True):
            stop = start + camera.size
            x = pixels[:, start:stop].reshape(len(pixels), *camera.shape) / np.float32(255.0)
            for conv in tower:
                x = conv(x)
            seen.append(x.reshape(len(x), -1))
            start = stop
        return np.concatenate(seen, axis=-1)

    def onnx(self, graph: Graph, x: str) -> str:
        """The same; the pixels stand last in `x` [N, O]."""
        at, seen = -self.pixels, []
        for tower, camera in zip(self.towers, self.cameras, strict=True):
            image = graph.columns(x, at, at + camera.size)
            image = graph.add("Reshape", image, graph.constant(np.array([-1, *camera.shape])))
            image = graph.add("Div", image, graph.number(255.0))
            image = graph.add("Transpose", image, perm=[0, 3, 1, 2])
            for conv in tower:
                image = graph.of(conv, image)
            seen.append(graph.add("Flatten", graph.add("Transpose", image, perm=[0, 2, 3, 1])))
            at += camera.size
        return graph.add("Concat", *seen, axis=1)


@dataclass(frozen=True, eq=False)
class Encoded:
    """A network behind an encoder and a bottleneck; numbers go past them as they are."""

    encoder: Encoder
    squeeze: Linear
    norm: LayerNorm
    net: Any
    shift: int

    def features(self, obs: np.ndarray) -> np.ndarray:
        """[..., O], the pixels last, to what the network behind it sees."""
        n = obs.shape[-1] - self.encoder.pixels
        pixels = obs[..., n:].reshape(-1, self.encoder.pixels)
        seen = np.tanh(self.norm(self.squeeze(self.encoder(pixels))))
        return np.concatenate([obs[..., :n], seen.reshape(*obs.shape[:-1], -1)], axis=-1)

    def mean(self, obs: np.ndarray) -> np.ndarray:
        """Of a policy."""
        return self.net.mean(self.features(obs))

    def moments(self, obs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of a policy."""
        return self.net.moments(self.features(obs))

    def onnx(self, graph: Graph, x: str) -> str:
        """Of a policy's `mean`."""
        few = graph.of(self.norm, graph.of(self.squeeze, graph.of(self.encoder, x)))
        numbers = graph.columns(x, 0, -self.encoder.pixels)
        return graph.of(self.net, graph.add("Concat", numbers, graph.add("Tanh", few), axis=1))
