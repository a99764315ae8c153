"""Networks that see images: small convolutions, a bottleneck, and any network behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp

from warmstart.errors import RecipeError
from warmstart.nets.linear import LayerNorm, Linear, layer_norm, linear
from warmstart.ranges import Count, Whole
from warmstart.types import Array, Camera, Spec, WithPixels
from warmstart.values import register

_T = TypeVar("_T")


class Conv(eqx.Module):
    """A convolution without padding, then relu."""

    weight: Array  # [k, k, in, out]
    bias: Array  # [out]
    stride: int = eqx.field(static=True)

    def __call__(self, x: Array) -> Array:
        """[N, H, W, in] to [N, H', W', out]."""
        steps, axes = (self.stride, self.stride), ("NHWC", "HWIO", "NHWC")
        x = jax.lax.conv_general_dilated(x, self.weight, steps, "VALID", dimension_numbers=axes)
        return jax.nn.relu(x + self.bias)


class Encoder(eqx.Module):
    """The convolutions of every camera."""

    towers: tuple[tuple[Conv, ...], ...]
    cameras: tuple[Camera, ...] = eqx.field(static=True)

    def __call__(self, pixels: Array) -> Array:
        """Pixels [N, P], 0 to 255, to what the last layers give, side by side [N, K]."""
        seen = []
        for tower, images in zip(self.towers, split(pixels, self.cameras), strict=True):
            x = images.astype(jnp.float32) / 255.0
            for conv in tower:
                x = conv(x)
            seen.append(x.reshape(len(x), -1))
        return jnp.concatenate(seen, axis=-1)


class Encoded(eqx.Module):
    """A network behind an encoder and a bottleneck of its own; numbers go past them as they are.

    Observations are `WithPixels`, or flat [..., O] with the pixels last.
    """

    encoder: Encoder
    squeeze: Linear
    norm: LayerNorm
    net: Any
    shift: int = eqx.field(static=True)

    def features(self, obs: Any) -> Array:
        """Observations [..., O] to numbers and the bottleneck's output, side by side."""
        numbers, pixels = parted(obs, sum(camera.size for camera in self.encoder.cameras))
        lead = pixels.shape[:-1]
        seen = self.encoder(pixels.reshape(-1, pixels.shape[-1]))
        seen = jnp.tanh(self.norm(self.squeeze(seen)))
        return jnp.concatenate([numbers, seen.reshape(*lead, -1)], axis=-1)

    @property
    def members(self) -> int:
        """E, of an ensemble."""
        return self.net.members

    def __call__(self, obs: Any, *more: Any) -> Any:
        """What the network says of the features."""
        return self.net(self.features(obs), *more)

    def call_actions(self, obs: Any, actions: Array) -> Array:
        """As `EnsembleCritic.call_actions`: images are looked at once for all N actions."""
        return self.net.call_actions(self.features(obs), actions)

    def take(self, indices: Array) -> Encoded:
        """With these members of the ensemble alone, which share the encoder."""
        return Encoded(self.encoder, self.squeeze, self.norm, self.net.take(indices), self.shift)

    def shifted(self, key: Array, obs: WithPixels) -> WithPixels:
        """Every image moved by up to `shift` pixels each way, its border repeated.

        Random shifts of Kostrikov et al. 2021, section 3.1 (there 4 pixels of 84).
        """
        cameras, pad = self.encoder.cameras, self.shift
        lead, out = obs.pixels.shape[:-1], []
        flat = obs.pixels.reshape(-1, obs.pixels.shape[-1])
        for k, images in enumerate(split(flat, cameras)):
            where = jax.random.fold_in(key, k)
            moves = jax.random.randint(where, (len(images), 2), 0, 2 * pad + 1)
            wide = jnp.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="edge")

            def cut(image: Array, move: Array, shape: Any = images.shape[1:]) -> Array:
                return jax.lax.dynamic_slice(image, (move[0], move[1], 0), shape)

            out.append(jax.vmap(cut)(wide, moves).reshape(len(images), -1))
        return obs._replace(pixels=jnp.concatenate(out, axis=-1).reshape(*lead, -1))


