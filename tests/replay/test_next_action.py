"""The action that was logged next: there within an episode, and nowhere else."""

from __future__ import annotations

import dataclasses
import itertools
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import SPEC, Diary, finish, logged, rows_of, tiny, trainer

from warmstart.engine.phases import Block
from warmstart.errors import RecipeError
from warmstart.nets.spec import NetSpec
from warmstart.recipe import Recipe
from warmstart.replay import (
    Balanced,
    Faded,
    FromDataset,
    FromRing,
    Gated,
    Imagined,
    Layout,
    Mixed,
    Resampled,
    Ring,
    Stores,
    Wanted,
    plain,
    taken,
)
from warmstart.replay.sources import Remembers
from warmstart.types import Clock
from warmstart.values import register

LAYOUT = Layout(1, 2, ahead=True)
STORED = LAYOUT.stored
CLOCK = Clock(jnp.int32(0), jnp.int32(50), jnp.int32(100))


def _rows(lengths: list[int], first: int, open_end: bool = False) -> np.ndarray:
    """Episodes one behind the other; row k says k in its observation and +-k in its action."""
    n = sum(lengths)
    rows, k = np.zeros((n, STORED.width), np.float32), np.arange(first, first + n)
    rows[:, 0], rows[:, 1], rows[:, 2] = k, k, -k
    rows[:, STORED.t] = np.concatenate([np.arange(m) for m in lengths])
    rows[np.cumsum(lengths) - 1, STORED.last] = 1.0
    if open_end:
        rows[-1, STORED.last] = 0.0
    return rows


def _stores(data: np.ndarray, online: np.ndarray, capacity: int) -> Stores:
    filled = np.zeros((capacity, STORED.width), np.float32)
    for number, row in enumerate(online):
        filled[number % capacity] = row
    count = jnp.int32(len(online))
    return Stores(jnp.asarray(data), Ring(jnp.asarray(filled), count, count))


def _told(rows: Any, of: np.ndarray) -> None:
    """Each drawn row bears what a search through all rows finds behind it."""
    batch = LAYOUT.unpack(rows.reshape(-1, LAYOUT.width))
    assert batch.next_action is not None and batch.followed is not None
    behind = {int(a[0]): b for a, b in itertools.pairwise(of) if not a[STORED.last]}
    for k, action, followed in zip(batch.obs[:, 0], batch.next_action, batch.followed, strict=True):
        row = behind.get(int(k))
        assert float(followed) == (row is not None)
        np.testing.assert_array_equal(action, [0, 0] if row is None else row[1:3])


DATA = _rows([3, 1, 4], 1)
SOURCES = [
    FromDataset(), FromDataset(0.5), FromRing(), Mixed(0.5), Mixed(1.0, 0.0), Faded(), Gated(),
    Balanced(first_block=4, net=NetSpec((4,))), Resampled(),
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("added", [1, 5, 7, 12])
def test_every_source_gives_it(source: Any, added: int) -> None:
    """Also of a ring that is full, where the oldest row stands behind the newest."""
    online = _rows([2, 3, 4, 5], 101)[:added]
    stores = _stores(DATA, online, 7)
    memory = source.init(jax.random.PRNGKey(1), stores, STORED)
    want = Wanted((2, 40), False, LAYOUT)
    rows = source.draw(jax.random.PRNGKey(2), CLOCK, stores, memory, want).rows
    assert rows.shape == (2, 40, LAYOUT.width)
    _told(rows, np.concatenate([DATA, online]))
    narrow = source.draw(
        jax.random.PRNGKey(2), CLOCK, stores, memory, want._replace(layout=STORED)
    ).rows
    np.testing.assert_array_equal(rows[..., : STORED.width], narrow)  # the same rows


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(1, 9), st.booleans())
def test_episodes_of_any_length_in_a_ring_of_any_size(
    lengths: list[int], capacity: int, goes_on: bool
) -> None:
    online = _rows(lengths, 1, open_end=goes_on)
    stores = _stores(DATA, online, capacity)
    places = jnp.arange(min(capacity, len(online)))
    _told(np.asarray(stores.online(places, LAYOUT)), online)


