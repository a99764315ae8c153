"""The ring against a plain list, and returns-to-go against those of the dataset."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.replay import FromRing, Layout, Ring, Stores, Wanted, close, empty_ring, push
from warmstart.tasks import returns_to_go
from warmstart.types import Clock, Transition

LAYOUT = Layout(2, 1)
CLOCK = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(10))
PUSH = jax.jit(push)
GAMMA = 0.9
CLOSE = jax.jit(lambda ring, behind: close(ring, LAYOUT, GAMMA, behind, 20))


def _row(number: int, reward: float, mask: float, last: bool, t: int) -> np.ndarray:
    row = Transition(
        obs=jnp.full(2, number),
        action=jnp.zeros(1),
        reward=jnp.float32(reward),
        mask=jnp.float32(mask),
        next_obs=jnp.full(2, number + 1),
        last=jnp.float32(last),
        t=jnp.float32(t),
        return_to_go=-jnp.inf,
        online=jnp.float32(1),
    )
    return np.asarray(LAYOUT.pack(row))


def test_pack_is_the_inverse_of_unpack() -> None:
    rows = np.random.default_rng(0).normal(size=(3, 4, LAYOUT.width)).astype(np.float32)
    np.testing.assert_array_equal(LAYOUT.pack(LAYOUT.unpack(rows)), rows)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.booleans(), max_size=20))
def test_first_in_first_out(really: list[bool]) -> None:
    ring, kept = empty_ring(5, 3), []
    for number, yes in enumerate(really):
        ring = PUSH(ring, np.full(3, number, np.float32), np.int32(yes))
        kept += [number] if yes else []
    assert ring.added == len(kept) and ring.size == min(5, len(kept))
    want = {i % 5: number for i, number in enumerate(kept)}
    for at, number in want.items():
        assert ring.rows[at, 0] == number


def _episodes(lengths: list[int], ends: list[bool], rewards: list[float]) -> tuple:
    columns = []
    for length, terminates in zip(lengths, ends, strict=False):
        for t in range(length):
            last = t == length - 1
            reward = rewards[len(columns) % len(rewards)]
            columns.append((reward, float(not (last and terminates)), last, t))
    return columns, *(np.array(x) for x in list(zip(*columns, strict=True))[:3])


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=5),
    st.lists(st.booleans(), min_size=5, max_size=5),
    st.lists(st.floats(-2, 2, width=16), min_size=7, max_size=7),
    st.sampled_from(["finite", "infinite"]),
    st.sampled_from([12, 40]),
)
def test_close_writes_the_returns_of_the_dataset(lengths, ends, rewards, rule, capacity) -> None:
    columns, r, m, last = _episodes(lengths, ends, rewards)
    want = returns_to_go(r, m, last, GAMMA, rule)
    ring = empty_ring(capacity, LAYOUT.width)
    for number, column in enumerate(columns):
        ring = PUSH(ring, _row(number, *column), np.int32(1))
        if column[2]:
            behind = column[0] / (1 - GAMMA) if rule == "infinite" and column[1] else 0.0
            ring = CLOSE(ring, np.float32(behind))
            assert ring.closed == ring.added
    count = len(columns)
    kept = range(max(0, count - capacity), count)
    got = [ring.rows[i % capacity, LAYOUT.return_to_go] for i in kept]
    np.testing.assert_allclose(got, want[kept.start :], rtol=1e-4, atol=1e-4)


def test_the_open_episode_keeps_its_unknown_returns() -> None:
    ring = empty_ring(9, LAYOUT.width)
    for number, column in enumerate([(1, 1, 0, 0), (1, 1, 1, 1), (1, 1, 0, 0)]):
        ring = PUSH(ring, _row(number, *column), np.int32(1))
        ring = CLOSE(ring, np.float32(0)) if column[2] else ring
    got = ring.rows[:3, LAYOUT.return_to_go]
    np.testing.assert_allclose(got, [1.9, 1.0, -np.inf])


@functools.partial(jax.jit, static_argnums=2)
def _draw(key: jax.Array, ring: Ring, finished: bool) -> jax.Array:
    stores = Stores(jnp.zeros((1, ring.rows.shape[1])), ring)
    return FromRing().draw(key, CLOCK, stores, (), Wanted((3, 50), finished, LAYOUT)).rows


@pytest.mark.parametrize("capacity", [6, 30])
@pytest.mark.parametrize("finished", [False, True])
def test_only_rows_that_are_there_are_drawn(capacity: int, finished: bool) -> None:
    """Also where the open episode has begun to overwrite the oldest rows of the ring."""
    ring = empty_ring(capacity, 2)._replace(rows=jnp.full((capacity, 2), -1.0))
    for number in range(8):
        ring = PUSH(ring, np.full(2, number, np.float32), np.int32(1))
    ring = ring._replace(closed=jnp.int32(6))
    drawn = set(np.asarray(_draw(jax.random.key(0), ring, finished))[..., 0].ravel().tolist())
    assert drawn == set(range(max(0, 8 - capacity), 6 if finished else 8))
