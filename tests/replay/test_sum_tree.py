"""The sum tree against NumPy sums."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.replay import sum_tree as sums

SIZES = st.sampled_from([1, 2, 3, 7, 8, 9, 40])  # each one is a program of its own
PRIORITIES = SIZES.flatmap(lambda n: st.lists(st.floats(0, 100, width=32), min_size=n, max_size=n))


@settings(max_examples=30, deadline=None)
@given(PRIORITIES, st.lists(st.tuples(st.integers(0, 39), st.floats(0.0, 9.0, width=32))))
def test_every_node_is_the_sum_of_its_leaves(
    first: list[float], changes: list[tuple[int, float]]
) -> None:
    want = np.array(first, np.float64)
    tree = sums.tree_of(jnp.array(first, jnp.float32))
    changes = [(leaf % len(first), value) for leaf, value in dict(changes).items()]
    changes = list(dict(changes).items())
    if changes:
        leaves, values = (np.array(x) for x in zip(*changes, strict=True))
        want[leaves] = values
        outside = 41 - len(leaves)  # passed over
        leaves, values = (
            np.pad(leaves, (0, outside), constant_values=10_000),
            np.pad(values, (0, outside), constant_values=7.0),
        )
        tree = sums.change(tree, jnp.array(leaves), jnp.array(values, jnp.float32))
    tree, size = np.asarray(tree), tree.shape[0] // 2
    np.testing.assert_allclose(tree[size : size + len(want)], want, rtol=1e-6, atol=1e-30)
    for node in range(1, size):
        np.testing.assert_allclose(
            tree[node], tree[2 * node] + tree[2 * node + 1], rtol=1e-5, atol=1e-30
        )
    np.testing.assert_allclose(tree[1], want.sum(), rtol=1e-5, atol=1e-30)


def test_leaves_are_drawn_in_proportion() -> None:
    priorities = np.array([0.0, 1.0, 2.0, 0.0, 5.0, 0.0])
    tree = sums.tree_of(jnp.array(priorities, jnp.float32))
    drawn = np.asarray(sums.draw(jax.random.PRNGKey(0), tree, 8_000))
    np.testing.assert_allclose(np.bincount(drawn, minlength=6) / 8_000, priorities / 8, atol=2e-3)


@pytest.mark.parametrize("count", [3, 64])
def test_a_leaf_of_no_priority_is_never_drawn(count: int) -> None:
    rng = np.random.default_rng(count)
    priorities = np.where(rng.random(1000) < 0.5, 0.0, rng.random(1000) * 1e-3)
    tree = sums.tree_of(jnp.array(priorities, jnp.float32))
    for seed in range(20):
        drawn = np.asarray(sums.draw(jax.random.PRNGKey(seed), tree, count))
        assert np.all(priorities[drawn] > 0)


def test_cost_grows_with_the_depth_alone() -> None:
    """Operations of a draw and a change: one more level is a fixed number more."""

    def operations(n: int) -> int:
        def both(key: jax.Array, tree: jax.Array) -> jax.Array:
            leaves = sums.draw(key, tree, 16)
            return sums.change(tree, leaves, jnp.ones(16))

        tree = jax.ShapeDtypeStruct((2 * n,), jnp.float32)
        key = jax.ShapeDtypeStruct((2,), jnp.uint32)
        return len(jax.jit(both).lower(key, tree).as_text().splitlines())

    counts = [operations(1 << depth) for depth in (8, 12, 16, 20)]
    steps = np.diff(counts)
    assert steps.max() - steps.min() <= 0.1 * steps.max()
