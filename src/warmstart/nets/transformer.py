"""A causal transformer over (return-to-go, observation, action), three tokens a step.

Chen et al. 2021 (Decision Transformer), section 3, on the blocks of GPT-2 (Radford et al. 2019):
normalise, attend, add; normalise, two layers, add; one normalisation behind the last block.
"""

from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp

from warmstart.nets.linear import LayerNorm, Linear, layer_norm, linear
from warmstart.nets.mlp import ACTIVATIONS
from warmstart.types import Array, Context

TOKENS = 3
"""Tokens of a step; an action is read off the observation's, which does not see it."""
OBS = slice(1, None, TOKENS)


class Block(eqx.Module):
    """Attention over earlier tokens, then a hidden layer four times as wide, each added on."""

    first: LayerNorm
    query: Linear  # [D, D]
    key_value: Linear  # [D, 2 D]
    mix: Linear  # [D, D]
    second: LayerNorm
    up: Linear  # [D, 4 D]
    down: Linear  # [4 D, D]
    heads: int = eqx.field(static=True)
    dropout: float = eqx.field(static=True)
    activation: str = eqx.field(static=True)

    def __call__(self, x: Array, seen: Array, key: Array | None, wanted: slice) -> Array:
        """Tokens [..., L, D] to the `wanted` ones of them; `seen` [..., L, L] says who sees whom.

        Only what is wanted is computed: behind the last block nobody reads the other tokens.
        """
        normal = self.first(x)
        k, v = jnp.split(self.key_value(normal), 2, axis=-1)
        q = self.query(normal[..., wanted, :])
        q, k, v = (t.reshape(*t.shape[:-1], self.heads, -1) for t in (q, k, v))
        scores = jnp.einsum("...qhd,...khd->...hqk", q, k) / math.sqrt(q.shape[-1])
        scores = jnp.where(seen[..., None, wanted, :], scores, -1e9)
        weights = drop(key, 0, jax.nn.softmax(scores, axis=-1), self.dropout)
        mixed = jnp.einsum("...hqk,...khd->...qhd", weights, v)
        mixed = self.mix(mixed.reshape(*mixed.shape[:-2], -1))
        x = x[..., wanted, :] + drop(key, 1, mixed, self.dropout)
        hidden = ACTIVATIONS[self.activation](self.up(self.second(x)))
        return x + drop(key, 2, self.down(hidden), self.dropout)


class Transformer(eqx.Module):
    """Features of every step of a context, from it and the steps before it.

    `of_time` [N, D] is added to the three tokens of step t (of N - 1 where t is beyond), or None.
    """

    of_return: Linear
    of_obs: Linear
    of_action: Linear
    of_time: Array | None
    start: LayerNorm
    blocks: tuple[Block, ...]
    end: LayerNorm
    dropout: float = eqx.field(static=True)

    def __call__(self, context: Context) -> Array:
        """A context [..., T], on the networks' scale, to features [..., T, D]."""
        c = context
        tokens = [
            self.of_return(c.returns[..., None]),
            self.of_obs(c.obs),
            self.of_action(c.action),
        ]
        x = jnp.stack(tokens, axis=-2)  # [..., T, 3, D]
        if self.of_time is not None:
            t = jnp.clip(c.t, 0, self.of_time.shape[0] - 1).astype(jnp.int32)
            x = x + self.of_time[t][..., None, :]
        x = x.reshape(*x.shape[:-3], -1, x.shape[-1])
        x = drop(c.key, 0, self.start(x), self.dropout)
        there = jnp.repeat(c.t >= 0, TOKENS, axis=-1)  # [..., L]
        order = jnp.arange(there.shape[-1])
        seen = (order[:, None] >= order) & there[..., None, :]
        for number, block in enumerate(self.blocks, start=1):
            key = None if c.key is None else jax.random.fold_in(c.key, number)
            last = number == len(self.blocks)
            x = block(x, seen, key, OBS if last else slice(None))
        return self.end(x)


def drop(key: Array | None, number: int, x: Array, rate: float) -> Array:
    """`x` with a share `rate` of its entries at 0, the others larger; whole without a key."""
    if key is None or rate == 0.0:
        return x
    # Two coins of 16 bits from each draw of 32: on a CPU the draws are what dropout costs.
    draws = jax.random.bits(jax.random.fold_in(key, number), ((x.size + 1) // 2,), jnp.uint32)
    coins = jax.lax.bitcast_convert_type(draws, jnp.uint16).reshape(-1)[: x.size].reshape(x.shape)
    return jnp.where(coins >= round(rate * 2**16), x / (1.0 - rate), 0.0)


def transformer(
    key: Array,
    obs_dim: int,
    action_dim: int,
    *,
    layers: int,
    heads: int,
    width: int,
    dropout: float,
    activation: str,
    times: int,
) -> Transformer:
    """A fresh transformer; with `times` > 0 it knows which of so many steps it is at.

    Embeddings are drawn as PyTorch draws a linear layer, times from N(0, 1), and the blocks from
    N(0, 0.02^2) with zero biases, as in the released code.
    """

    def small(key: Array, n_in: int, n_out: int) -> Linear:
        weight = 0.02 * jax.random.normal(key, (n_in, n_out), jnp.float32)
        return Linear(weight, jnp.zeros(n_out, jnp.float32))

    def block(key: Array) -> Block:
        keys = jax.random.split(key, 5)
        return Block(
            layer_norm(width, 1e-5),
            small(keys[0], width, width),
            small(keys[1], width, 2 * width),
            small(keys[2], width, width),
            layer_norm(width, 1e-5),
            small(keys[3], width, 4 * width),
            small(keys[4], 4 * width, width),
            heads,
            dropout,
            activation,
        )

    keys = jax.random.split(key, 4 + layers)
    return Transformer(
        linear(keys[0], 1, width, "torch"),
        linear(keys[1], obs_dim, width, "torch"),
        linear(keys[2], action_dim, width, "torch"),
        jax.random.normal(keys[3], (times, width), jnp.float32) if times else None,
        layer_norm(width, 1e-5),
        tuple(block(k) for k in keys[4:]),
        layer_norm(width, 1e-5),
        dropout,
    )
