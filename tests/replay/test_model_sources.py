"""Rows for models, rows that fade, rows that are imagined."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.errors import RecipeError
from warmstart.replay import Faded, FromDataset, Imagined, Layout, Resampled, Stores, Wanted
from warmstart.replay.ring import Ring
from warmstart.types import Clock, Spec, Transition

LAYOUT = Layout.of(Spec(2, 1))
KEY = jax.random.PRNGKey(0)


def _rows(n: int, online: float = 0.0, first: int = 0) -> Any:
    """Row k says k in its observation, its reward and its return."""
    k = jnp.arange(first, first + n, dtype=jnp.float32)
    both, zero = jnp.stack([k, k], -1), jnp.zeros(n)
    fields = (both, both[:, :1], k, zero + 1, both, zero, zero, k, zero + online)
    return LAYOUT.pack(Transition(*fields))


def _ring(places: int, added: int) -> Ring:
    rows = np.zeros((places, LAYOUT.width), np.float32)
    for k in range(added):
        rows[k % places] = _rows(1, 1.0, 1_000 + k)[0]
    return Ring(jnp.asarray(rows), jnp.int32(added), jnp.int32(added))


def _clock(updates: int = 0, env_steps: int = 0) -> Clock:
    return Clock(jnp.int32(updates), jnp.int32(env_steps), jnp.int32(100))


def _numbers(rows: Any) -> np.ndarray:
    return np.asarray(LAYOUT.unpack(rows).reward).astype(int)


@pytest.mark.parametrize(("n", "apart"), [(60, 10), (53, 10), (12, 10), (4, 3)])
def test_held_out_rows_are_never_learnt_and_resamples_are_fixed(n: int, apart: int) -> None:
    source, stores = Resampled(), Stores(_rows(n), _ring(1, 0))
    memory = source.init(KEY, stores, LAYOUT)
    want = Wanted((1, 3 * 200 + apart), False, LAYOUT, 3, apart)
    rows, _, again = source.draw(KEY, _clock(), stores, memory, want)
    np.testing.assert_array_equal(memory, again)
    numbers = _numbers(rows)[0]
    learnt, held = numbers[:600].reshape(3, 200), numbers[600:]
    assert len(set(held)) == min(apart, max(1, n // 5))
    if n >= 5:
        assert not set(held) & set(learnt.ravel())
    more = source.draw(jax.random.PRNGKey(9), _clock(), stores, memory, want).rows
    np.testing.assert_array_equal(_numbers(more)[0, 600:], held)
    other = _numbers(more)[0, :600].reshape(3, 200)
    if n >= 50:
        seen = [set(a) | set(b) for a, b in zip(learnt, other, strict=True)]
        free = n - len(set(held))
        # Of n rows a resample misses one in e, another one in each network.
        assert all(0.5 * free < len(s) < 0.78 * free for s in seen)
        assert len(set.union(*seen)) > 0.85 * free and seen[0] != seen[1]


def test_the_dataset_fades_as_priorities_say() -> None:
    source, want = Faded(alpha=2.0, epoch=10), Wanted((1, 4_000), False, LAYOUT)
    stores = Stores(_rows(60), _ring(20, 30))
    for env_steps in (0, 25, 95):
        t = env_steps // 10 + 1
        rows = source.draw(KEY, _clock(env_steps=env_steps), stores, (), want).rows
        online = np.asarray(LAYOUT.unpack(rows).online)
        assert 1 - online.mean() == pytest.approx((60 / (2 * t)) / (60 / (2 * t) + 20), abs=0.03)
        assert set(_numbers(rows)[online > 0]) == set(range(1_010, 1_030))  # the oldest are gone
    only = source.draw(KEY, _clock(), stores._replace(ring=_ring(20, 0)), (), want).rows
    assert set(_numbers(only)[0]) == set(range(60))


def test_a_refit_never_learns_what_measures_it() -> None:
    source, kept = Faded(epoch=10), jax.random.PRNGKey(3)
    stores, clock = Stores(_rows(60), _ring(40, 30)), _clock(env_steps=30)
    want = Wanted((3, 500), False, LAYOUT, 3, 9)
    rows, weight = source.learnt(KEY, kept, clock, stores, want)
    held = set(_numbers(source.held(kept, clock, stores, want)))
    numbers, weight = _numbers(rows), np.asarray(weight)
    assert held and not held & set(numbers[weight > 0])
    assert 0.8 < weight.mean() < 0.95 and set(np.unique(weight)) == {0.0, 1.0}
    assert {n >= 1_000 for n in held} == {True, False}


class _Model:
    """Knows that s' = s + (a, 0) and r = 7, with deviations e^-1 and e^-2 of two networks."""

    goal = jnp.float32(jnp.inf)

    def best(self) -> Any:
        return jnp.asarray([0])

    def __call__(self, obs: Any, action: Any) -> Any:
        one = jnp.ones(obs.shape[0])
        mean = jnp.stack([7 * one, action[:, 0], 0 * one], -1)
        wrong = jnp.full_like(mean, 99.0)
        quiet = jnp.full_like(mean, -60.0)
        return jnp.stack([mean, wrong]), jnp.stack([quiet, jnp.full_like(mean, -2.0)])


class _Policy:
    def __init__(self, n: int) -> None:
        self.n = n

    def sample(self, key: Any) -> Any:
        return jnp.full((self.n, 1), 0.5)


def _view() -> Any:
    def policy(obs: Any) -> _Policy:
        return _Policy(obs.shape[0])

    return SimpleNamespace(state=SimpleNamespace(nets={"model": _Model()}), policy=policy)


