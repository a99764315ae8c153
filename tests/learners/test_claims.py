"""What each method says of itself, on rows and worlds small enough to see it."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import SPEC, float64, logged, rows_of, tiny

from warmstart.equations.alignment import aligned_target, soft_floor
from warmstart.equations.ensemble import moment_match, pessimistic_climb, pessimistic_value
from warmstart.equations.policy import limit_gradient, softmax_weight
from warmstart.handover import hand_over
from warmstart.learners import ActorCritic
from warmstart.parts import (
    BehaviourCloning,
    Fixed,
    PairedBackup,
    ReturnControlled,
    TrustRegion,
)
from warmstart.replay import Layout
from warmstart.state import State
from warmstart.types import Clock, EpisodeEnd, Evaluated

ROWS = rows_of(logged(40))
START = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(1000))


def _learn(learner: ActorCritic, state: State, updates: int, first: int = 0) -> tuple[State, Any]:
    """The state after some updates, and what the last one measured."""
    return _program(learner)(state, updates, first)


@functools.cache
def _program(learner: ActorCritic) -> Any:
    """One program for any number of updates, with one update in it."""
    layout, u = Layout.of(SPEC), learner.minibatches

    def step(i: Any, state: State, first: Any) -> Any:
        key = jax.random.fold_in(jax.random.PRNGKey(5), i)
        pick = jax.random.randint(key, (u, learner.batch), 0, len(ROWS))
        batch = layout.unpack(jnp.asarray(ROWS, float)[pick])
        return learner.update(key, START._replace(updates=first + i * u), state, batch)

    def run(state: State, updates: Any, first: Any) -> Any:
        shapes = jax.eval_shape(step, 0, state, first)[1]
        nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
        return jax.lax.fori_loop(
            0, updates, lambda i, carry: step(i, carry[0], first), (state, nothing)
        )

    return jax.jit(run)


def _fresh(learner: Any, seed: int = 0) -> State:
    return learner.init(jax.random.PRNGKey(seed), SPEC)


def _moved(learner: ActorCritic, a: State, b: State) -> float:
    obs = jnp.asarray(ROWS[:, : SPEC.obs_dim])
    gap = learner.view(a).policy(obs).mode() - learner.view(b).policy(obs).mode()
    return float(jnp.mean(jnp.sum(gap**2, axis=-1)))


def test_the_adapted_weight_rises_when_returns_fall_and_decays_below_the_target() -> None:
    rule = ReturnControlled(0.4, 1e-3, 1e-2, target=1.05)

    def weight(*scores: float) -> float:
        signals = rule.observe(rule.signals(), Evaluated(*map(jnp.float32, (0.8, 100.0, 1.0))))
        signals["return_controlled"]["weight"] = jnp.float32(0.2)
        for score in scores:
            signals = rule.observe(signals, EpisodeEnd(jnp.float32(score), jnp.float32(50.0)))
        return float(signals["return_controlled"]["weight"])

    # By hand: 0.2 + 50 (1e-3 (0.8 - 1.05) + 1e-2 max(0, 0.8 - score))
    assert weight(0.8) == pytest.approx(0.2 + 50 * 1e-3 * -0.25)
    assert weight(0.5) == pytest.approx(0.2 + 50 * (1e-3 * -0.25 + 1e-2 * 0.3))
    assert weight(0.5) > weight(0.8) == pytest.approx(weight(1.2))
    assert weight(*[0.0] * 5) == pytest.approx(0.4) and weight(*[0.9] * 200) == 0.0


@float64()
def test_gains_of_zero_are_redq_td3_bc() -> None:
    adapted = tiny("adaptive_bc").finetune.learner
    still = dataclasses.replace(
        adapted, constraint=BehaviourCloning(ReturnControlled(0.4, 0.0, 0.0))
    )
    fixed = dataclasses.replace(adapted, constraint=BehaviourCloning(Fixed(0.4)))
    a = _learn(still, _fresh(still), 6)[0]
    b = _learn(fixed, _fresh(fixed), 6)[0]
    for x, y in zip(jax.tree.leaves(a.nets), jax.tree.leaves(b.nets), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-11)


def test_the_trust_region_holds_and_moves_less_than_td3() -> None:
    held = tiny("td3_c", epsilon=1e-4).finetune.learner
    # Enough time for the multiplier to settle at sizes where the critic still changes.
    held = dataclasses.replace(held, batch=64)
    free = dataclasses.replace(held, constraint=tiny("td3").finetune.learner.constraint)
    start = _fresh(held)
    after, info = _learn(held, start, 800)
    obs = jnp.asarray(ROWS[:, : SPEC.obs_dim])
    view = held.view(after)
    gap = view.policy(obs).mode() - view.policy(obs, target=True).mode()
    assert float(jnp.mean(jnp.sum(gap**2, axis=-1))) <= 2e-4
    loose = _fresh(free)
    assert _moved(held, start, _learn(held, start, 60)[0]) < 0.5 * _moved(
        free, loose, _learn(free, loose, 60)[0]
    )
    assert np.isfinite(float(info["actor"]["constraint_weight"]))


@float64()
def test_a_multiplier_of_zero_is_td3_with_the_same_clip() -> None:
    held = tiny("td3_c").finetune.learner
    zero = dataclasses.replace(held, constraint=TrustRegion(Fixed(0.0)))
    free = dataclasses.replace(held, constraint=tiny("td3").finetune.learner.constraint)
    a, b = _learn(zero, _fresh(zero), 6)[0], _learn(free, _fresh(free), 6)[0]
    for x, y in zip(jax.tree.leaves(a.nets), jax.tree.leaves(b.nets), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-11)


def test_the_pull_of_the_critic_is_limited_sample_by_sample() -> None:
    action = np.random.default_rng(0).normal(size=(5, 3))
    slope = np.array([[10.0, 0, 0], [0.3, 0.4, 0], [0, 0, 0], [3, 4, 0], [1, 0, 0]])

    def loss(a: Any) -> Any:
        return jnp.mean(jnp.sum(limit_gradient(a, 1.0) * slope, axis=-1))

    got = 5 * np.asarray(jax.grad(loss)(jnp.asarray(action, jnp.float32)))
    norm = np.linalg.norm(slope, axis=-1, keepdims=True)
    np.testing.assert_allclose(got, slope * np.minimum(1, 1 / np.maximum(norm, 1e-9)), atol=1e-6)


def test_refinement_moves_the_actor_and_nothing_else() -> None:
    refiner = tiny("td3_bc_pr").pretrain[1].learner
    start = _fresh(refiner)
    after, _ = _learn(refiner, start, 8)
    critics = (jax.tree.leaves(state.nets["critic"]) for state in (start, after))
    for x, y in zip(*critics, strict=True):
        np.testing.assert_array_equal(x, y)
    assert _moved(refiner, start, after) > 1e-6


def test_the_constraint_fades() -> None:
    learner = tiny("td3_bc_ft").finetune.learner
    weights = [
        float(_learn(learner, _fresh(learner), 2, first)[1]["actor"]["constraint_weight"])
        for first in (0, 6, 100)
    ]
    assert weights[0] > weights[1] > weights[2] and weights[2] == pytest.approx(0.2)


def test_critics_that_agree_to_the_bit_pull_as_their_mean_does() -> None:
    """Where they differ the value and its gradient are those of the targets' operator."""
    q = jnp.asarray([[1.0, 2.0, 5.0], [1.0, 3.0, -4.0]])
    np.testing.assert_array_equal(pessimistic_climb(q, 0.5), pessimistic_value(q, 0.5))
    slope = jax.grad(lambda x: jnp.sum(pessimistic_climb(x, 0.5)))(q)
    plain = jax.grad(lambda x: jnp.sum(pessimistic_value(x, 0.5)))(q[:, 1:])
    np.testing.assert_array_equal(slope[:, 0], [0.5, 0.5])
    np.testing.assert_allclose(slope[:, 1:], plain, rtol=1e-6)
    alone = jax.grad(lambda x: jnp.sum(pessimistic_climb(x, 0.5)))(q[:1])
    np.testing.assert_array_equal(alone, np.ones((1, 3)))


