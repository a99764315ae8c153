"""The causal transformer: against plain loops in float64, and what it may not see."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.errors import RecipeError
from warmstart.nets.sequence_spec import SequenceSpec
from warmstart.nets.transformer import drop, transformer
from warmstart.types import Context, Spec

SIZES = {"layers": 2, "heads": 2, "width": 8, "dropout": 0.5, "activation": "relu", "times": 6}
T, OBS, ACTION = 4, 3, 2


def _net(key: int = 0) -> Any:
    net = transformer(jax.random.key(key), OBS, ACTION, **SIZES)  # pyright: ignore[reportArgumentType]
    # Larger than the blocks' small start, so that attention is no mere mean.
    return jax.tree.map(lambda x: x + 0.3 * jax.random.normal(jax.random.key(1), x.shape), net)


def _context(padded: int = 1) -> Context:
    rng = np.random.default_rng(0)
    t = np.where(np.arange(T) < padded, -1.0, np.arange(T) - padded + 3.0)
    draws = (rng.normal(size=shape).astype(np.float32) for shape in ((T,), (T, OBS), (T, ACTION)))
    return Context(*map(jnp.asarray, draws), jnp.asarray(t, jnp.float32))


def _by_hand(net: Any, context: Context) -> np.ndarray:
    """One token after the other, one head after the other."""
    net, c = jax.tree.map(lambda x: np.asarray(x, np.float64), (net, context))

    def norm(layer: Any, x: np.ndarray) -> np.ndarray:
        return (x - x.mean()) / math.sqrt(x.var() + 1e-5) * layer.scale + layer.offset

    def affine(layer: Any, x: np.ndarray) -> np.ndarray:
        return x @ layer.weight + layer.bias

    tokens, steps = [], []
    for i in range(T):
        time = net.of_time[int(np.clip(c.t[i], 0, 5))]
        parts = (net.of_return, c.returns[i : i + 1]), (net.of_obs, c.obs[i])
        for layer, x in (*parts, (net.of_action, c.action[i])):
            tokens.append(norm(net.start, affine(layer, x) + time))
            steps.append(i)
    for block in net.blocks:
        normal, after = [norm(block.first, x) for x in tokens], []
        for i, x in enumerate(tokens):
            mixed = np.zeros(8)
            near = [j for j in range(i + 1) if c.t[steps[j]] >= 0] or list(range(len(tokens)))
            for h in range(2):
                part = slice(4 * h, 4 * h + 4)
                q = affine(block.query, normal[i])[part]
                kv = [np.split(affine(block.key_value, normal[j]), 2) for j in near]
                scores = np.array([q @ k[part] / 2.0 for k, _ in kv])
                weights = np.exp(scores - scores.max())
                weights /= weights.sum()
                mixed[part] = sum(w * v[part] for w, (_, v) in zip(weights, kv, strict=True))
            x = x + affine(block.mix, mixed)
            hidden = np.maximum(affine(block.up, norm(block.second, x)), 0.0)
            after.append(x + affine(block.down, hidden))
        tokens = after
    return np.stack([norm(net.end, x) for x in tokens[1::3]])


def test_it_is_the_network_of_plain_loops() -> None:
    net, context = _net(), _context()
    np.testing.assert_allclose(net(context)[1:], _by_hand(net, context)[1:], rtol=2e-4, atol=2e-4)


def test_nobody_sees_what_comes_later_nor_the_action_to_be_chosen() -> None:
    net, context = _net(), _context()
    for change in (
        context._replace(obs=context.obs.at[3].add(5.0)),
        context._replace(returns=context.returns.at[3].add(5.0)),
        context._replace(action=context.action.at[2].add(5.0)),
    ):
        np.testing.assert_array_equal(net(context)[1:3], net(change)[1:3])
        assert not np.allclose(net(context)[3], net(change)[3])
    last = context._replace(action=context.action.at[3].add(5.0))
    np.testing.assert_array_equal(net(context)[1:], net(last)[1:])


def test_what_stands_on_empty_places_is_not_seen() -> None:
    net, context = _net(), _context(2)
    other = context._replace(obs=context.obs.at[:2].set(9.0), action=context.action.at[1].set(9.0))
    np.testing.assert_array_equal(net(context)[2:], net(other)[2:])


def test_dropout_drops_its_share_and_only_with_a_key() -> None:
    x = jnp.ones((101, 99))
    dropped = np.asarray(drop(jax.random.key(0), 1, x, 0.1))
    assert np.mean(dropped == 0.0) == pytest.approx(0.1, abs=0.01)
    assert dropped.max() == pytest.approx(1 / 0.9)
    assert drop(None, 1, x, 0.1) is x
    net, context = _net(), _context()
    keyed = [net(context._replace(key=jax.random.key(k))) for k in (0, 0, 1)]
    np.testing.assert_array_equal(keyed[0], keyed[1])
    assert not np.allclose(keyed[0], keyed[2]) and not np.allclose(keyed[0], net(context))


def test_a_batch_is_its_members() -> None:
    net, one = _net(), _context()
    both = jax.tree.map(lambda x, y: jnp.stack([x, y]), one, _context(2))
    np.testing.assert_allclose(net(both)[0], net(one), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"activation": "relo"}, "'relu'"),
        ({"width": 10, "heads": 4}, "that the heads divide"),
        ({"layers": 0}, "a whole number from 1"),
        ({"dropout": 1.0}, "a number from 0 to below 1"),
    ],
)
def test_sizes_that_make_no_network(wrong: dict[str, Any], word: str) -> None:
    with pytest.raises(RecipeError, match=word):
        SequenceSpec(**wrong)


def test_the_table_of_steps_is_as_long_as_the_horizon() -> None:
    def trunk(horizon: int, **more: Any) -> Any:
        spec = SequenceSpec(layers=1, width=4, **more)
        return spec.build(jax.random.key(0), Spec(OBS, ACTION, horizon)).trunk

    assert trunk(7).of_time.shape == (7, 4) and trunk(0).of_time.shape == (1000, 4)
    assert trunk(7, positions=False).of_time is None
