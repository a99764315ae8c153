"""A sum tree on the device: draw in proportion to priorities, change some of them, both in log N.

One array [2 L]: the leaves are [L, 2 L), the parent of i is i // 2, and [1] is the sum of all.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array


def tree_of(priorities: Array) -> Array:
    """The tree over priorities [N], padded with zeros to a power of two."""
    size = 1 << max(1, (priorities.shape[0] - 1).bit_length())
    level = jnp.zeros(size, jnp.float32).at[: priorities.shape[0]].set(priorities)
    levels = [level]
    while level.shape[0] > 1:
        level = level.reshape(-1, 2).sum(axis=1)
        levels.append(level)
    return jnp.concatenate([jnp.zeros(1, jnp.float32), *levels[::-1]])


def draw(key: Array, tree: Array, count: int) -> Array:
    """`count` leaves, one from each of as many equal segments of the total (stratified)."""
    size = tree.shape[0] // 2
    u = (jnp.arange(count) + jax.random.uniform(key, (count,))) / count * tree[1]
    node = jnp.ones(count, jnp.int32)
    for _ in range(size.bit_length() - 1):
        left = tree[2 * node]
        right = u >= left
        # Never into an empty half, where rounding would lead.
        right = jnp.where(left <= 0.0, True, right) & (tree[2 * node + 1] > 0.0)
        u = jnp.where(right, u - left, u)
        node = 2 * node + right
    return node - size


def change(tree: Array, leaves: Array, priorities: Array) -> Array:
    """The tree with new priorities [M] at `leaves` [M]; leaves of at least N are passed over."""
    size = tree.shape[0] // 2
    node = jnp.where(leaves < size, leaves + size, 2 * size)
    tree = tree.at[node].set(priorities, mode="drop")
    for _ in range(size.bit_length() - 1):
        node = node // 2
        sums = tree[2 * node] + tree[2 * node + 1]
        tree = tree.at[jnp.where(node < size, node, 2 * size)].set(sums, mode="drop")
    return tree
