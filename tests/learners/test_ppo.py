"""On-policy learning, against sums by hand and in float64."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from driven import Loop, ready
from scipy.integrate import quad
from tiny import SPEC, finish, float64, learnt, same_bits, tiny, trainer

from warmstart.engine.host_runner import HostRunner
from warmstart.equations.advantage import clipped_objective, generalised_advantage, ratio_of
from warmstart.equations.gaussian import clipped_log_prob
from warmstart.errors import RunError
from warmstart.learners import PPO
from warmstart.nets.distributions import SATURATED, Deterministic, Plain, Squashed, drawn_log_prob
from warmstart.nets.spec import NetSpec, PolicySpec, ValueSpec
from warmstart.replay import Layout, Newest, Ring, Stores, Wanted
from warmstart.types import Clock, Transition

KEY = jax.random.PRNGKey(3)
CLOCK = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(100))
SMALL = NetSpec((8,), "tanh")
LEARNER = PPO(PolicySpec(SMALL, squash=False), ValueSpec(SMALL), batch=12, epochs=1)
N = 12


def _advantages(*given: Any) -> Any:
    reward, mask, last, value, after = (jnp.asarray(x) for x in given[:5])
    return generalised_advantage(reward, mask, last, value, after, given[5], given[6])


@float64()
def test_advantages_by_hand_across_every_kind_of_end() -> None:
    """Row 1 terminates, row 3 is cut by a time limit, row 5 is the newest of an open episode."""
    gamma, trace = 0.9, 0.8
    reward = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    value = np.array([0.5, 0.4, 0.3, 0.2, 0.1, 0.7])
    after = np.array([0.4, 9.0, 0.2, 0.6, 0.7, 0.8])
    mask = np.array([1.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    last = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 0.0])
    want = np.zeros(6)
    want[1] = 2.0 - 0.4  # whatever V says behind a real end
    want[0] = 1.0 + gamma * 0.4 - 0.5 + gamma * trace * want[1]
    want[3] = 4.0 + gamma * 0.6 - 0.2  # a time limit is worth what comes behind it
    want[2] = 3.0 + gamma * 0.2 - 0.3 + gamma * trace * want[3]
    want[5] = 6.0 + gamma * 0.8 - 0.7
    want[4] = 5.0 + gamma * 0.7 - 0.1 + gamma * trace * want[5]
    got = _advantages(reward, mask, last, value, after, gamma, trace)
    np.testing.assert_allclose(got, want, rtol=1e-14)


@float64()
def test_with_lambda_1_an_advantage_is_the_return_less_the_value() -> None:
    rng = np.random.default_rng(0)
    reward, value = rng.normal(size=7), rng.normal(size=7)
    after, end = np.append(value[1:], 0.0), np.eye(7)[6]
    got = _advantages(reward, 1.0 - end, end, value, after, 0.9, 1.0)
    sums = [sum(0.9**k * r for k, r in enumerate(reward[t:])) for t in range(7)]
    np.testing.assert_allclose(got, np.array(sums) - value, rtol=1e-12)


@float64()
def test_nothing_pulls_beyond_the_clip() -> None:
    """Above 1 + eps nothing raises a good action, below 1 - eps nothing lowers a bad one."""
    ratio = jnp.array([0.5, 0.5, 0.9, 1.1, 1.5, 1.5])
    advantage = jnp.array([2.0, -2.0, 2.0, -2.0, 2.0, -2.0])
    pull = -6 * jax.grad(lambda r: clipped_objective(r, advantage, 0.2))(ratio)
    np.testing.assert_allclose(pull, [2.0, 0.0, 2.0, -2.0, 0.0, -2.0], rtol=1e-14)
    want = -np.mean([0.5 * 2, -0.8 * 2, 0.9 * 2, -1.1 * 2, 1.2 * 2, -1.5 * 2])
    np.testing.assert_allclose(clipped_objective(ratio, advantage, 0.2), want, rtol=1e-14)


@float64()
@pytest.mark.parametrize(("mean", "std"), [(0.2, 0.3), (0.95, 0.5), (-1.4, 0.2)])
def test_a_clipped_draw_has_all_its_probability(mean: float, std: float) -> None:
    """The density between the borders and the two masses at them are 1 together."""
    at = (jnp.array([mean]), jnp.log(jnp.array([std])))

    def probability(x: float) -> float:
        return float(jnp.exp(clipped_log_prob(jnp.array([x]), *at, 1.0)))

    inside = quad(probability, -1 + 1e-12, 1 - 1e-12, points=[np.clip(mean, -0.99, 0.99)])[0]
    assert inside + probability(1.0) + probability(-1.0) == pytest.approx(1.0, abs=1e-6)
    drawn = np.clip(mean + std * np.random.default_rng(0).normal(size=200_000), -1, 1)
    assert probability(1.0) == pytest.approx(np.mean(drawn == 1.0), abs=5e-3)


@float64()
def test_draws_of_every_policy_have_the_probability_of_what_was_executed() -> None:
    mean, log_std = jnp.array([[0.1, -0.4]]), jnp.array([[-1.0, -0.5]])
    action = jnp.array([[0.3, -0.6]])
    for policy in (Plain(mean, log_std), Squashed(mean, log_std)):
        np.testing.assert_allclose(
            drawn_log_prob(policy, action), policy.log_prob(action), rtol=1e-12
        )
    far = Squashed(mean, log_std)
    edge = drawn_log_prob(far, jnp.array([[0.3, -1.0]])) - drawn_log_prob(
        Squashed(mean[:, :1], log_std[:, :1]), jnp.array([[0.3]])
    )
    tail = jax.scipy.stats.norm.logcdf((-SATURATED + 0.4) / np.exp(-0.5))
    np.testing.assert_allclose(edge, [tail], rtol=1e-10)
    grown = jax.grad(lambda m: drawn_log_prob(Squashed(m, log_std), jnp.array([[1.0, 0.3]]))[0])
    assert np.isfinite(grown(mean)).all() and grown(mean)[0, 0] > 0
    with pytest.raises(Exception, match="no log-density"):
        drawn_log_prob(Deterministic(mean), action)


def _rollout(state: Any, learner: PPO, n: int = N) -> Transition:
    """Rows [1, N] that the policy of a state drew, as the box clipped them."""
    rng = np.random.default_rng(1)
    obs = jnp.asarray(rng.normal(size=(n, 3)), float)
    action = learner.view(state).policy(obs).sample(KEY)
    zeros = jnp.zeros(n)
    last = jnp.zeros(n).at[4].set(1.0)
    row = Transition(
        obs, action, jnp.asarray(rng.normal(size=n), float), 1.0 - last, obs + 0.1, last, zeros,
        zeros, zeros + 1, zeros + 1,
    )  # fmt: skip
    return jax.tree.map(lambda x: x[None], row)


def _wide(learner: PPO) -> Any:
    """A state whose policy is so wide that the box clips about a third of its draws."""
    return learner.init(KEY, SPEC)


@float64()
def test_the_ratio_is_1_at_the_first_step_also_where_the_box_clipped() -> None:
    """The actor's first gradient is the policy gradient, -E A grad log pi."""
    learner = dataclasses.replace(LEARNER, policy=PolicySpec(SMALL, squash=False))
    state = _wide(learner)
    rows = _rollout(state, learner)
    clipped = np.abs(np.asarray(rows.action)) == 1.0
    assert 0.1 < clipped.mean() < 0.6
    known = learner.known(state, jax.tree.map(lambda x: x[0], rows))
    net = state.nets["actor"]

    def log_prob(net: Any) -> Any:
        return drawn_log_prob(learner.view(state).policy(known.obs, net), known.action)

    np.testing.assert_array_equal(ratio_of(log_prob(net), known.log_prob), 1.0)
    _, metrics = learner.update(KEY, CLOCK, state, rows)
    assert float(metrics["actor"]["kl"]) == 0.0 == float(metrics["actor"]["clipped_share"])
    advantage = (known.advantage - known.advantage.mean()) / (known.advantage.std() + 1e-8)
    objective = jax.grad(
        lambda net: clipped_objective(ratio_of(log_prob(net), known.log_prob), advantage, 0.2)
    )(net)
    plain = jax.grad(lambda net: -jnp.mean(advantage * log_prob(net)))(net)
    for ours, theirs in zip(jax.tree.leaves(objective), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_one_epoch_is_enough_where_the_divergence_is_too_large() -> None:
    learner = dataclasses.replace(LEARNER, epochs=4, batch=4)
    state = learner.init(KEY, SPEC)
    rows = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), _rollout(state, learner))
    once, _ = dataclasses.replace(learner, epochs=1).update(KEY, CLOCK, state, rows)
    stopped, metrics = dataclasses.replace(learner, target_kl=1e-9).update(KEY, CLOCK, state, rows)
    whole, all_ = dataclasses.replace(learner, target_kl=1e9).update(KEY, CLOCK, state, rows)
    assert float(metrics["actor"]["epochs"]) == 1.0 and float(all_["actor"]["epochs"]) == 4.0
    for a, b in zip(*map(jax.tree.leaves, (once, stopped)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert not np.allclose(jax.tree.leaves(whole)[0], jax.tree.leaves(once)[0], atol=1e-6)


def test_the_value_alone_learns_from_the_first_rollouts() -> None:
    learner = dataclasses.replace(LEARNER, actor_from=2)
    state = learner.init(KEY, SPEC)
    rows = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), _rollout(state, learner))
    for updates, moves in ((1, False), (2, True)):
        then, _ = learner.update(KEY, CLOCK._replace(updates=jnp.int32(updates)), state, rows)
        if not moves:
            same_bits(then.nets["actor"], state.nets["actor"])
            same_bits(then.opts["actor"], state.opts["actor"])
        else:
            assert not np.array_equal(
                then.nets["actor"].spread.bias, state.nets["actor"].spread.bias
            )
        assert not np.array_equal(then.nets["value"].head.bias, state.nets["value"].head.bias)


