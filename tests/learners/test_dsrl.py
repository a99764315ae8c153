"""Steering a frozen generator, against what is known of it, in float64."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import SPEC, finish, float64, learnt, logged, rows_of, same_bits, tiny, trainer

from warmstart.errors import RecipeError
from warmstart.learners import ActorCritic
from warmstart.replay import Layout
from warmstart.state import key_for
from warmstart.types import Clock

KEY = jax.random.PRNGKey(4)
CLOCK = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(100))


@float64()
def test_the_losses_by_hand() -> None:
    """Noise critics follow the action critics through the flow, which gets no gradient."""
    learner: Any = tiny("dsrl").finetune.learner
    state = jax.jit(lambda key: learner.init(key, SPEC))(KEY)
    batch = Layout.of(SPEC).unpack(jnp.asarray(rows_of(logged(5)).astype(float)))
    view, net = learner.view(state), state.nets["actor"]
    steered: Any = view.policy(batch.obs)
    w = jax.random.normal(key_for(KEY, "noise"), batch.action.shape)
    x = w
    for i in range(net.flow.steps):
        t = jnp.full((len(x), 1), i / net.flow.steps)
        x = x + net.flow.field(batch.obs, x, t) / net.flow.steps
    made = jnp.clip(x, -1, 1)
    np.testing.assert_allclose(steered.made(w), made, rtol=1e-12)
    target = view.q(batch.obs, made).min(axis=0)
    (extra,) = learner.extras
    judged = state.nets["noise_critic"](batch.obs, w)
    loss, _ = extra.loss(KEY, view, state.nets["noise_critic"], batch)
    np.testing.assert_allclose(loss, jnp.mean((judged - target) ** 2), rtol=1e-12)

    def climb(net: Any) -> Any:
        return learner.improvement(KEY, view, net, batch, jnp.asarray(0.3))[0]

    pulled = jax.grad(climb)(net)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(pulled.flow))
    assert np.any(pulled.steer.mean.weight)
    drawn, log_prob = steered.noise(key_for(KEY, "policy"))
    q = state.nets["noise_critic"](batch.obs, drawn).mean(axis=0)
    np.testing.assert_allclose(climb(net), jnp.mean(0.3 * log_prob - q), rtol=1e-12)
    assert np.abs(drawn).max() <= net.limit


def test_the_generator_stands_still_online_to_the_bit() -> None:
    run = trainer(tiny("dsrl"))
    finish(run.run("pretrained"))
    before = run.state.host().nets["actor"].flow
    finish(run)
    after = learnt(run)[0].nets["actor"]
    same_bits(before, after.flow)
    assert np.any(after.steer.mean.weight)


def test_moments_that_would_move_it_are_refused() -> None:
    recipe = tiny("dsrl")
    with pytest.raises(RecipeError, match=r"set handover\.moments=fresh"):
        recipe.with_("handover.moments", "keep")
    with pytest.raises(RecipeError, match="steers a generator"):
        tiny("sac").with_("finetune.learner.improvement", "Steering")
    online = recipe.finetune.learner
    assert isinstance(online, ActorCritic)
    lone = dataclasses.replace(online, extras=())
    with pytest.raises(RecipeError, match="this learner has none"):
        lone.check()
