"""The steps behind a row: of its episode, in order, and never over the ring's newest row."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import SPEC, finish, tiny, trainer

from warmstart.errors import RecipeError
from warmstart.nets.spec import NetSpec
from warmstart.recipe import Recipe
from warmstart.replay import (
    Balanced,
    Drawn,
    Faded,
    FromDataset,
    FromRing,
    Gated,
    Layout,
    Mixed,
    Resampled,
    Ring,
    Stores,
    Wanted,
    plain,
    taken,
)
from warmstart.replay.rows import unfollowed
from warmstart.replay.sources import Remembers
from warmstart.types import Clock, Transition
from warmstart.values import register

STORED = Layout(1, 2)
CLOCK = Clock(jnp.int32(0), jnp.int32(50), jnp.int32(100))


def _rows(lengths: list[int], first: int, open_end: bool = False) -> np.ndarray:
    """Episodes one behind the other; row k says k in all that it bears."""
    n = sum(lengths)
    rows, k = np.zeros((n, STORED.width), np.float32), np.arange(first, first + n)
    rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3] = k, k, -k, k + 0.5
    rows[:, STORED.scalars], rows[:, STORED.scalars + 1] = 10 * k, 1.0
    rows[:, STORED.t] = np.concatenate([np.arange(m) for m in lengths])
    ends = np.cumsum(lengths) - 1
    rows[ends, STORED.last] = 1.0
    rows[ends[::2], STORED.scalars + 1] = 0.0  # every second one is terminated
    if open_end:
        rows[-1, STORED.last], rows[-1, STORED.scalars + 1] = 0.0, 1.0
    return rows


def _filled(online: np.ndarray, capacity: int) -> np.ndarray:
    filled = np.zeros((capacity, STORED.width), np.float32)
    for number, row in enumerate(online):
        filled[number % capacity] = row
    return filled


def _stores(data: np.ndarray, online: np.ndarray, capacity: int) -> Stores:
    filled = _filled(online, capacity)
    count = jnp.int32(len(online))
    return Stores(jnp.asarray(data), Ring(jnp.asarray(filled), count, count))


def _told(rows: Any, layout: Layout, *stores: np.ndarray) -> None:
    """Each drawn row bears what a search through its store finds behind it."""
    batch = layout.unpack(np.asarray(rows).reshape(-1, layout.width))
    behind: dict[int, list[np.ndarray]] = {}
    for store in stores:
        for i, row in enumerate(store):
            mine, j = [row], i
            while len(mine) < layout.chunk and not store[j][STORED.last] and j + 1 < len(store):
                j += 1
                mine.append(store[j])
            behind[int(row[0])] = mine
    later: Any = batch.later
    for n, k in enumerate(batch.obs[:, 0]):
        window = behind[int(k)]
        size = len(window)
        there = [1.0] * (size - 1) + [0.0] * (layout.chunk - size)
        np.testing.assert_array_equal(later.there[n], there)
        more = np.zeros((layout.chunk - 1, STORED.width), np.float32)
        for j, row in enumerate(window[1:]):
            more[j] = row
        np.testing.assert_array_equal(later.action[n], more[:, 1:3])
        np.testing.assert_array_equal(later.reward[n], more[:, STORED.scalars])
        np.testing.assert_array_equal(later.mask[n], more[:, STORED.scalars + 1])
        np.testing.assert_array_equal(later.next_obs[n], window[-1][3:4])


DATA = _rows([3, 1, 4], 1)
SOURCES = [
    FromDataset(), FromDataset(0.5), FromRing(), Mixed(0.5), Mixed(1.0, 0.0), Faded(), Gated(),
    Balanced(first_block=4, net=NetSpec((4,))), Resampled(),
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("added", [1, 7, 12])
def test_every_source_gives_them(source: Any, added: int) -> None:
    """Also of a ring that is full, where the oldest row stands behind the newest."""
    online = _rows([2, 3, 4, 5], 101)[:added]
    stores, layout = _stores(DATA, online, 7), dataclasses.replace(STORED, chunk=3)
    memory = source.init(jax.random.PRNGKey(1), stores, STORED)
    want = Wanted((2, 40), False, layout)
    rows = source.draw(jax.random.PRNGKey(2), CLOCK, stores, memory, want).rows
    assert rows.shape == (2, 40, layout.width)
    _told(rows, layout, DATA, online)
    narrow = want._replace(layout=STORED)
    same = source.draw(jax.random.PRNGKey(2), CLOCK, stores, memory, narrow).rows
    np.testing.assert_array_equal(rows[..., : STORED.width], same)  # the same rows


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=6),
    st.integers(1, 12),
    st.booleans(),
    st.integers(2, 7),
    st.booleans(),
)
def test_episodes_of_any_length_in_a_ring_of_any_size(
    lengths: list[int], capacity: int, goes_on: bool, chunk: int, ahead: bool
) -> None:
    """No window crosses an episode's end, the newest row, or the dataset's last one."""
    online, layout = _rows(lengths, 1, open_end=goes_on), Layout(1, 2, ahead, chunk=chunk)
    ring = _filled(online, capacity)
    places, newest = np.arange(min(capacity, len(online))), (len(online) - 1) % capacity
    _told(taken(ring, places, layout, newest), layout, online[-capacity:])
    if not goes_on:
        _told(taken(online, np.arange(len(online)), layout), layout, online)


@pytest.mark.parametrize("ahead", [False, True])
def test_arrays_of_both_kinds_give_the_same(ahead: bool) -> None:
    layout, at, newest = Layout(1, 2, ahead, chunk=3), np.arange(7), 4
    ring = _filled(_rows([2, 3, 4, 5], 1)[:12], 7)
    numpy = taken(ring, at, layout, newest)
    jaxs = taken(jnp.asarray(ring), jnp.asarray(at), layout, newest)
    assert isinstance(numpy, np.ndarray) and numpy.dtype == np.float32
    np.testing.assert_array_equal(numpy, jaxs)


def test_a_row_that_bears_both_keeps_them_apart() -> None:
    layout = Layout(1, 2, ahead=True, chunk=3)
    assert layout.width == STORED.width + 3 + 2 * 5 + 1 and layout.stored == STORED
    batch: Any = layout.unpack(taken(DATA, np.arange(len(DATA)), layout))
    np.testing.assert_array_equal(batch.next_action, batch.later.action[:, 0])
    np.testing.assert_array_equal(batch.followed, batch.later.there[:, 0])


def test_nobody_knows_what_followed_an_imagined_row() -> None:
    for ahead in (False, True):
        layout = Layout(1, 2, ahead, chunk=3)
        batch: Any = layout.unpack(unfollowed(jnp.asarray(DATA), layout))
        assert not np.any(batch.later.there)
        np.testing.assert_array_equal(batch.later.next_obs, batch.next_obs)
        assert (batch.followed is None) is not ahead


@register
@dataclasses.dataclass(frozen=True)
class Latest(Remembers):
    """A source of one's own that knows nothing of them."""

    def draw(self, key: Any, clock: Any, stores: Stores, memory: Any, want: Wanted) -> Drawn:
        return plain(stores.ring.rows[jnp.zeros(want.shape, jnp.int32)], memory)


