"""AWAC's regression and TD3-C's trust region against float64 NumPy; the multiplier's own number."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import SPEC, logged, rows_of

from warmstart.equations.policy import squared_distance
from warmstart.learners import ActorCritic
from warmstart.methods import awac, td3
from warmstart.nets.spec import NetSpec
from warmstart.parts import Learned, MaximiseQ, PolicyAdvantage, TrustRegion
from warmstart.replay import Layout
from warmstart.state import Optimiser, State, key_for
from warmstart.types import Clock

KEY = jax.random.PRNGKey(3)
BATCH = jax.tree.map(jnp.asarray, Layout.of(SPEC).unpack(rows_of(logged())[:5]))
ZERO = jnp.zeros(())


@pytest.mark.parametrize("form", ["exp", "softmax"])
@pytest.mark.parametrize("baseline", ["sample", "mode"])
def test_awac_weighs_by_the_advantage_over_its_own_action(form: Any, baseline: Any) -> None:
    learner = awac.learner(hidden=(8,))
    view = learner.view(learner.init(jax.random.PRNGKey(0), SPEC))
    policy = view.policy(BATCH.obs)
    own = policy.mode() if baseline == "mode" else policy.sample(key_for(KEY, "baseline"))
    q, v = (
        np.asarray(view.q(BATCH.obs, action), np.float64).min(0) for action in (BATCH.action, own)
    )
    raw = np.exp((q - v) / 0.05)
    weight = np.minimum(raw, 1.2) if form == "exp" else len(raw) * raw / raw.sum()
    assert form == "softmax" or ((weight == 1.2).any() and (weight < 1.2).any())
    log_prob = np.asarray(policy.log_prob(BATCH.action), np.float64)
    part = PolicyAdvantage(0.05, form, clip=1.2, baseline=baseline)
    loss, info = part(KEY, view, view.state.nets["actor"], BATCH, ZERO)
    np.testing.assert_allclose(loss, -np.mean(weight * log_prob), rtol=1e-4)
    np.testing.assert_allclose(info["advantage_weight"], weight.mean(), rtol=1e-4)


def test_the_distance_sums_over_actions_and_is_to_the_slow_copy() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 5, 3))
    want = np.mean(((a - b) ** 2).sum(axis=-1))
    np.testing.assert_allclose(squared_distance(jnp.asarray(a), jnp.asarray(b)), want, rtol=1e-6)
    learner = td3.learner(hidden=(8,))
    state, other = (learner.init(jax.random.PRNGKey(i), SPEC) for i in (0, 1))
    view = learner.view(state.replace(targets={**state.targets, "actor": other.nets["actor"]}))
    fast, slow = (np.asarray(view.policy(BATCH.obs, target=x).mode()) for x in (False, True))
    gap, _ = TrustRegion()(KEY, view, state.nets["actor"], BATCH)
    np.testing.assert_allclose(gap, np.mean(((fast - slow) ** 2).sum(axis=-1)), rtol=1e-5)


def _pulled(learner: ActorCritic) -> State:
    """A state whose critics are Q = 5 a_1 exactly: a pull of 5 that points the same way always."""
    state = learner.init(jax.random.PRNGKey(0), SPEC)
    critic = jax.tree.map(jnp.zeros_like, state.nets["critic"])
    first, head = critic.trunk.first, critic.head
    # One unit in the linear range of its ReLU: (a_1 + 9) * 5.
    first = dataclasses.replace(
        first,
        weight=first.weight.at[:, SPEC.obs_dim, 0].set(1.0),
        bias=first.bias.at[:, 0].set(9.0),
    )
    head = dataclasses.replace(head, weight=head.weight.at[:, 0].set(5.0))
    trunk = dataclasses.replace(critic.trunk, first=first)
    critic = dataclasses.replace(critic, trunk=trunk, head=head)
    return state.replace(nets={**state.nets, "critic": critic})


@pytest.mark.parametrize(("bound", "pull"), [(1.0, 1.0), (None, 5.0)])
@pytest.mark.parametrize("start", [100.0, 2_000.0])
def test_the_multiplier_finds_the_pull_over_twice_the_radius(
    bound: float | None, pull: float, start: float
) -> None:
    """Where the constraint is active 2 lambda sqrt(epsilon) = |dQ/da|: 158 for a pull of 1."""
    epsilon, net = 1e-5, NetSpec((8,), activation="tanh", init="lecun_normal", scale=1.0)
    held = TrustRegion(Learned(init=start, target=epsilon, optimiser=Optimiser(1e-2)))
    learner = dataclasses.replace(
        td3.learner(
            actor_net=net,
            critic_net=NetSpec((8,)),
            improvement=MaximiseQ("first", action_clip=bound),
            constraint=held,
            batch=16,
        ),
        trains=("actor",),
        actor_every=1,
    )
    rows = jnp.asarray(rows_of(logged(40)))
    layout = Layout.of(SPEC)

    def step(state: State, i: Any) -> Any:
        key = jax.random.fold_in(KEY, i)
        pick = jax.random.randint(key, (1, learner.batch), 0, len(rows))
        clock = Clock(i, jnp.int32(0), jnp.int32(1))
        state, info = learner.update(key, clock, state, layout.unpack(rows[pick]))
        return state, (info["actor"]["constraint_weight"], info["actor"]["constraint_gap"])

    state = _pulled(learner)
    slope = jax.grad(lambda a: learner.view(state).q(BATCH.obs, a)[0].sum())(BATCH.action)
    np.testing.assert_allclose(slope, np.tile([5.0, 0.0], (5, 1)), atol=1e-5)
    weight, gap = jax.jit(lambda s: jax.lax.scan(step, s, jnp.arange(2_500)))(state)[1]
    want = pull / (2 * np.sqrt(epsilon))
    assert np.mean(weight[-500:]) == pytest.approx(want, rel=0.1)
    assert np.mean(gap[-500:]) <= 1.05 * epsilon
