"""Flows and the one-step policies that they teach, against what is known of them, in float64."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import SPEC, float64, logged, rows_of, same_bits, tiny

from warmstart.acting import BestOf, Sampled
from warmstart.errors import RecipeError
from warmstart.learners import ActorCritic
from warmstart.methods import METHODS, fql, ifql
from warmstart.nets.distributions import Generated
from warmstart.nets.flows import DistilledPolicy, DistilledPolicySpec, FlowPolicy, FlowPolicySpec
from warmstart.nets.spec import NetSpec
from warmstart.parts import Distilled, MaximiseQ, SampledBackup
from warmstart.parts.flow import distillation, flow_loss
from warmstart.replay import Layout
from warmstart.state import State, key_for
from warmstart.types import Clock, Step, Transition
from warmstart.views import View

KEY = jax.random.PRNGKey(7)
START = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(100))


def _batch() -> Transition:
    """Rows of the diary, in float64 inside `float64`."""
    rows = rows_of(logged(40)).astype(np.float64)
    return Layout.of(SPEC).unpack(jnp.asarray(rows, float))


class Field(eqx.Module):
    """A vector field that is written down."""

    v: Any = eqx.field(static=True)
    actions: int = eqx.field(static=True, default=2)

    def __call__(self, obs: Any, x: Any, t: Any) -> Any:
        return self.v(obs, x, t)


def _flow(v: Any, steps: int = 10) -> Any:
    return FlowPolicy(Field(v), steps)  # type: ignore[arg-type]


def _view(actor: Any) -> View:
    stats = {"mean": jnp.zeros(3), "var": jnp.ones(3), "count": jnp.zeros(())}
    return View(State({"actor": actor}, {}, {}, {}, stats, {}), "generated", "none")


@float64()
def test_the_flow_s_loss_is_nothing_on_the_field_that_leads_to_the_data() -> None:
    """Where all noise of a state goes to one action a, v = (a - x) / (1 - t) is the velocity."""
    batch = _batch()
    to_data = _flow(lambda obs, x, t: (batch.action - x) / (1.0 - t))
    assert float(flow_loss(KEY, _view(to_data), to_data, batch)) < 1e-20
    off = _flow(lambda obs, x, t: (batch.action - x) / (1.0 - t) + 0.5)
    np.testing.assert_allclose(flow_loss(KEY, _view(off), off, batch), 0.25, rtol=1e-10)


@float64()
def test_the_flow_s_loss_by_hand_on_a_field_of_time_and_place() -> None:
    batch = _batch()
    field = _flow(lambda obs, x, t: 0.3 * obs[:, :2] - x + 2.0 * t)
    x0 = np.asarray(jax.random.normal(key_for(KEY, "start"), batch.action.shape))
    t = np.asarray(jax.random.uniform(key_for(KEY, "time"), (len(x0), 1)))
    a, obs = np.asarray(batch.action), np.asarray(batch.obs)
    x = (1 - t) * x0 + t * a
    want = np.mean((0.3 * obs[:, :2] - x + 2 * t - (a - x0)) ** 2)
    np.testing.assert_allclose(flow_loss(KEY, _view(field), field, batch), want, rtol=1e-12)
    assert x0.dtype == np.float64 and 0 < t.min() < 0.05 and 0.95 < t.max() < 1


@float64()
@pytest.mark.parametrize("steps", [1, 4, 10, 400])
def test_the_sampler_turns_a_point_as_euler_s_rule_does(steps: int) -> None:
    """A quarter turn: x <- (I + w R / M) x, M times; the circle itself for many steps."""
    w = np.pi / 2
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    flow = _flow(lambda obs, x, t: w * x @ turn.T, steps)
    x = np.random.default_rng(0).normal(size=(5, 2))
    got = flow.made(jnp.zeros((5, 3)), jnp.asarray(x, float))
    step = np.linalg.matrix_power(np.eye(2) + w / steps * turn, steps)
    np.testing.assert_allclose(got, x @ step.T, rtol=1e-11)
    if steps == 400:
        np.testing.assert_allclose(got, x @ turn.T, atol=0.02)


@float64()
@pytest.mark.parametrize("steps", [1, 3, 10])
def test_the_sampler_looks_at_the_time_at_the_start_of_each_step(steps: int) -> None:
    flow = _flow(lambda obs, x, t: jnp.broadcast_to(t, x.shape), steps)
    got = flow.made(jnp.zeros((4, 3)), jnp.zeros((4, 2)))
    np.testing.assert_allclose(got, sum(i / steps for i in range(steps)) / steps, rtol=1e-12)


@float64()
def test_actions_are_clipped_at_the_end_alone() -> None:
    away_and_back = _flow(lambda obs, x, t: jnp.where(t < 0.5, 40.0, -39.0) * jnp.ones_like(x), 2)
    policy = _view(away_and_back).policy(jnp.zeros((1, 3)))
    np.testing.assert_allclose(policy.mode(), [[0.5, 0.5]])
    far = _flow(lambda obs, x, t: 9.0 * jnp.ones_like(x))
    np.testing.assert_array_equal(_view(far).policy(jnp.zeros((1, 3))).mode(), [[1.0, 1.0]])


def test_draws_are_the_noise_s_and_have_no_density() -> None:
    still = _view(_flow(lambda obs, x, t: jnp.zeros_like(x)))
    policy = still.policy(jnp.zeros((6, 3)))
    assert isinstance(policy, Generated)
    drawn, zero = policy.sample_with_log_prob(KEY, (500,))
    assert drawn.shape == (500, 6, 2) and not np.any(zero)
    np.testing.assert_array_equal(drawn, np.clip(policy.noise(KEY, (500,)), -1, 1))
    np.testing.assert_array_equal(policy.mode(), np.zeros((6, 2)))
    with pytest.raises(RecipeError, match="no log-density"):
        policy.log_prob(drawn[0])


class Teacher(eqx.Module):
    """A one-step policy a z + b, with the flow beside it."""

    a: Any
    b: Any
    flow: FlowPolicy
    actions: int = eqx.field(static=True, default=2)

    def __call__(self, obs: Any) -> Any:
        return Generated(self, obs)

    def made(self, obs: Any, noise: Any) -> Any:
        return self.a * noise + self.b


def _taught() -> tuple[Any, Any]:
    """A flow x <- 0.4 x + 0.1 in one step, and a pupil of the same form."""
    flow = _flow(lambda obs, x, t: -0.6 * x + 0.1, 1)
    pupil = Teacher(jnp.asarray(0.9), jnp.asarray(-0.2), flow)
    batch = jax.tree.map(lambda x: jnp.repeat(x, 20, axis=0), _batch())

    @jax.jit
    def loss(net: Any, key: Any) -> Any:
        return distillation(key, _view(net), net, batch)

    return pupil, loss


@float64()
def test_distillation_is_at_rest_where_one_step_does_what_the_flow_does() -> None:
    pupil, loss = _taught()
    same = dataclasses.replace(pupil, a=jnp.asarray(0.4), b=jnp.asarray(0.1))
    slope = jax.grad(lambda net: loss(net, KEY))(same)
    # Nothing but the few draws of |z| > 2.25, which the flow's end clips, is between the two.
    assert float(loss(same, KEY)) < 1e-2 and abs(float(slope.a)) < 0.03 > abs(float(slope.b))
    far = jax.grad(lambda net: loss(net, KEY))(pupil)
    assert abs(float(far.a)) > 0.5 and abs(float(far.b)) > 0.3


@float64()
def test_distillation_leads_there() -> None:
    pupil, loss = _taught()
    net, slope = pupil, jax.jit(jax.grad(loss))
    for i in range(200):
        g = slope(net, jax.random.fold_in(KEY, i))
        net = dataclasses.replace(net, a=net.a - 0.2 * g.a, b=net.b - 0.2 * g.b)
    # The least squares of clip(0.4 z + 0.1): a little less steep than without the box.
    z = np.random.default_rng(0).normal(size=1_000_000)
    a, b = np.polyfit(z, np.clip(0.4 * z + 0.1, -1, 1), 1)
    np.testing.assert_allclose([net.a, net.b], [a, b], atol=0.01)


def _small(learner: Any, **more: Any) -> ActorCritic:
    return learner(hidden=(8,), flow_steps=3, batch=6, **more)


def _fresh(learner: ActorCritic) -> State:
    return learner.init(jax.random.PRNGKey(1), SPEC)


@functools.cache
def _update(learner: ActorCritic) -> Any:
    return jax.jit(learner.update)


def _learnt(learner: ActorCritic, updates: int = 2) -> State:
    state, rows = _fresh(learner), _batch()
    for i in range(updates):
        batch = jax.tree.map(lambda x, i=i: x[None, 6 * i : 6 * i + 6], rows)
        state, _ = _update(learner)(jax.random.fold_in(KEY, i), START, state, batch)
    return state


@float64()
def test_the_flow_learns_from_the_data_alone_and_the_pupil_never_moves_it() -> None:
    base = _small(fql.learner)
    moved = _learnt(base).nets["actor"]
    other = dataclasses.replace(base, improvement=Distilled("min", normalise=True, weight=7.0))
    again = _learnt(other).nets["actor"]
    same_bits(moved.flow, again.flow)
    assert np.any(moved.body.first.weight != again.body.first.weight)
    still = _fresh(base).nets["actor"].flow
    assert np.any(moved.flow.field.head.weight != still.field.head.weight)


@float64()
def test_fql_s_three_losses_by_hand() -> None:
    learner = _small(fql.learner, weight=2.5)
    state, rows = _fresh(learner), jax.tree.map(lambda x: x[:6], _batch())
    state = state.replace(targets=jax.tree.map(lambda x: 1.2 * x + 0.01, state.targets))
    view, net = learner.view(state), state.nets["actor"]
    assert isinstance(net, DistilledPolicy)
    key, critic_key = KEY, jax.random.fold_in(KEY, 0)
    z = jax.random.normal(key_for(key_for(critic_key, "backup"), "actions"), (1, 6, 2))
    after = np.clip(net.made(rows.next_obs, z[0]), -1, 1)
    y = rows.reward + 0.99 * rows.mask * view.q(rows.next_obs, after, target=True).mean(0)
    new, info = _update(learner)(key, START, state, jax.tree.map(lambda x: x[None], rows))
    q = np.asarray(view.q(rows.obs, rows.action))
    np.testing.assert_allclose(info["critic"]["td_loss"], np.mean((q - y) ** 2), rtol=1e-10)

    actor_key = key_for(key, "actor")
    z = jax.random.normal(key_for(key_for(actor_key, "improvement"), "policy"), (6, 2))
    x = np.asarray(z)
    for i in range(3):
        x = x + np.asarray(net.flow.field(rows.obs, jnp.asarray(x), jnp.full((6, 1), i / 3))) / 3
    far = np.mean((np.asarray(net.made(rows.obs, z)) - np.clip(x, -1, 1)) ** 2)
    climbed = learner.view(new.replace(nets={**new.nets, "actor": net}))
    up = -np.mean(climbed.q(rows.obs, jnp.clip(net.made(rows.obs, z), -1, 1)))
    fitted = float(flow_loss(key_for(key_for(actor_key, "improvement"), "flow"), view, net, rows))
    got = info["actor"]
    np.testing.assert_allclose(got["distillation"], far, rtol=1e-10)
    np.testing.assert_allclose(got["flow_loss"], fitted, rtol=1e-10)
    np.testing.assert_allclose(got["actor_loss"], up + 2.5 * far + fitted, rtol=1e-10)


@float64()
def test_ifql_s_values_are_iql_s_and_its_flow_a_clone() -> None:
    learner = _small(ifql.learner)
    blind = dataclasses.replace(learner, trains=("critic", "value"))
    ours, without = _learnt(learner), _learnt(blind)
    same_bits(ours.nets["critic"], without.nets["critic"])
    same_bits(ours.nets["value"], without.nets["value"])
    same_bits(without.nets["actor"], _fresh(learner).nets["actor"])
    assert np.any(ours.nets["actor"].field.head.bias != without.nets["actor"].field.head.bias)


def _step(n: int) -> Step:
    return Step(jnp.asarray(rows_of(logged())[:n, :3]), jnp.zeros(n), jnp.zeros(n))


def test_the_best_of_n_is_that_by_the_critics_in_both_modes() -> None:
    learner = _small(ifql.learner)
    view, step = learner.view(_fresh(learner)), _step(5)
    drawn = np.asarray(view.policy(step.obs).sample(KEY, (16,)))
    q = np.asarray(view.critic().call_actions(view.obs(step.obs), jnp.asarray(drawn)))
    for pessimism, judged in (
        (None, q.min(0)),
        (0.0, q.mean(0)),
        (0.7, q.mean(0) - 0.7 * q.std(0)),
    ):
        want = drawn[np.argmax(judged, axis=0), np.arange(5)]
        for mode in ("explore", "evaluate"):
            got, _ = BestOf(16, pessimism)(KEY, START, view, (), step, mode)  # type: ignore
            np.testing.assert_array_equal(got, want)


def test_a_policy_without_a_mode_is_evaluated_by_draws() -> None:
    learner = _small(fql.learner)
    view, step = learner.view(_fresh(learner)), _step(5)
    drawn, mode = view.policy(step.obs).sample(KEY), view.policy(step.obs).mode()
    assert np.any(drawn != mode)
    for rule, shown in ((Sampled("sample"), drawn), (Sampled(), mode)):
        np.testing.assert_array_equal(rule(KEY, START, view, (), step, "evaluate")[0], shown)
        np.testing.assert_array_equal(rule(KEY, START, view, (), step, "explore")[0], drawn)


@float64()
@pytest.mark.parametrize("pessimism", [None, 0.0, 0.5])
def test_the_target_is_what_the_slow_critics_say_of_the_best_proposal(
    pessimism: float | None,
) -> None:
    learner = _small(fql.learner, members=4)
    state, rows = _fresh(learner), _batch()
    state = state.replace(targets=jax.tree.map(lambda x: -0.7 * x + 0.01, state.targets))
    view = learner.view(state)
    proposals = view.policy(rows.next_obs).sample(key_for(KEY, "actions"), (8,))

    def judged(target: bool) -> np.ndarray:
        critic = view.critic(target=target)
        q = np.asarray(critic.call_actions(view.obs(rows.next_obs), proposals))
        if pessimism is None:
            return q.min(0)
        return q.mean(0) - pessimism * q.std(0)

    for chosen_by in ("target", "online"):
        part = SampledBackup(
            entropy=False,
            actions=8,
            pessimism=pessimism,
            chosen_by=chosen_by,  # type: ignore
        )
        best = np.argmax(judged(chosen_by == "target"), axis=0)
        want = judged(True)[best, np.arange(len(best))]
        got = part(KEY, view, rows, jnp.zeros(()))
        np.testing.assert_allclose(got, want, rtol=1e-10)


@float64()
def test_the_actor_may_climb_the_mean_less_the_critics_deviation() -> None:
    learner = _small(fql.learner, members=4)
    view, rows = learner.view(_fresh(learner)), _batch()
    part = MaximiseQ("mean", pessimism=0.5)
    loss, _ = part(KEY, view, view.state.nets["actor"], rows, jnp.zeros(()))
    action = view.policy(rows.obs).sample(key_for(KEY, "policy"))
    q = np.asarray(view.q(rows.obs, action))
    np.testing.assert_allclose(loss, -np.mean(q.mean(0) - 0.5 * q.std(0)), rtol=1e-10)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("fql", {"learner.policy.steps": "0"}, "steps cannot be 0; give a whole number from 1 on"),
    ("ifql", {"learner.policy.steps": "-3"}, "steps cannot be -3; give a whole number from 1 on"),
    ("ifql", {"acting.candidates": "0"}, "candidates cannot be 0; give a whole number from 1"),
    ("fql", {"learner.improvement.weight": "nan"}, "weight cannot be nan; give a number from 0"),
    ("fql", {"learner.backup.pessimism": "-1"}, "pessimism cannot be -1.0; give a number from 0"),
    ("ifql", {"learner.improvement": "Distilled"}, "set .*improvement=MaximiseQ"),
    ("fql", {"learner.improvement": "FlowCloning"}, "set .*improvement=MaximiseQ"),
    ("td3", {"learner.improvement": "FlowCloning"}, "set .*improvement=MaximiseQ"),
    ("fql", {"learner.temperature": "Learned"}, "a learned temperature needs a policy with a den"),
    ("ifql", {"learner.improvement": "AdvantageRegression"}, "a policy with a density"),
    ("fql", {"learner.improvement.aggregate": "min", "learner.improvement.pessimism": "0.5"},
     "set .*improvement.aggregate=mean"),
    ("bc", {"acting": "BestOf"}, "acting=BestOf chooses by value, and this learner has no critics"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "changes", "said"), REFUSED)
def test_what_makes_no_flow_is_refused_before_anything_is_trained(
    method: str, changes: dict[str, str], said: str
) -> None:
    recipe = METHODS[method].recipe("quick")
    with pytest.raises(RecipeError, match=said):
        for path, value in changes.items():
            recipe = recipe.with_(path, value)


def test_no_flow_of_no_steps_from_the_number_of_the_recipe() -> None:
    with pytest.raises(RecipeError, match="steps cannot be 0"):
        fql.recipe("quick", flow_steps=0)


def test_the_networks_have_the_sizes_that_they_are_given() -> None:
    net = DistilledPolicySpec(NetSpec((7,)), 4).build(KEY, 5, 3)
    assert isinstance(net, DistilledPolicy) and net.actions == net.flow.actions == 3
    assert net.body.first.weight.shape == (8, 7) and net.flow.steps == 4
    assert net.flow.field.body.first.weight.shape == (9, 7)
    alone = FlowPolicySpec(NetSpec((7,)), 4).build(KEY, 5, 3)
    assert isinstance(alone, FlowPolicy) and alone.field.body.first.weight.shape == (9, 7)
    learner = tiny("fql").finetune.learner
    assert isinstance(learner, ActorCritic)
    assert learner.policy == DistilledPolicySpec(fql.net((8,)), 3)