def _draw(source: Imagined, memory: Any, updates: int, stores: Stores, b: int = 400) -> Any:
    return source.draw(KEY, _clock(updates), stores, memory, Wanted((1, b), False, LAYOUT))


def test_ways_follow_the_model_less_its_doubt() -> None:
    source = Imagined(share=0.25, starts=6, horizon=3, penalty=2.0, every=10, keep=2)
    stores = Stores(_rows(5), _ring(1, 0), _view())
    rows, _, memory = _draw(source, source.init(KEY, stores, LAYOUT), 0, stores)
    assert int(memory.added) == 18 and memory.rows.shape[0] == 36
    real, dreamt = (
        jax.tree.map(np.asarray, LAYOUT.unpack(r)) for r in (rows[0, :100], rows[0, 100:])
    )
    assert set(real.reward) <= set(range(5)) and len(set(real.reward)) == 5
    np.testing.assert_allclose(dreamt.reward, 7 - 2 * np.sqrt(3 * np.exp(-2.0)), rtol=1e-5)
    np.testing.assert_allclose(dreamt.next_obs - dreamt.obs, [[0.5, 0.0]] * 300, atol=1e-5)
    np.testing.assert_allclose(dreamt.obs[:, 0] - dreamt.obs[:, 1], 0.5 * dreamt.t, atol=1e-5)
    assert set(dreamt.t) == {0.0, 1.0, 2.0}
    np.testing.assert_array_equal(dreamt.last, dreamt.t == 2)
    assert (dreamt.mask == 1).all() and np.isneginf(dreamt.return_to_go).all()


def test_rounds_come_by_the_clock_and_old_ones_go() -> None:
    source = Imagined(starts=6, horizon=3, every=10, keep=2)
    stores = Stores(_rows(5), _ring(1, 0), _view())
    memory, added = source.init(KEY, stores, LAYOUT), []
    for updates in (0, 5, 9, 10, 11, 20, 39):
        memory = _draw(source, memory, updates, stores, 4).memory
        added.append(int(memory.added))
    assert added == [18, 18, 18, 36, 36, 54, 72] and memory.rows.shape[0] == 36
    by_steps = dataclasses.replace(source, by="env_steps")
    want = Wanted((1, 4), False, LAYOUT)
    memory = source.init(KEY, stores, LAYOUT)
    for updates, steps, count in ((0, 0, 18), (50, 9, 18), (51, 10, 36)):
        memory = by_steps.draw(KEY, _clock(updates, steps), stores, memory, want).memory
        assert int(memory.added) == count


def test_a_way_that_is_over_stops() -> None:
    """A hopper that leans by 0.5 a step has fallen at the first."""
    source = Imagined(starts=8, horizon=3, every=10, keep=2, ends="hopper", share=0.0)
    high = _rows(5).at[:, :2].set(jnp.asarray([1.0, 0.1]))
    stores = Stores(high, _ring(1, 0), _view())
    rows, _, memory = _draw(source, source.init(KEY, stores, LAYOUT), 0, stores)
    assert int(memory.added) == 24  # the model moves the height alone: nobody falls
    falls = Stores(high.at[:, 0].set(-0.5), _ring(1, 0), _view())
    rows, _, memory = _draw(source, source.init(KEY, falls, LAYOUT), 0, falls)
    dreamt = LAYOUT.unpack(rows[0])
    assert int(memory.added) == 8 and not np.asarray(dreamt.mask).any()
    assert np.asarray(dreamt.last).all() and not np.asarray(dreamt.t).any()


@pytest.mark.parametrize(
    ("goal", "ends", "added"), [(6.5, "goal", 8), (6.5, "never", 24), (7.5, "goal", 24)]
)
def test_a_way_ends_at_a_goal_that_its_reward_tells(goal: float, ends: str, added: int) -> None:
    """The penalty lowers the reward of the row, not the reward by which the goal is known."""
    source = Imagined(starts=8, horizon=3, every=10, keep=2, ends=ends, share=0.0, penalty=9.0)
    view = _view()
    view.state.nets["model"].goal = jnp.float32(goal)
    stores = Stores(_rows(5), _ring(1, 0), view)
    rows, _, memory = _draw(source, source.init(KEY, stores, LAYOUT), 0, stores)
    assert int(memory.added) == added
    assert np.asarray(LAYOUT.unpack(rows[0]).mask).any() == (added == 24)


def test_many_starts_are_taken_in_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warmstart.replay.imagined.SLAB", 4)
    source = Imagined(starts=10, horizon=2, every=10, keep=2)
    stores = Stores(_rows(5), _ring(1, 0), _view())
    memory = _draw(source, source.init(KEY, stores, LAYOUT), 0, stores).memory
    assert int(memory.added) == 20
    filled = np.asarray(memory.rows[:20])
    assert (np.abs(filled).sum(-1) > 0).all() and not np.asarray(memory.rows[20:]).any()


def test_imagined_rows_are_as_online_as_their_starts() -> None:
    source = Imagined(Faded(epoch=10), share=0.0, starts=400, horizon=1, every=10, keep=1)
    stores = Stores(_rows(60), _ring(40, 40), _view())
    rows = _draw(source, source.init(KEY, stores, LAYOUT), 0, stores).rows
    assert np.asarray(LAYOUT.unpack(rows).online).mean() == pytest.approx(0.4, abs=0.08)


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(RecipeError, match="Did you mean 'hopper'"):
        Imagined(ends="hoper")
    with pytest.raises(RecipeError, match="a whole number from 1"):
        Imagined(horizon=0)
    with pytest.raises(RecipeError, match="a number from 0 to below 1"):
        Imagined(share=1.0)
    with pytest.raises(RecipeError, match="a number above 0"):
        Faded(alpha=0.0)
    assert isinstance(Imagined().source, FromDataset)