def test_targets_fall_with_beta() -> None:
    rng = np.random.default_rng(0)
    q = rng.normal(size=(5, 7))
    for beta in (0.0, 0.1, 1.0):
        want = q.mean(axis=0) - beta * q.std(axis=0)
        np.testing.assert_allclose(pessimistic_value(jnp.asarray(q), beta), want, rtol=1e-5)
    learner = tiny("upq").finetune.learner
    state = _fresh(learner)
    batch = Layout.of(SPEC).unpack(jnp.asarray(ROWS))
    values = [
        float(jnp.mean(PairedBackup(beta)(jax.random.PRNGKey(0), learner.view(state), batch, 0.0)))
        for beta in (0.0, 0.5, 5.0)
    ]
    assert values[0] > values[1] > values[2]


def test_matched_moments_are_those_of_the_mixture() -> None:
    rng = np.random.default_rng(1)
    mean, log_std = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)) * 0.3
    draws = mean + np.exp(log_std) * rng.normal(size=(200_000, 4, 3))
    centre, spread = moment_match(jnp.asarray(mean), jnp.asarray(log_std))
    np.testing.assert_allclose(centre, draws.mean(axis=(0, 1)), atol=0.01)
    np.testing.assert_allclose(np.exp(spread), draws.reshape(-1, 3).std(axis=0), rtol=0.01)


