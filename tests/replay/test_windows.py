"""Windows: of one episode, in order, in proportion to length, from both stores."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.errors import RecipeError
from warmstart.learners import ActorCritic
from warmstart.methods import METHODS
from warmstart.recipe import Finetune, Recipe, Replay
from warmstart.replay import Layout, Ring, Stores, Wanted, Windows
from warmstart.types import Clock

LAYOUT = Layout(2, 1)
CLOCK = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(1))
LENGTHS = (1, 6, 3)


def _rows(lengths: tuple[int, ...] = LENGTHS, online: float = 0.0) -> np.ndarray:
    """Episodes; observation 0 is the row's number, observation 1 the episode's."""
    rows = np.zeros((sum(lengths), LAYOUT.width), np.float32)
    rows[:, 0], rows[:, 1] = np.arange(len(rows)), np.repeat(np.arange(len(lengths)), lengths)
    rows[:, LAYOUT.t] = np.concatenate([np.arange(n) for n in lengths])
    rows[np.cumsum(lengths) - 1, LAYOUT.last] = 1.0
    rows[:, LAYOUT.scalars + 5] = online
    return rows


def _ring(rows: np.ndarray, capacity: int, closed: int | None = None) -> Ring:
    held = np.zeros((capacity, rows.shape[1]), np.float32)
    for i, row in enumerate(rows):
        held[i % capacity] = row
    closed = len(rows) if closed is None else closed
    return Ring(jnp.asarray(held), jnp.int32(len(rows)), jnp.int32(closed))


def _draw(source: Windows, stores: Stores, count: int = 600, finished: bool = True) -> Any:
    want = Wanted((1, count), finished, LAYOUT)
    drawn = source.draw(jax.random.key(0), CLOCK, stores, (), want)
    assert drawn.rows.shape == (*source.axes(1, count), LAYOUT.width)
    return jax.tree.map(np.asarray, LAYOUT.unpack(drawn.rows[0]))


def _check(windows: Any) -> None:
    """Consecutive rows of one episode, behind places without any."""
    for obs, t in zip(windows.obs, windows.t, strict=True):
        there = t >= 0
        n = int(there.sum())
        assert n >= 1 and there[len(t) - n :].all()
        assert np.all(np.diff(obs[there, 0]) == 1) and len(set(obs[there, 1])) == 1
        assert not obs[~there].any()


def test_a_window_is_a_piece_of_one_episode() -> None:
    windows = _draw(Windows(4), Stores(jnp.asarray(_rows()), _ring(_rows(), 10)))
    _check(windows)
    start = {float(t[t >= 0][0]) for t in windows.t}
    assert start == {0.0, 1.0, 2.0, 3.0, 4.0, 5.0}
    full = [t for t in windows.t if t[0] == 1]
    assert full and all(t.tolist() == [1, 2, 3, 4] for t in full)


def test_an_episode_is_drawn_in_proportion_to_its_length() -> None:
    windows = _draw(Windows(4), Stores(jnp.asarray(_rows()), _ring(_rows(), 10)), 6000)
    share = np.bincount(windows.obs[:, -1, 1].astype(int)) / 6000
    np.testing.assert_allclose(share, np.array(LENGTHS) / 10, atol=0.03)


def test_in_a_full_ring_windows_go_over_its_end_and_never_into_what_was_lost() -> None:
    rows = _rows((4, 3, 5))
    windows = _draw(Windows(4, 0.0), Stores(jnp.zeros((1, LAYOUT.width)), _ring(rows, 7)))
    _check(windows)
    assert set(windows.obs[windows.t >= 0][:, 0]) == set(range(5, 12))


def test_an_open_episode_is_drawn_only_where_returns_need_not_be_known() -> None:
    rows = _rows((4, 3))
    rows[-1, LAYOUT.last] = 0.0
    stores = Stores(jnp.zeros((1, LAYOUT.width)), _ring(rows, 9, closed=4))
    closed, either = (_draw(Windows(3, 0.0), stores, finished=f) for f in (True, False))
    assert set(closed.obs[closed.t >= 0][:, 1]) == {0.0}
    _check(either)
    assert set(either.obs[either.t >= 0][:, 0]) == set(range(7))


def test_a_share_of_each_minibatch_is_the_datasets() -> None:
    stores = Stores(jnp.asarray(_rows()), _ring(_rows(online=1.0), 10))
    windows = _draw(Windows(2, 0.25), stores, 8)
    assert windows.online[:, -1].tolist() == [0] * 2 + [1] * 6


def test_what_does_not_fit_windows_is_refused() -> None:
    with pytest.raises(RecipeError, match="ActorCritic learns from single rows"):
        Recipe("x", replay=Replay(Windows(4)), finetune=Finetune(ActorCritic()))
    dt = METHODS["dt"].recipe("quick")
    with pytest.raises(RecipeError, match="SequenceCloning learns from windows"):
        dt.with_("replay.source", "FromRing")
    with pytest.raises(RecipeError, match="set acting=Desired"):
        dt.with_("acting", "Sampled")
    with pytest.raises(RecipeError, match="set acting=Sampled"):
        METHODS["sac"].recipe("quick").with_("acting", "Desired")
    with pytest.raises(RecipeError, match="a number from 0 to 1"):
        dt.with_("replay.source.share", 1.5)
    with pytest.raises(RecipeError, match="needs a stochastic policy"):
        METHODS["odt"].recipe("quick").with_("finetune.learner.policy.kind", "deterministic")