def test_nobody_knows_what_followed_an_imagined_row() -> None:
    stores = _stores(DATA, _rows([2], 101), 7)
    source = Imagined(share=0.25, starts=4, horizon=2, keep=1, penalty=0.0)

    class Model:
        goal = jnp.inf

        def best(self) -> Any:
            return jnp.zeros(1, jnp.int32)

        def __call__(self, obs: Any, action: Any) -> Any:
            return jnp.zeros((1, len(obs), 2)), jnp.full((1, len(obs), 2), -20.0)

    policy = SimpleNamespace(sample=lambda key: jnp.zeros((4, 2)))
    view = SimpleNamespace(
        policy=lambda obs: policy, state=SimpleNamespace(nets={"model": Model()})
    )
    memory = source.init(jax.random.PRNGKey(0), stores, STORED)
    want = Wanted((1, 40), False, LAYOUT)
    drawn = source.draw(jax.random.PRNGKey(1), CLOCK, stores._replace(view=view), memory, want)
    batch = LAYOUT.unpack(drawn.rows[0])
    assert drawn.rows.shape == (1, 40, LAYOUT.width)
    _told(np.asarray(drawn.rows[:, :10]), DATA)
    assert batch.followed is not None and not np.any(batch.followed[10:])


@register
@dataclasses.dataclass(frozen=True)
class Unaware(Remembers):
    """A source of one's own that knows nothing of it."""

    def draw(self, key: Any, clock: Any, stores: Stores, memory: Any, want: Wanted) -> Any:
        return plain(stores.ring.rows[jnp.zeros(want.shape, jnp.int32)], memory)


def test_a_source_that_leaves_it_away_is_refused_where_it_is_read() -> None:
    learner = tiny("rebrac").pretrain[0].learner
    source: Any = Unaware()
    block = Block(learner, source, Layout.of(SPEC))
    with pytest.raises(RecipeError, match=r"Unaware gives rows without it; draw them by stores"):
        block.unpacked(jnp.zeros((1, 4, block.layout.width)))
    other = Block(tiny("td3").finetune.learner, source, Layout.of(SPEC))
    assert other.unpacked(jnp.zeros((1, 4, other.layout.width))).next_action is None


def _kept(**changes: Any) -> Recipe:
    return tiny("rebrac", mixed=False, **changes)


def test_rows_in_no_order_have_nothing_behind_them() -> None:
    recipe = _kept().with_("replay.preload.count", 5)
    with pytest.raises(RecipeError, match=r"without the ones behind them.*preload\.kind=all"):
        recipe.with_("replay.preload.kind", "random")
    free = recipe.with_("finetune.learner.backup.penalty", 0.0)
    assert free.with_("replay.preload.kind", "random").replay.preload.kind == "random"
    assert recipe.with_("replay.preload.kind", "top").replay.preload.kind == "top"


def test_online_it_is_the_action_that_was_executed() -> None:
    """The diary's observation says the last push."""
    run = trainer(_kept(steps=20), (3,))
    finish(run)
    first = len(rows_of(logged(world=Diary)))
    ring = run.carry.items[0].ring
    layout = dataclasses.replace(Layout.of(SPEC), ahead=True)
    rows = taken(ring.rows, jnp.arange(ring.capacity), layout, (ring.added - 1) % ring.capacity)
    batch = layout.unpack(rows[first:])
    assert batch.next_action is not None and batch.followed is not None
    inside = np.asarray(batch.last[:-1]) == 0.0
    np.testing.assert_array_equal(batch.followed[:-1], inside)
    assert 0 < inside.sum() < len(inside) and batch.followed[-1] == 0.0
    pushed = np.asarray(batch.next_obs[1:, 2])  # the push of the row behind
    np.testing.assert_array_equal(np.asarray(batch.next_action)[:-1, 0][inside], pushed[inside])