def test_each_agent_has_its_own_target() -> None:
    learner = tiny("off2on").finetune.learner
    state, agents = _fresh(learner), learner.policy.agents
    batch = Layout.of(SPEC).unpack(jnp.asarray(ROWS))
    got = PairedBackup()(jax.random.PRNGKey(0), learner.view(state), batch, jnp.float32(0.0))
    assert got.shape == (2 * agents, len(ROWS))
    pairs = np.asarray(got).reshape(agents, 2, -1)
    np.testing.assert_array_equal(pairs[:, 0], pairs[:, 1])
    assert np.abs(np.diff(pairs[:, 0], axis=0)).max() > 1e-3


@float64()
def test_agents_learn_as_they_would_alone() -> None:
    agents = tiny("off2on").pretrain[0].learner
    key, u, b, k = jax.random.PRNGKey(3), agents.minibatches, agents.learner.batch, agents.count
    state = _fresh(agents)
    pick = np.random.default_rng(0).integers(0, len(ROWS), (u, k * b))
    batch = Layout.of(SPEC).unpack(jnp.asarray(ROWS, float)[pick])
    together = jax.jit(agents.update)(key, START, state, batch)[0]
    apart = jax.jit(agents.learner.update)
    for i, own_key in enumerate(jax.random.split(key, k)):
        own = jax.tree.map(lambda x, i=i: x[i], state)
        part = jax.tree.map(lambda x, i=i: x[:, i * b : (i + 1) * b], batch)
        alone = apart(own_key, START, own, part)[0]
        for x, y in zip(jax.tree.leaves(alone.nets), jax.tree.leaves(together.nets), strict=True):
            np.testing.assert_allclose(x, y[i], rtol=1e-9, atol=1e-11)


def test_advantages_weigh_the_data() -> None:
    advantage = np.array([-1.0, 0.0, 2.0, 0.5])
    want = 4 * np.exp(advantage / 0.7) / np.exp(advantage / 0.7).sum()
    np.testing.assert_allclose(softmax_weight(jnp.asarray(advantage), 0.7), want, rtol=1e-5)
    for name in ("awac", "bc"):
        learner = tiny(name).finetune.learner
        state = _fresh(learner)
        batch = Layout.of(SPEC).unpack(jnp.asarray(ROWS))
        before = learner.view(state).policy(batch.obs).mode()
        after = learner.view(_learn(learner, state, 150)[0]).policy(batch.obs).mode()
        error = [float(jnp.mean((a - batch.action) ** 2)) for a in (before, after)]
        assert error[1] < error[0]


