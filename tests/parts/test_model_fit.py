"""The fit of a model: its loss in float64, what a look keeps, and that it learns."""

from __future__ import annotations

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.errors import RecipeError
from warmstart.nets.dynamics import DynamicsSpec, targets
from warmstart.nets.spec import NetSpec
from warmstart.parts import ModelFit, fitted
from warmstart.parts.model_fit import MODEL
from warmstart.state import Optimiser, State, empty_stats
from warmstart.types import Transition

SPEC = DynamicsSpec(NetSpec((16,), "swish"), members=3, elites=2)
FIT = ModelFit(batch=32, optimiser=Optimiser(3e-3), look_every=1, patience=1)


def _rows(n: int, seed: int = 0) -> Transition:
    """s' = s + 0.5 a + noise 0.1, r = s_0."""
    rng = np.random.default_rng(seed)
    obs, action = rng.normal(size=(n, 2)), rng.uniform(-1, 1, (n, 2))
    next_obs = obs + 0.5 * action + 0.1 * rng.normal(size=(n, 2))
    one = np.ones(n)
    fields = (obs, action, obs[:, 0], one, next_obs, 0 * one, 0 * one, one, 0 * one)
    return Transition(*(jnp.asarray(x, jnp.float32) for x in fields))


def _state(fit: ModelFit = FIT) -> State:
    net = SPEC.build(jax.random.PRNGKey(0), 2, 2)
    return fit.begun(State({MODEL: net}, {}, {}, {}, empty_stats(2), {}))


def _own(rows: Transition, at: Any) -> Transition:
    return jax.tree.map(lambda x: x[at] if jnp.ndim(x) else x, rows)


def test_the_loss_is_likelihood_bounds_and_decay() -> None:
    state, rows = _state(), _own(_rows(20), np.arange(12).reshape(3, 4))
    after, info = FIT.step(state, rows, jnp.ones((3, 4)))
    net = state.nets[MODEL]
    mean, log_var = (np.asarray(x, np.float64) for x in net(rows.obs, rows.action))
    wanted = np.asarray(targets(rows), np.float64)
    likelihood = ((mean - wanted) ** 2 * np.exp(-log_var) + log_var).mean((1, 2)).sum()
    norms = [float((np.asarray(w) ** 2).sum()) for w in (net.trunk.first.weight, net.head.weight)]
    want = likelihood + 0.01 * 3 * 10.5 + 0.5 * (2.5e-5 * norms[0] + 1e-4 * norms[1])
    assert float(info["model_loss"]) == pytest.approx(want, rel=1e-4)
    moved = after.nets[MODEL]
    assert not np.array_equal(moved.high, net.high)
    for still in ("centre", "spread", "error"):
        np.testing.assert_array_equal(getattr(moved, still), getattr(net, still))


def test_rows_that_do_not_count_teach_nothing() -> None:
    rows = _own(_rows(20), np.arange(12).reshape(3, 4))
    other = rows._replace(reward=rows.reward.at[:, 2:].add(5.0))
    weight = jnp.asarray([[1.0, 1, 0, 0]] * 3)
    a, b = (FIT.step(_state(), r, weight)[0].nets[MODEL] for r in (rows, other))
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(x, y)


def test_a_look_keeps_who_improved_and_ends_the_fit_after_patience() -> None:
    held, state = _rows(50, 1), _state()
    state, info = FIT.look(state, held)
    first = state.targets[MODEL]
    assert np.isfinite(first.error).all() and not state.signals["converged"]
    assert float(info["held_out_error"]) == pytest.approx(np.sort(first.error)[:2].mean())
    worse = eqx.tree_at(lambda n: n.head.bias, state.nets[MODEL], replace_fn=lambda b: b + 9.0)
    better = first.head.bias.at[0].set(worse.head.bias[0])  # networks 1 and 2 stay as they were
    mixed = eqx.tree_at(lambda n: n.head.bias, worse, better)
    for done in (False, True):  # nobody improved by a hundredth: patience 1, then the end
        state, _ = FIT.look(state.replace(nets={MODEL: mixed}), held)
        assert bool(state.signals["converged"]) == done
        for x, y in zip(jax.tree.leaves(first), jax.tree.leaves(state.targets[MODEL]), strict=True):
            np.testing.assert_array_equal(x, y)
    kept = fitted(state)
    np.testing.assert_array_equal(kept.nets[MODEL].head.bias, first.head.bias)
    assert not kept.signals and not kept.targets


def test_it_learns_the_noise_and_beats_a_constant() -> None:
    """Held-out likelihood above that of the best constant Gaussian; deviation near 0.1."""
    rows, held = _rows(2_000), _rows(500, 1)
    fit = dataclasses.replace(FIT, decay=(0.0,))

    @jax.jit
    def run(state: State) -> State:
        def step(i: Any, state: State) -> State:
            at = jax.random.randint(jax.random.fold_in(jax.random.PRNGKey(1), i), (3, 32), 0, 2_000)
            return fit.step(state, _own(rows, at), jnp.ones((3, 32)))[0]

        return jax.lax.fori_loop(0, 1_500, step, state)

    state, info = fit.look(run(_state(fit)), held)
    wanted = np.asarray(targets(held), np.float64)
    constant = -0.5 * (np.log(2 * np.pi * wanted.var(0)) + 1).sum()
    assert float(info["held_out_likelihood"]) > constant + 2.0
    log_var = np.asarray(state.nets[MODEL](held.obs, held.action)[1])
    assert np.exp(0.5 * log_var[..., 1:]).mean() == pytest.approx(0.1, rel=0.3)


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(RecipeError, match="look_every cannot be 0; give a whole number from 1"):
        ModelFit(look_every=0)
