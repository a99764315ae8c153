"""Backups, conservatism, improvement, constraint and value fit against float64 NumPy."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from tiny import SPEC, logged, rows_of

from warmstart.errors import RecipeError
from warmstart.learners import ActorCritic
from warmstart.methods import cql, iql, sac, td3_bc
from warmstart.parts import (
    CQL,
    AdvantageRegression,
    BehaviourCloning,
    Expectile,
    MaximiseQ,
    NoImprovement,
    SampledBackup,
    SmoothedBackup,
    ValueBackup,
)
from warmstart.parts.conservatism import Proposals
from warmstart.replay import Layout
from warmstart.state import State, key_for
from warmstart.views import View, draw_members

KEY = jax.random.PRNGKey(3)
BATCH = jax.tree.map(jnp.asarray, Layout.of(SPEC).unpack(rows_of(logged())[:5]))
SAC = sac.learner(hidden=(8,), members=4)
ZERO = jnp.zeros(())


@functools.cache
def _state(learner: ActorCritic) -> State:
    state = learner.init(jax.random.PRNGKey(0), SPEC)
    # Targets of their own, so that a part that reads the wrong ones is seen.
    other = jax.tree.map(lambda x: 1.5 * x + 0.05, state.targets)
    return state.replace(targets=other)


def _view(learner: ActorCritic) -> View:
    return learner.view(_state(learner))


def _q(view: View, obs: Any, action: Any, target: bool = True) -> np.ndarray:
    return np.asarray(view.q(obs, action, target=target), np.float64)


def test_the_sampled_backup_is_the_least_of_all_critics() -> None:
    sharp = _state(SAC)
    spread = sharp.nets["actor"].spread
    flat = dataclasses.replace(spread, weight=0 * spread.weight, bias=0 * spread.bias - 20.0)
    actor = dataclasses.replace(sharp.nets["actor"], spread=flat)
    view = SAC.view(sharp.replace(nets={**sharp.nets, "actor": actor}))
    mode = view.policy(BATCH.next_obs).mode()  # std e^-20: every draw is the mode
    want = _q(view, BATCH.next_obs, mode).min(0)
    got = SampledBackup(entropy=False)(KEY, view, BATCH, ZERO)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    many = SampledBackup(entropy=False, actions=3)(KEY, view, BATCH, ZERO)
    np.testing.assert_allclose(many, want, rtol=1e-5, atol=1e-6)


def test_the_entropy_bonus_is_added_once() -> None:
    view = _view(SAC)
    plain = SampledBackup(entropy=False)(KEY, view, BATCH, jnp.float32(0.3))
    soft = [SampledBackup()(KEY, view, BATCH, jnp.float32(a)) for a in (0.0, 0.3, 0.6)]
    np.testing.assert_array_equal(plain, soft[0])
    np.testing.assert_allclose(soft[2] - soft[1], soft[1] - soft[0], rtol=1e-3, atol=1e-5)


def test_more_actions_are_the_best_of_the_least() -> None:
    view, part = _view(SAC), SampledBackup(entropy=False, actions=6)
    action, _ = view.policy(BATCH.next_obs).sample_with_log_prob(key_for(KEY, "actions"), (6,))
    want = np.stack([_q(view, BATCH.next_obs, a).min(0) for a in action]).max(0)
    np.testing.assert_allclose(part(KEY, view, BATCH, ZERO), want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("replacement", [False, True])
def test_subsets_of_critics(replacement: bool) -> None:
    keys = jax.random.split(KEY, 2000)
    pairs = np.asarray(jax.vmap(lambda k: draw_members(k, 10, 2, replacement))(keys))
    same = np.mean(pairs[:, 0] == pairs[:, 1])
    # With replacement a pair is one critic twice with probability 1 / E.
    assert same == 0.0 if not replacement else abs(same - 0.1) < 0.03
    counts = np.bincount(pairs.ravel(), minlength=10) / pairs.size
    np.testing.assert_allclose(counts, 0.1, atol=0.02)
    assert (draw_members(KEY, 2, 2, replacement) is None) == (not replacement)
    view, part = _view(SAC), SampledBackup(2, replacement, entropy=False)
    got = part(KEY, view, BATCH, ZERO)
    members = draw_members(key_for(KEY, "members"), 4, 2, replacement)
    action = view.policy(BATCH.next_obs).sample(key_for(KEY, "actions"), (1,))
    want = _q(view, BATCH.next_obs, action[0])[np.asarray(members)].min(0)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_smoothing_stays_near_the_slow_policy_and_in_the_box() -> None:
    learner = td3_bc.learner(hidden=(8,), normalise="none")
    view = _view(learner)
    mode = view.policy(BATCH.next_obs, target=True).mode()
    noise = 0.7 * np.asarray(jax.random.normal(key_for(KEY, "smoothing"), mode.shape))
    action = np.clip(np.asarray(mode) + np.clip(noise, -0.3, 0.3), -1, 1)
    got = SmoothedBackup(0.7, 0.3)(KEY, view, BATCH, ZERO)
    np.testing.assert_allclose(got, _q(view, BATCH.next_obs, action).min(0), rtol=1e-5, atol=1e-6)


IQL = iql.learner(hidden=(8,), expectile=0.8, beta=2.0)


def test_iql_s_three_losses() -> None:
    view = _view(IQL)
    q = _q(view, BATCH.obs, BATCH.action).min(0)
    v = np.asarray(view.value(BATCH.obs), np.float64)
    u = q - v
    net = view.state.nets["value"]
    loss, _ = Expectile(0.8)(KEY, view, net, BATCH, ZERO, 0.99)
    np.testing.assert_allclose(loss, np.mean(np.where(u < 0, 0.2, 0.8) * u**2), rtol=1e-4)
    np.testing.assert_array_equal(ValueBackup()(KEY, view, BATCH, ZERO), view.value(BATCH.next_obs))
    weight = np.minimum(np.exp(2.0 * u), 1.01)
    log_prob = np.asarray(view.policy(BATCH.obs).log_prob(BATCH.action), np.float64)
    actor = view.state.nets["actor"]
    loss, info = AdvantageRegression(2.0, 1.01)(KEY, view, actor, BATCH, ZERO)
    np.testing.assert_allclose(loss, -np.mean(weight * log_prob), rtol=1e-4)
    np.testing.assert_allclose(info["advantage_weight"], weight.mean(), rtol=1e-4)


@pytest.mark.parametrize("dims", [3, 6, 24])
def test_the_gap_of_a_constant_critic(dims: int) -> None:
    """All Q equal and a uniform policy: ln 30 + d ln 2, from ten proposals of each kind."""
    flat = jnp.full((30, 4), -dims * math.log(2.0))
    proposals = Proposals(jnp.zeros((30, 4, dims)), flat, None)
    batch = BATCH._replace(return_to_go=jnp.zeros(4))
    gap, _ = CQL().gap(jnp.full((2, 4), 7.0), jnp.full((2, 30, 4), 7.0), proposals, batch)
    np.testing.assert_allclose(gap, math.log(30) + dims * math.log(2), rtol=1e-5)


@pytest.mark.parametrize("importance", [True, False])
@pytest.mark.parametrize("calibrated", [True, False])
@pytest.mark.parametrize("clip", [None, (-1.0, 0.5)])
def test_the_gap(importance: bool, calibrated: bool, clip: Any) -> None:
    part = CQL(actions=2, temperature=0.7, importance=importance, calibrated=calibrated, clip=clip)
    rng = np.random.default_rng(0)
    data, q, log_mu = rng.normal(size=(3, 5)), rng.normal(size=(3, 6, 5)), rng.normal(size=(6, 5))
    g = np.array([0.5, -np.inf, 2.0, -1.0, -np.inf])
    given = Proposals(jnp.zeros((6, 5, 2)), jnp.asarray(log_mu, jnp.float32), None)
    batch = BATCH._replace(return_to_go=jnp.asarray(g, jnp.float32))
    got, info = part.gap(jnp.asarray(data, jnp.float32), jnp.asarray(q, jnp.float32), given, batch)
    # The bound is for the policy's proposals, behind the two uniform ones, and not for the data.
    floored = np.concatenate([q[:, :2], np.maximum(q[:, 2:], g) if calibrated else q[:, 2:]], 1)
    if calibrated:
        known = np.isfinite(g)
        np.testing.assert_allclose(
            info["bound_rate"], np.mean(q[:, 2:, known] < g[known]), rtol=1e-5
        )
    items = floored - log_mu if importance else np.concatenate([floored, data[:, None]], 1)
    want = 0.7 * logsumexp(items / 0.7, axis=1) - data
    want = want if clip is None else np.clip(want, *clip)
    np.testing.assert_allclose(got, want.mean(), rtol=1e-4)


@pytest.mark.parametrize(
    "proposals",
    [
        ("current", "uniform"),
        ("next", "uniform", "current"),
        ("current", "next"),
        ("uniform", "next"),
    ],
)
def test_the_bound_is_for_the_policys_proposals_wherever_they_stand(proposals: Any) -> None:
    part = CQL(actions=2, calibrated=True, importance=False, with_data=False, proposals=proposals)
    rng, n = np.random.default_rng(0), 2 * len(proposals)
    data, q = rng.normal(size=(3, 5)), rng.normal(size=(3, n, 5))
    g = np.array([0.5, -np.inf, 2.0, -1.0, -np.inf])
    given = Proposals(jnp.zeros((n, 5, 2)), jnp.zeros((n, 5)), None)
    batch = BATCH._replace(return_to_go=jnp.asarray(g, jnp.float32))
    got, info = part.gap(jnp.asarray(data, jnp.float32), jnp.asarray(q, jnp.float32), given, batch)
    own = np.repeat([name != "uniform" for name in proposals], 2)
    floored = np.where(own[None, :, None], np.maximum(q, g), q)
    np.testing.assert_allclose(got, (logsumexp(floored, axis=1) - data).mean(), rtol=1e-4)
    known = np.isfinite(g)
    np.testing.assert_allclose(
        info["bound_rate"], np.mean(q[:, own][..., known] < g[known]), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"proposals": ("uniform",), "calibrated": True}, "conservatism.calibrated=false"),
        ({"proposals": ("current", "current")}, "twice"),
    ],
)
def test_proposals_that_bound_nothing_or_repeat_are_refused(wrong: Any, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        CQL(**wrong)


def test_proposals_are_uniform_now_and_next() -> None:
    learner = cql.learner(hidden=(8,), proposals=300)
    view, part = _view(learner), learner.conservatism
    given = part.propose(KEY, view, BATCH)
    assert given is not None and given.action.shape == (900, 5, 2)
    np.testing.assert_allclose(given.log_density[:300], -2 * math.log(2), rtol=1e-6)
    uniform = np.asarray(given.action[:300])
    assert abs(uniform.mean()) < 0.05 and uniform.min() < -0.95 and uniform.max() > 0.95
    for block, obs in ((slice(300, 600), BATCH.obs), (slice(600, 900), BATCH.next_obs)):
        want = view.policy(obs).log_prob(given.action[block])
        inside = np.abs(np.asarray(given.action[block])).max(-1) < 0.99
        np.testing.assert_allclose(
            np.asarray(given.log_density[block])[inside], np.asarray(want)[inside], atol=5e-3
        )


@pytest.mark.parametrize("aggregate", ["min", "mean", "first"])
@pytest.mark.parametrize("normalise", [False, True])
def test_what_the_actor_climbs(aggregate: Any, normalise: bool) -> None:
    learner = td3_bc.learner(hidden=(8,), normalise="none")
    view = _view(learner)
    actor = view.state.nets["actor"]
    q = _q(view, BATCH.obs, view.policy(BATCH.obs).mode(), target=False)
    q = {"min": q.min(0), "mean": q.mean(0), "first": q[0]}[aggregate]
    want = -q.mean() / (np.abs(q).mean() if normalise else 1.0)
    loss, _ = MaximiseQ(aggregate, normalise)(KEY, view, actor, BATCH, ZERO)
    np.testing.assert_allclose(loss, want, rtol=1e-4, atol=1e-6)


def test_cloning() -> None:
    view = _view(SAC)
    actor, policy = view.state.nets["actor"], view.policy(BATCH.obs)
    loss, _ = BehaviourCloning()(KEY, view, actor, BATCH)
    want = np.mean((np.asarray(policy.mode()) - BATCH.action) ** 2)
    np.testing.assert_allclose(loss, want, rtol=1e-5)
    loss, _ = BehaviourCloning(kind="nll")(KEY, view, actor, BATCH)
    np.testing.assert_allclose(loss, -np.mean(policy.log_prob(BATCH.action)), rtol=1e-5)
    assert NoImprovement()(KEY, view, actor, BATCH, ZERO)[0] == 0
