"""SimBa's residual trunk (Lee et al., "SimBa: Simplicity Bias for Scaling Up Parameters in Deep
Reinforcement Learning", ICLR 2025, section 4)."""

from __future__ import annotations

import equinox as eqx
import jax

from warmstart.nets.linear import LayerNorm, Linear, layer_norm, linear
from warmstart.types import Array

_WIDENING = 4


class Block(eqx.Module):
    """`x + down(relu(up(norm(x))))`, four times as wide inside."""

    norm: LayerNorm
    up: Linear
    down: Linear

    def __call__(self, x: Array) -> Array:
        """[..., H] to [..., H]."""
        return x + self.down(jax.nn.relu(self.up(self.norm(x))))


class SimBa(eqx.Module):
    """Dense, residual blocks, LayerNorm. `first` and `rest` split it as they split an `MLP`."""

    first: Linear
    blocks: tuple[Block, ...]
    norm: LayerNorm

    def __call__(self, x: Array) -> Array:
        """Inputs [..., in] to features [..., H]."""
        return self.rest(self.first(x))

    def rest(self, h: Array) -> Array:
        """Everything behind the first layer: `h` [..., H] is its output."""
        for block in self.blocks:
            h = block(h)
        return self.norm(h)


def simba(key: Array, n_in: int, size: int, blocks: int, eps: float = 1e-6) -> SimBa:
    """A fresh trunk of `blocks` blocks of width `size`: orthogonal (gain 1) first, He inside."""
    first_key, *keys = jax.random.split(key, 1 + 2 * blocks)
    wide = _WIDENING * size
    return SimBa(
        linear(first_key, n_in, size, "orthogonal"),
        tuple(
            Block(
                layer_norm(size, eps),
                linear(up, size, wide, "he_normal"),
                linear(down, wide, size, "he_normal"),
            )
            for up, down in zip(keys[::2], keys[1::2], strict=True)
        ),
        layer_norm(size, eps),
    )