def _with(source: Any, method: str = "qc_fql") -> Recipe:
    changes: dict[str, Any] = {"replay.preload.kind": "none", "replay.source": source}
    recipe = tiny(method)
    for path, value in changes.items():
        recipe = recipe.with_(path, value)
    return recipe


@pytest.mark.parametrize(("method", "what"), [("qc_fql", "chunks of 3"), ("rebrac", "the action")])
def test_a_source_that_leaves_them_out_is_refused_before_anything_is_trained(
    method: str, what: str
) -> None:
    recipe = _with(Latest(), method)
    if method == "rebrac":
        recipe = recipe.with_("finetune.learner.backup.penalty", 0.1)
    with pytest.raises(RecipeError, match=rf"reads {what}.*Latest gives rows without .*stores"):
        trainer(recipe)


def test_windows_of_the_past_are_no_chunks() -> None:
    with pytest.raises(RecipeError, match=r"Chunked learns from single rows, and source Windows"):
        _with("Windows")


def test_rows_in_no_order_make_no_chunks() -> None:
    recipe = tiny("qc").with_("replay.preload.count", 5)
    with pytest.raises(RecipeError, match=r"learner of chunks reads 3 in a row.*preload\.kind=all"):
        recipe.with_("replay.preload.kind", "random")
    assert recipe.with_("replay.preload.kind", "top").replay.preload.kind == "top"
    with pytest.raises(RecipeError, match=r"capacity=2 rows hold no chunk of 3; set .*=300 or"):
        recipe.with_("replay.capacity", 2)


def test_online_they_are_the_actions_that_were_executed() -> None:
    """The diary's observation says the last push; the ring is full, its newest episode open."""
    recipe = tiny("rlpd_chunks", steps=17).with_("replay.capacity", 9)
    run = trainer(recipe, (3,))
    finish(run)
    ring, layout = run.carry.items[0].ring, dataclasses.replace(Layout.of(SPEC), chunk=4)
    at = (jnp.arange(9) + ring.added) % 9  # from the oldest one on
    rows = taken(ring.rows, at, layout, (ring.added - 1) % 9)
    batch: Transition = jax.tree.map(np.asarray, layout.unpack(rows))
    later: Any = batch.later
    ends = [i for i in range(9) if batch.last[i] or i == 8]
    for i in range(9):
        stop = min(next(e for e in ends if e >= i), i + 3)
        np.testing.assert_array_equal(later.there[i], [float(i + j <= stop) for j in (1, 2, 3)])
        pushed = batch.next_obs[i + 1 : stop + 1, 2]
        np.testing.assert_array_equal(later.action[i, : stop - i, 0], pushed)
        np.testing.assert_array_equal(later.next_obs[i], batch.next_obs[stop])
