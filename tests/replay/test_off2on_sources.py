"""The sources of Off2On and APL."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.nets.spec import NetSpec
from warmstart.replay import Balanced, Gated, Layout, Ring, Stores, Wanted
from warmstart.state import Optimiser
from warmstart.types import Clock

LAYOUT = Layout(2, 1)


def _rows(n: int, centre: float, online: float) -> np.ndarray:
    rng = np.random.default_rng(int(10 * centre) + n)
    rows = np.zeros((n, LAYOUT.width), np.float32)
    rows[:, :3] = rng.normal(centre, 0.3, (n, 3))
    rows[:, LAYOUT.scalars + 5] = online
    rows[:, LAYOUT.scalars] = np.arange(n)
    return rows


def _stores(data: np.ndarray, online: np.ndarray, capacity: int) -> Stores:
    filled = np.zeros((capacity, LAYOUT.width), np.float32)
    filled[np.arange(len(online)) % capacity] = online
    count = jnp.int32(len(online))
    return Stores(jnp.asarray(data), Ring(jnp.asarray(filled), count, count))


def _clock(steps: int) -> Clock:
    return Clock(jnp.int32(0), jnp.int32(steps), jnp.int32(100))


WANT = Wanted((1, 64), False, LAYOUT)


def _drawn(source: Any, stores: Stores, times: int) -> tuple[list[Any], Any]:
    memory = source.init(jax.random.PRNGKey(0), stores, LAYOUT)
    draw = jax.jit(lambda key, memory: source.draw(key, _clock(50), stores, memory, WANT))
    seen = []
    for i in range(times):
        drawn = draw(jax.random.PRNGKey(i), memory)
        memory = drawn.memory
        seen.append(LAYOUT.unpack(drawn.rows))
    return seen, memory


def test_the_first_batches_hold_the_wanted_share_of_online_rows() -> None:
    stores = _stores(_rows(2_000, 0.0, 0.0), _rows(100, 0.0, 1.0), 200)
    source = Balanced(0.75, first_block=100, net=NetSpec((16,)))
    seen, _ = _drawn(source, stores, 1)
    assert abs(float(jnp.mean(seen[0].online)) - 0.75) < 0.03


def test_priorities_come_to_favour_rows_that_look_online() -> None:
    data = np.concatenate([_rows(1_000, 0.0, 0.0), _rows(1_000, 2.0, 0.0)])
    stores = _stores(data, _rows(400, 2.0, 1.0), 500)
    source = Balanced(0.5, first_block=400, net=NetSpec((32,)), optimiser=Optimiser(3e-3))
    seen, memory = _drawn(source, stores, 400)
    leaves = np.asarray(memory.tree[memory.tree.shape[0] // 2 :])
    far, near, online = leaves[:1_000], leaves[1_000:2_000], leaves[2_000:2_400]
    assert np.median(near) > 3 * np.median(far)
    assert np.median(online) > 3 * np.median(far)
    last = jnp.concatenate([batch.obs[..., 0].ravel() for batch in seen[-40:]])
    assert float(jnp.mean(last > 1.0)) > 0.7  # uniform sampling would give 0.58
    assert leaves[2_400:].max() == 0.0  # places of the ring that hold no row


def test_new_rows_enter_once_and_a_full_ring_reuses_their_places() -> None:
    source = Balanced(0.5, first_block=10, net=NetSpec((8,)))
    few = _stores(_rows(50, 0.0, 0.0), _rows(6, 1.0, 1.0), 8)
    memory = source.init(jax.random.PRNGKey(0), few, LAYOUT)
    memory = source.draw(jax.random.PRNGKey(1), _clock(6), few, memory, WANT).memory
    assert int(memory.seen) == 6
    full = _stores(_rows(50, 0.0, 0.0), _rows(30, 1.0, 1.0), 8)
    memory = source.draw(jax.random.PRNGKey(2), _clock(30), full, memory, WANT).memory
    size = memory.tree.shape[0] // 2
    assert int(memory.seen) == 30 and np.all(np.asarray(memory.tree[size + 50 : size + 58]) > 0)


@pytest.mark.parametrize(("steps", "share"), [(5, 0.0), (50, 0.5)])
def test_a_gated_batch_is_whole_and_says_where_it_comes_from(steps: int, share: float) -> None:
    stores = _stores(_rows(40, 0.0, 0.0), _rows(30, 1.0, 1.0), 100)
    source = Gated(0.5, newest=4, after=10)
    want = Wanted((400, 8), False, LAYOUT)
    drawn = source.draw(jax.random.PRNGKey(0), _clock(steps), stores, (), want)
    batch = LAYOUT.unpack(drawn.rows)
    fresh = np.asarray(drawn.gate) == 0.0
    assert abs(fresh.mean() - share) < 0.07
    numbers = np.asarray(batch.reward)
    assert np.all(numbers[fresh] >= 26) and np.all(np.asarray(batch.online)[fresh] == 1.0)
    # The other buffer holds the dataset and every online row: 30 of 70.
    assert abs(float(np.asarray(batch.online)[~fresh].mean()) - 30 / 70) < 0.05
