"""Cloning from sequences: its numbers against NumPy, and the claims of DT and of ODT."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import QUIET, finish, same_bits

from warmstart.acting import Desired
from warmstart.engine import Problem, Trainer
from warmstart.engine.carry import preloaded
from warmstart.engine.host_runner import HostRunner
from warmstart.learners import SequenceCloning
from warmstart.methods import METHODS
from warmstart.nets.sequence_spec import SequenceSpec
from warmstart.parts import temperature
from warmstart.recipe import Recipe
from warmstart.replay import Layout
from warmstart.state import Optimiser, Warming
from warmstart.tasks import returns_to_go, rule_for
from warmstart.tasks.reward import RewardTransform
from warmstart.types import Clock, Context, Dataset, EnvStep, Spec, Step, Transition
from warmstart.views import View

SPEC = Spec(2, 2, 9)
CLOCK = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(1))
NET = SequenceSpec("gaussian", layers=1, width=4, dropout=0.0)


def _learner(**more: Any) -> SequenceCloning:
    return SequenceCloning(NET, temperature(-1.0, 0.1, 1e-2), Warming(1e-2, warmup=1), 2, **more)


def _batch() -> Transition:
    """[1, 2, 3]: the first window has one step, the second three."""
    rng, t = np.random.default_rng(0), np.array([[[-1, -1, 4], [0, 1, 2]]], np.float32)
    there = (t >= 0).astype(np.float32)
    obs, action = (rng.normal(size=(1, 2, 3, 2)).astype(np.float32) for _ in range(2))
    numbers = (there, there, np.zeros_like(t), t, 3.0 * there, there)
    reward, mask, last, t, returns, online = map(jnp.asarray, numbers)
    obs, action = jnp.asarray(obs), jnp.tanh(action)
    return Transition(obs, action, reward, mask, obs, last, t, returns, online, jnp.ones((1, 2, 3)))


def _updated(learner: SequenceCloning, batch: Transition) -> Any:
    state = learner.init(jax.random.key(0), SPEC)
    return state, *jax.jit(learner.update)(jax.random.key(1), CLOCK, state, batch)


def test_the_loss_is_the_mean_over_the_steps_that_are_there() -> None:
    batch, learner = _batch(), _learner()
    state, _, metrics = _updated(learner, batch)
    one = jax.tree.map(lambda x: x[0], batch)
    context = Context(one.return_to_go, one.obs, one.action, one.t)
    policy = learner.view(state).over(context)
    likely = np.asarray(policy.log_prob(one.action))[np.asarray(one.t) >= 0]
    info = metrics["actor"]
    assert info["log_likelihood"] == pytest.approx(likely.mean(), rel=1e-5)
    want = -likely.mean() - 0.1 * float(info["entropy"])
    assert info["actor_loss"] == pytest.approx(want, rel=1e-5)
    assert info["online_share"] == 1.0


def test_what_stands_on_empty_places_moves_nothing() -> None:
    batch, learner = _batch(), _learner()
    other = batch._replace(
        action=batch.action.at[0, 0, :2].set(0.9), obs=batch.obs.at[0, 0, 0].set(7)
    )
    same_bits(_updated(learner, batch)[1], _updated(learner, other)[1])


def test_the_temperature_rises_while_the_entropy_is_too_low() -> None:
    for target, up in ((50.0, True), (-50.0, False)):
        learner = dataclasses.replace(_learner(), temperature=temperature(target, 0.1, 1e-2))
        state, after, _ = _updated(learner, _batch())
        raw = [float(s.nets["temperature"].raw) for s in (state, after)]
        assert (raw[1] > raw[0]) == up


def test_it_studies_the_returns_and_sums_them_without_a_discount() -> None:
    data = Transition(
        *(jnp.zeros((4, 2)),) * 2, *(jnp.zeros(4),) * 2, jnp.zeros((4, 2)), *(jnp.zeros(4),) * 4
    )
    data = data._replace(t=jnp.array([0.0, 1, 0, 0]), return_to_go=jnp.array([-8.0, 99, 6, 2]))
    stats = _learner().study(_learner().init(jax.random.key(0), SPEC), data).stats
    assert [float(stats[f"return_{n}"]) for n in ("low", "high", "scale")] == [-8, 6, 8]
    fixed = _learner(scale=1000.0)
    assert fixed.study(fixed.init(jax.random.key(0), SPEC), data).stats["return_scale"] == 1000
    assert _learner().with_discount(0.9).discount == 1.0
    assert [rule_for(d, "sparse") for d in (0.9, 1.0)] == ["sparse", "finite"]


def test_the_rate_rises_and_lamb_steps_as_far_as_the_array_is_long() -> None:
    p, g = np.array([[3.0, 4.0]]), np.array([[0.2, -0.1]])
    plain, lamb = Warming(0.1, 0.5, None, warmup=4), Warming(0.1, 0.5, None, warmup=4, trust=True)
    moved = {}
    for name, rule in (("plain", plain), ("lamb", lamb)):
        build = rule.build()
        params, state, steps = jnp.asarray(p), build.init(jnp.asarray(p)), []
        for _ in range(6):
            change, state = build.update(jnp.asarray(g), state, params)
            steps.append(np.asarray(change))
        moved[name] = steps
    direction = g / (np.abs(g) + 1e-8) + 0.5 * p
    for k, rate in enumerate((0.025, 0.05, 0.075, 0.1, 0.1, 0.1)):
        np.testing.assert_allclose(moved["plain"][k], -rate * direction, rtol=1e-4)
        trusted = direction * 5.0 / np.linalg.norm(direction)
        np.testing.assert_allclose(moved["lamb"][k], -rate * trusted, rtol=1e-4)
    assert isinstance(Warming(weight_decay=0.0, trust=True), Optimiser)
    none = Warming(0.1, 0.0, None, warmup=1, trust=True).build()
    change, _ = none.update(jnp.asarray(g), none.init(jnp.asarray(p)), jnp.asarray(p))
    np.testing.assert_allclose(change, -0.1 * np.sign(g), rtol=1e-4)  # plain Adam


class Push:
    """Five steps; the reward is the action. What an episode returns is what it was asked for."""

    spec = Spec(1, 1, 5)

    def reset(self, seed: int) -> np.ndarray:
        self.t = 0
        return np.zeros(1, np.float32)

    def step(self, action: np.ndarray) -> EnvStep:
        self.t += 1
        over = self.t == 5
        return EnvStep(np.full(1, self.t, np.float32), float(action[0]), False, over, False)

    def render(self) -> None:
        return None

    def close(self) -> None:
        pass


def _pushed(low: float, high: float) -> np.ndarray:
    """Rows of 60 episodes, each of one level and some noise."""
    rng, n = np.random.default_rng(0), 300
    level = np.repeat(rng.uniform(low, high, 60), 5)
    actions = np.clip(level + 0.05 * rng.normal(size=n), -1, 1).astype(np.float32)[:, None]
    t = np.tile(np.arange(5), 60).astype(np.float32)
    ends = t == 4
    data = Dataset(t[:, None], actions, actions[:, 0], np.zeros(n, bool), ends, t[:, None] + 1)
    returns = returns_to_go(data.rewards, ~data.terminated, ends, 1.0)
    return Layout.of(Push.spec).from_dataset(data, data.rewards, returns)


def _trainer(recipe: Recipe, rows: np.ndarray) -> Trainer:
    look = dataclasses.replace(QUIET, episodes=3, fixed_episodes=3, early=(0,))
    problem = Problem(Push.spec, Push, RewardTransform(), "finite", -1.0, None, rows, rows[:20])
    return Trainer(recipe, problem, (0,), look)


def _return(rule: Desired, view: View) -> float:
    """What the episode of a policy under `rule` returns."""
    env, memory, reward, total = Push(), rule.init(1, Push.spec), 0.0, 0.0
    act = jax.jit(lambda memory, step: rule(KEY, CLOCK, view, memory, step, "evaluate"))
    obs = env.reset(0)
    for t in range(5):
        step = Step(jnp.asarray(obs)[None], jnp.full(1, reward), jnp.full(1, float(t == 0)))
        action, memory = act(memory, step)
        out = env.step(np.asarray(action)[0])
        obs, reward, total = out.obs, out.reward, total + out.reward
    return total


KEY = jax.random.key(0)
SMALL = {"layers": 1, "width": 16, "context": 3, "batch": 32, "warmup": 20, "lr": 3e-3}


def test_the_decision_transformer_returns_more_when_asked_for_more() -> None:
    recipe = METHODS["dt"].recipe("quick", **SMALL, pretrain_steps=500, steps=1)
    rows, layout = _pushed(-0.9, 0.9), Layout.of(Push.spec)
    run = _trainer(recipe, rows)
    for _ in run.run("pretrained"):
        pass
    view = recipe.finetune.learner.view(run.state.items[0])
    got = [_return(Desired(share, length=3), view) for share in (0.15, 0.5, 0.85)]
    returns = rows[rows[:, layout.t] == 0][:, layout.return_to_go]
    low, high = float(returns.min()), float(returns.max())
    want = [low + share * (high - low) for share in (0.15, 0.5, 0.85)]
    np.testing.assert_allclose(got, want, atol=1.0)
    assert got[0] + 1.0 < got[1] < got[2] - 1.0


def test_the_online_phase_of_odt_lifts_a_medium_policy() -> None:
    """The data's best episode returns about 1; online it asks for more than that."""
    recipe = METHODS["odt"].recipe(
        "quick", **SMALL, pretrain_steps=300, steps=400, updates=20, count=20, acting_context=3,
        target=2.0, explore=2.0,
    )  # fmt: skip
    run = _trainer(recipe, _pushed(-0.6, 0.2))
    scores = {e.tag: e.values["return_mean"] for e in finish(run) if e.kind == "eval"}
    assert scores["final"] > scores["switch"] + 1.0
    assert isinstance(run.loop, HostRunner)
    programs = run.loop.stepper.acts, run.loop.stepper.learns
    assert [p.programs() for p in programs] == [1, 1]  # nothing was compiled twice