@pytest.mark.parametrize("added", [5, 8, 9, 23])
def test_a_rollout_comes_in_the_order_of_time_also_over_the_ring_s_edge(added: int) -> None:
    layout, rows = Layout(1, 1), np.zeros((9, Layout(1, 1).width), np.float32)
    for number in range(added):
        rows[number % 9, 0] = number
    stores = Stores(
        jnp.zeros((1, layout.width)), Ring(jnp.asarray(rows), jnp.int32(added), jnp.int32(0))
    )
    drawn = Newest(5).draw(KEY, CLOCK, stores, (), Wanted((1, 2), False, layout)).rows
    np.testing.assert_array_equal(drawn[0, :, 0], np.arange(added - 5, added))


def test_the_policy_that_acts_stands_still_while_a_rollout_is_collected() -> None:
    """Every row's action is the draw of the networks that its update begins with."""
    run = trainer(tiny("ppo", steps=16, start="bc"))
    finish(run.run("pretrained"))
    run.enter("online", 0)
    loop, before, changes = run.open(), None, []
    assert isinstance(loop, HostRunner)
    run.memory = run.memory or run.carries.memory(run.position, run.keys)
    for step in range(1, 17):
        run.carry, run.memory, _ = loop.advance(run.carry, run.memory, 1)
        actor = learnt(run)[0].nets["actor"]
        if before is not None and not all(
            np.array_equal(a, b)
            for a, b in zip(*map(jax.tree.leaves, (actor, before)), strict=True)
        ):
            changes.append(step)
        before = actor
    assert changes == [9]  # at the next tick, before its action is chosen
    run.carry = loop.catch_up(run.carry)
    assert run.position.updates == 2


def test_an_agent_learns_from_its_own_newest_actions_alone() -> None:
    """A rollout is learnt from before the next action, and nobody intervenes."""
    loop = Loop(ready("ppo"))
    loop.go(8, learn=False)
    with pytest.raises(RunError, match=r"call learn\(\) before act\(\)"):
        loop.go(1, learn=False)
    assert loop.agent.learn() is not None
    loop.over = loop.over or not loop.agent._live.is_open
    if loop.over:
        loop.agent.begin(loop.env.reset(seed=loop.agent.reset_seed())[0])
        loop.over = False
    action = loop.agent.act()
    after, reward, terminated, truncated, info = loop.env.step(action)
    with pytest.raises(RunError, match="where somebody intervenes"):
        loop.agent.observe(after, reward, terminated, truncated, info, action=action * 0.5)
    loop.agent.observe(after, reward, terminated, truncated, info, action=action)
