"""What a batch is made of, to the row."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.engine.carry import preloaded
from warmstart.recipe import Preload, Recipe, Replay
from warmstart.replay import FromDataset, Layout, Mixed, Ring, Stores, Wanted
from warmstart.types import Clock

STORES = Stores(
    dataset=jnp.zeros((7, 2)),
    ring=Ring(jnp.ones((9, 2)).at[5:].set(jnp.nan), jnp.int32(5), jnp.int32(5)),
)


def _want(u: int, b: int, finished: bool = False) -> Wanted:
    return Wanted((u, b), finished, Layout(1, 1))


def _clock(done: float) -> Clock:
    return Clock(jnp.int32(0), jnp.int32(int(1000 * done)), jnp.int32(1000))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 20))
def test_a_fixed_share_is_an_exact_number_of_rows(twentieths: int) -> None:
    share = twentieths / 20
    rows = Mixed(share).draw(jax.random.key(1), _clock(0), STORES, (), _want(3, 20)).rows
    assert rows.shape == (3, 20, 2)
    np.testing.assert_array_equal(np.sum(rows[..., 0] == 0, axis=1), [twentieths] * 3)
    np.testing.assert_array_equal(np.sum(rows[..., 0] == 1, axis=1), [20 - twentieths] * 3)


@pytest.mark.parametrize(("percent", "rows"), [(5, 12), (10, 25), (25, 64)])
def test_released_code_rounds_down(percent: int, rows: int) -> None:
    drawn = Mixed(percent / 100).draw(jax.random.key(1), _clock(0), STORES, (), _want(1, 256)).rows
    assert np.sum(drawn[..., 0] == 0) == rows


@pytest.mark.parametrize(("done", "offline"), [(0.0, 8), (0.5, 4), (1.0, 0), (2.0, 0)])
def test_an_annealed_share_ends_at_its_end(done: float, offline: int) -> None:
    rows = Mixed(1.0, 0.0).draw(jax.random.key(1), _clock(done), STORES, (), _want(2, 8)).rows
    np.testing.assert_array_equal(np.sum(rows[..., 0] == 0, axis=1), [offline] * 2)


def test_every_dataset_row_is_drawn() -> None:
    stores = STORES._replace(dataset=jnp.arange(14.0).reshape(7, 2))
    rows = FromDataset().draw(jax.random.key(2), _clock(0), stores, (), _want(4, 40, True)).rows
    assert set(np.asarray(rows)[..., 0].ravel()) == set(range(0, 14, 2))


LAYOUT = Layout(1, 1)


def _logged() -> np.ndarray:
    """Three episodes of two rows with returns 1, 5 and 3; observation 0 is the row's number."""
    rows = np.zeros((6, LAYOUT.width), np.float32)
    rows[:, 0] = np.arange(6)
    rows[:, LAYOUT.scalars] = [0, 1, 2, 3, 3, 0]
    rows[1::2, LAYOUT.scalars + 2] = 1
    return rows


@pytest.mark.parametrize(
    ("kind", "count", "want"),
    [("none", 0, []), ("all", 0, range(6)), ("last", 2, [4, 5]), ("top", 2, [4, 5, 2, 3])],
)
def test_preloads(kind, count: int, want) -> None:
    recipe = Recipe("x", replay=Replay(preload=Preload(kind, count)))
    assert preloaded(recipe, LAYOUT, _logged())[:, 0].tolist() == list(want)


def test_a_random_preload_has_its_count_and_repeats_itself() -> None:
    recipe = Recipe("x", replay=Replay(preload=Preload("random", 4)))
    first, second = (preloaded(recipe, LAYOUT, _logged()) for _ in range(2))
    assert len(first) == 4
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("top", "want"),
    [(0.1, {2, 3}), (1 / 3, {2, 3}), (0.5, {2, 3, 4, 5}), (1.0, set(range(6)))],
)
def test_the_top_share_of_episodes_is_all_that_is_cloned(top: float, want: set[int]) -> None:
    """One of three episodes at least, and the share is rounded up."""
    source, stores = FromDataset(top), STORES._replace(dataset=jnp.asarray(_logged()))
    memory = source.init(jax.random.key(0), stores, LAYOUT)
    drawn = source.draw(jax.random.key(1), _clock(0), stores, memory, _want(4, 40)).rows
    assert set(np.asarray(drawn)[..., 0].ravel().astype(int)) == want