@register
@dataclass(frozen=True)
class EncoderSpec:
    """How networks look at images, where a task shows some.

    Every camera has convolutions of its own, with relu and without padding; of what they give
    each network makes `bottleneck` numbers by a Dense layer, LayerNorm and tanh. The pixels are
    divided by 255. Numbers beside the images go past, into the first layer of the network.

    Attributes:
        filters: of each convolution.
        strides: of each convolution; the last one also serves those that are not named.
        kernel: size of each.
        bottleneck: what is left of all images, numbers.
        shift: pixels by which images of a batch are moved at random, at most; 0: they are not.
        shared: one encoder for actor, critics and value, which learns with the critics alone;
            else, and where there are no critics, each network has and learns one of its own.

    The defaults are those of the authors' code of RLPD from pixels (Ball et al. 2023), which
    follows DrQ (Kostrikov et al. 2021).

    Differences: DrQ has four convolutions of 32 filters, of stride 1 behind the first; RLPD
    passes numbers through a Dense layer, LayerNorm and tanh too; SERL starts from a ResNet that
    was trained on other images, here nothing is trained before.

    Raises:
        RecipeError: no layer.
    """

    filters: tuple[Count, ...] = (32, 64, 128, 256)
    strides: tuple[Count, ...] = (2,)
    kernel: Count = 3
    bottleneck: Count = 50
    shift: Whole = 4
    shared: bool = True

    def __post_init__(self) -> None:
        for name in ("filters", "strides"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            if not getattr(self, name):
                raise RecipeError(f"encoder.{name} is empty; give one number for each layer")

    def around(self, key: Array, spec: Spec, build: Callable[[int], Any]) -> Any:
        """`build` of its inputs' size, and an encoder before it where `spec` has cameras.

        Raises RecipeError for images that are too small.
        """
        if not spec.cameras:
            return build(spec.obs_dim)
        eye_key, squeeze_key = jax.random.split(jax.random.fold_in(key, 1))
        encoder = self._fresh(eye_key, spec)
        blank = jax.ShapeDtypeStruct((1, spec.pixels), jnp.uint8)
        width = jax.eval_shape(encoder.__call__, blank).shape[-1]
        squeeze = linear(squeeze_key, width, self.bottleneck, "xavier_uniform")
        norm, net = layer_norm(self.bottleneck, 1e-6), build(spec.numbers + self.bottleneck)
        return Encoded(encoder, squeeze, norm, net, self.shift)

    def check(self, cameras: tuple[Camera, ...]) -> None:
        """Raise RecipeError where an image is too small for so many convolutions."""
        for camera in cameras:
            height, width, _ = camera.shape
            for layer in range(len(self.filters)):
                if min(height, width) < self.kernel:
                    fewer = str(list(self.filters[:layer])).replace(" ", "")
                    raise RecipeError(
                        f"camera '{camera.name}' has {camera.shape[0]} x {camera.shape[1]} pixels, "
                        f"of which {layer} convolutions leave nothing for the next one; give fewer "
                        f"with --set learner.encoder.filters={fewer}"
                    )
                height = (height - self.kernel) // self._stride(layer) + 1
                width = (width - self.kernel) // self._stride(layer) + 1

    def _stride(self, layer: int) -> int:
        return self.strides[min(layer, len(self.strides) - 1)]

    def _fresh(self, key: Array, spec: Spec) -> Encoder:
        self.check(spec.cameras)
        towers = []
        for k, camera in enumerate(spec.cameras):
            channels, tower = camera.shape[2], []
            for layer, filters in enumerate(self.filters):
                stride = self._stride(layer)
                fan = (self.kernel**2 * channels, self.kernel**2 * filters)
                bound = (6.0 / sum(fan)) ** 0.5  # Glorot & Bengio 2010, eq. 16
                own = jax.random.fold_in(jax.random.fold_in(key, k), layer)
                size = (self.kernel, self.kernel, channels, filters)
                weight = jax.random.uniform(own, size, jnp.float32, -bound, bound)
                tower.append(Conv(weight, jnp.zeros(filters, jnp.float32), stride))
                channels = filters
            towers.append(tuple(tower))
        return Encoder(tuple(towers), spec.cameras)


def parted(obs: Any, pixels: int) -> tuple[Array, Array]:
    """The numbers and the `pixels` of observations [..., O]."""
    if isinstance(obs, WithPixels):
        return obs
    n = obs.shape[-1] - pixels
    return obs[..., :n], obs[..., n:]


def split(pixels: Array, cameras: tuple[Camera, ...]) -> list[Array]:
    """Pixels [N, P] as the images [N, H, W, C] of each camera."""
    images, start = [], 0
    for camera in cameras:
        stop = start + camera.size
        images.append(pixels[:, start:stop].reshape(len(pixels), *camera.shape))
        start = stop
    return images


def held(net: _T) -> _T:
    """The network; no gradient reaches its encoder, where it has one."""
    if not isinstance(net, Encoded):
        return net
    still = jax.tree.map(jax.lax.stop_gradient, net.encoder)
    return eqx.tree_at(lambda n: n.encoder, net, still)


def with_encoder(net: Any, source: Any) -> Any:
    """`net` with the encoder of `source`, where both have one."""
    if not (isinstance(net, Encoded) and isinstance(source, Encoded)):
        return net
    return eqx.tree_at(lambda n: n.encoder, net, source.encoder)