def test_the_top_episodes_stand_in_the_ring_with_the_worst_first_to_go() -> None:
    rows, layout = _pushed(-0.6, 0.2), Layout.of(Push.spec)
    recipe = METHODS["odt"].recipe("quick", count=7)
    held = preloaded(recipe, layout, rows)
    first = held[held[:, layout.t] == 0][:, layout.return_to_go]
    every = np.sort(rows[rows[:, layout.t] == 0][:, layout.return_to_go])
    np.testing.assert_array_equal(first, every[-7:])
    np.testing.assert_array_equal(held[:, layout.t], np.tile(np.arange(5), 7))


def test_seeds_as_a_batch_axis_learn_as_one_alone() -> None:
    learner, batch = _learner(), _batch()
    keys = jnp.stack([jax.random.key(0), jax.random.key(1)])
    states = jax.vmap(lambda key: learner.init(key, SPEC))(keys)

    def step(key: Any, state: Any) -> Any:
        return learner.update(key, CLOCK, state, batch)[0].nets

    both = jax.jit(jax.vmap(step))(keys, states)
    alone = jax.jit(step)(keys[1], jax.tree.map(lambda x: x[1], states))
    for ours, own in zip(jax.tree.leaves(both), jax.tree.leaves(alone), strict=True):
        np.testing.assert_allclose(ours[1], own, rtol=1e-4, atol=1e-5)
