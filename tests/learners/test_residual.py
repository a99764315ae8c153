"""Corrections of a base policy, against what is known of them, in float64."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import SPEC, finish, float64, learnt, logged, rows_of, tiny, trainer

from warmstart.acting import Noisy, Progressive
from warmstart.equations.gaussian import squashed_log_prob
from warmstart.errors import RecipeError
from warmstart.methods import residual
from warmstart.nets.residual import ResidualPolicySpec
from warmstart.nets.spec import NetSpec
from warmstart.recipe import Recipe, Replay, WarmUp
from warmstart.replay import Layout
from warmstart.state import key_for
from warmstart.types import Clock, Step, Transition

KEY = jax.random.PRNGKey(5)
SMALL = NetSpec((8,))
OBS = jnp.asarray(np.random.default_rng(2).uniform(-1, 1, (64, 5)), jnp.float32)


def _net(scale: float, kind: str = "gaussian", moved: bool = True) -> Any:
    """A correction that has learnt something, unless it is not `moved`."""
    net = ResidualPolicySpec(SMALL, kind, scale=scale).build(KEY, 5, 2)
    return jax.tree.map(lambda x: x + 0.3, net) if moved else net


@pytest.mark.parametrize("kind", ["gaussian", "deterministic"])
def test_at_scale_0_the_policy_is_the_base_to_the_bit(kind: str) -> None:
    policy = _net(0.0, kind)(OBS)
    for action in (policy.mode(), policy.sample(KEY)):
        assert np.asarray(action).tobytes() == np.asarray(OBS[:, -2:]).tobytes()


@pytest.mark.parametrize("kind", ["gaussian", "deterministic"])
def test_before_it_has_learnt_its_mode_is_the_base_to_the_bit(kind: str) -> None:
    policy = _net(0.3, kind, moved=False)(OBS)
    assert np.asarray(policy.mode()).tobytes() == np.asarray(OBS[:, -2:]).tobytes()
    if kind == "gaussian":
        assert 0.1 < np.abs(policy.sample(KEY) - OBS[:, -2:]).max() <= 0.3


@float64()
def test_a_correction_by_hand() -> None:
    """clip(b + beta tanh u), and the density of tanh u without a factor beta."""
    obs = jnp.asarray(OBS, float)
    net = _net(0.2)
    policy = net(obs)
    u = policy.edit.mean + jnp.exp(policy.edit.log_std) * jax.random.normal(KEY, (64, 2))
    action, log_prob = policy.sample_with_log_prob(KEY)
    np.testing.assert_allclose(action, jnp.clip(obs[:, -2:] + 0.2 * jnp.tanh(u), -1, 1), rtol=1e-12)
    want = squashed_log_prob(u, policy.edit.mean, policy.edit.log_std)
    np.testing.assert_allclose(log_prob, want, rtol=1e-12)
    inside = np.abs(np.asarray(obs[:, -2:])).max(axis=1) < 0.7
    near = np.abs(np.tanh(np.asarray(u))).max(axis=1) < 0.98
    rows = inside & near
    assert rows.sum() > 5
    np.testing.assert_allclose(policy.log_prob(action)[rows], want[rows], rtol=1e-8)


def test_the_base_acts_less_and_less_often() -> None:
    """Its share is 1 - min(step / H, 1); evaluation always corrects."""
    learner = tiny("residual").finetune.learner
    wide = dataclasses.replace(SPEC, obs_dim=5)
    state = learner.init(KEY, wide)
    state = state.replace(nets={**state.nets, "actor": _net(0.3)})
    view, rule = learner.view(state), Progressive(over=100)
    many = jnp.tile(OBS[:1], (4_000, 1))
    step = Step(many, jnp.zeros(4_000), jnp.zeros(4_000))
    for now, share in ((0, 1.0), (25, 0.75), (50, 0.5), (100, 0.0), (5_000, 0.0)):
        clock = Clock(jnp.int32(0), jnp.int32(now), jnp.int32(9))
        action, _ = rule(KEY, clock, view, (), step, "explore")
        own = np.mean(np.all(np.asarray(action) == np.asarray(many[:, -2:]), axis=1))
        assert own == pytest.approx(share, abs=0.03)
        evaluated, _ = rule(KEY, clock, view, (), step, "evaluate")
        np.testing.assert_array_equal(evaluated, view.policy(many).mode())


@float64()
def test_the_target_is_taken_at_the_corrected_action_of_the_next_row() -> None:
    """y = r + gamma m (mean - rho std) Q'(s', clip(b' + beta r'))."""
    learner: Any = dataclasses.replace(tiny("residual").finetune.learner, discount=0.9)
    state = jax.jit(lambda key: learner.init(key, SPEC))(KEY)
    batch = Layout.of(SPEC).unpack(jnp.asarray(rows_of(logged(6)).astype(float)))
    view = learner.view(state)
    backup = learner.backup(KEY, view, batch, jnp.zeros(()))
    drawn: Any = view.policy(batch.next_obs)
    u = drawn.edit.mean + jnp.exp(drawn.edit.log_std) * jax.random.normal(
        key_for(KEY, "actions"), (1, *drawn.edit.mean.shape)
    )
    scale = learner.policy.scale
    action = jnp.clip(batch.next_obs[:, -2:] + scale * jnp.tanh(u[0]), -1, 1)
    q = view.q(batch.next_obs, action, target=True)
    np.testing.assert_allclose(backup, q.mean(0) - 0.5 * q.std(0), rtol=1e-9)


def test_warm_up_rows_are_the_base_s_own_and_the_critics_learn_from_them_first() -> None:
    run = trainer(tiny("residual", warmup=8, steps=20, over=1_000))
    finish(run)
    rows: Transition = Layout.of(SPEC).unpack(np.asarray(learnt(run)[1].rows[0]))
    base = np.clip(rows.obs[:, -2:], -1, 1)
    np.testing.assert_array_equal(rows.action[:8], base[:8])
    assert run.position.updates == 8 + 11  # the first block, then one after every step
    early = trainer(tiny("residual", warmup=8, steps=9))
    finish(early)
    actor = learnt(early)[0].nets["actor"].edit.mean
    assert not np.any(actor.weight) and not np.any(actor.bias)


def test_what_does_not_fit_a_base_is_refused() -> None:
    sac = tiny("sac")
    with pytest.raises(RecipeError, match="set acting=Sampled"):
        dataclasses.replace(sac, acting=Progressive())
    with pytest.raises(RecipeError, match=r"set learner\.normalise=none"):
        tiny("residual").with_("learner.normalise", "running")
    with pytest.raises(RecipeError, match=r"set learner\.policy\.agents=1"):
        residual.recipe().with_("learner.policy.agents", "2")
    assert isinstance(dataclasses.replace(sac, replay=Replay(warmup=WarmUp(4, "base"))), Recipe)


def test_resfit_fits_critics_first_and_then_corrects_with_noise() -> None:
    """Four critic steps to one of the actor, half of their rows logged."""
    small = {"hidden": (4,), "members": 3, "batch": 4, "warmup": 8, "lr": 1e-3}
    made = residual.recipe("resfit", **small, first=16, minibatches=2, steps=20)
    assert made.needs_dataset and made.acting == Noisy(0.05)
    assert residual.recipe("resfit").finetune.rhythm.first == 2_500
    run = trainer(made)
    finish(run)
    state, ring, *_ = learnt(run)
    assert run.position.updates == 16 + 2 * 11 and "temperature" not in state.nets
    rows: Transition = Layout.of(SPEC).unpack(np.asarray(ring.rows[0]))
    base = np.clip(rows.obs[:, -2:], -1, 1)
    np.testing.assert_array_equal(rows.action[:8], base[:8])
    assert 0.0 < np.abs(rows.action[8:20] - base[8:20]).max() < 0.2 + 0.25
    assert np.any(state.nets["actor"].edit.head.weight)
    early = trainer(dataclasses.replace(made, finetune=dataclasses.replace(
        made.finetune, steps=9)))  # fmt: skip
    finish(early)
    assert not np.any(learnt(early)[0].nets["actor"].edit.head.weight)