@float64()
def test_a_gate_switches_the_conservative_terms_off() -> None:
    for name in ("gcql", "gctd3bc"):
        learner = tiny(name).finetune.learner
        learner = dataclasses.replace(learner, actor_every=1)
        state = _fresh(learner)
        rows = jnp.asarray(ROWS[: learner.minibatches * learner.batch], float)
        batch = Layout.of(SPEC).unpack(rows.reshape(learner.minibatches, learner.batch, -1))
        key = jax.random.PRNGKey(0)
        none = batch._replace(gate=jnp.zeros_like(batch.gate))
        gated = jax.jit(learner.update)(key, START, state, none)[0]
        field, zero = (
            ("conservatism", dataclasses.replace(learner.conservatism, weight=Fixed(0.0)))
            if name == "gcql"
            else ("constraint", BehaviourCloning(Fixed(0.0)))
        )
        free = dataclasses.replace(learner, **{field: zero})
        without = jax.jit(free.update)(key, START, state, batch)[0]
        for x, y in zip(jax.tree.leaves(gated.nets), jax.tree.leaves(without.nets), strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-11)


def test_the_expansion_weighs_its_own_actions() -> None:
    learner = tiny("pex", batch=64).finetune.learner
    state, other = _fresh(learner), _fresh(learner, 1)
    state = state.replace(pretrained={"actor": other.nets["actor"], "stats": other.stats})
    _, info = _learn(learner, state, 30)
    assert 0.0 < float(info["actor"]["learner_chosen"]) < 1.0


def test_critics_begin_as_the_policys_density_and_a_baseline() -> None:
    """ACA: at the switch Q_i(s, a) = w g(log pi_0(a|s)) + Z_i(s), for any action."""
    recipe = tiny("aca")
    offline, online = recipe.pretrain[0].learner, recipe.finetune.learner
    before = _learn(offline, _fresh(offline), 5)[0]
    after = hand_over(jax.random.PRNGKey(1), recipe.handover, before, online, SPEC).state
    obs = jnp.asarray(ROWS[:9, : SPEC.obs_dim])
    action = jnp.asarray(np.random.default_rng(0).uniform(-0.99, 0.99, (9, 2)), jnp.float32)
    policy = offline.view(before).policy(obs)
    mean, std = (np.asarray(x, np.float64) for x in (policy.mean, jnp.exp(policy.log_std)))

    def density(u: np.ndarray) -> np.ndarray:
        normal = -0.5 * ((u - mean) / std) ** 2 - np.log(std) - 0.5 * np.log(2 * np.pi)
        squash = 2 * (np.log(2) - u - np.logaddexp(0.0, -2 * u))  # log(1 - tanh(u)^2)
        return (normal - squash).sum(axis=-1)

    width = online.align.width
    floor = np.minimum(density(mean - width * std), density(mean + width * std))
    x = density(np.arctanh(np.asarray(action, np.float64)))
    g = floor + np.logaddexp(0.0, x - floor)
    z = np.asarray(offline.view(before).baselines(obs), np.float64)
    got = np.asarray(online.view(after).q(obs, action))
    np.testing.assert_allclose(got, z + g, rtol=2e-3, atol=2e-3)
    weights = [
        float(_learn(online, after, 1, first)[0].signals["aligned"]) for first in (0, 4, 100)
    ]
    np.testing.assert_allclose(weights, [1.0, 0.75, 0.5], rtol=1e-5)


def test_the_baseline_is_regressed_to_the_aligned_target() -> None:
    rng = np.random.default_rng(2)
    reward, mask, baseline, log_prob = rng.normal(size=(4, 6))
    want = reward + 0.9 * mask * (log_prob + baseline - 0.3 * log_prob)
    got = aligned_target(*map(jnp.asarray, (reward, mask)), 0.9, baseline, log_prob, 0.3)
    np.testing.assert_allclose(got, want, rtol=1e-5)
    np.testing.assert_allclose(
        soft_floor(jnp.asarray([-50.0, 0.0, 50.0]), jnp.asarray(-1.0)),
        [-1.0, -1.0 + np.log1p(np.e), 50.0],
        rtol=1e-5,
    )
