"""Probes: a rollout's discounted return is the value they claim. The point mass: what helps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.data.makers import make_noisy, make_point_mass
from warmstart.envs.make import make_env
from warmstart.tasks import get_task
from warmstart.tasks.probes import PROBES


@pytest.mark.parametrize("name", sorted(PROBES))
@pytest.mark.parametrize("seed", range(4))
def test_a_rollout_earns_the_claimed_value(name, seed):
    env, discount = PROBES[name](), 0.9
    state, obs = env.reset(jax.random.key(seed))
    action = jax.random.uniform(jax.random.key(seed + 9), (1,), minval=-1.0, maxval=1.0)
    claim = float(env.q(obs, action, discount))
    earned, weight = 0.0, 1.0
    for step in range(env.spec.horizon):
        state, obs, reward, terminated, truncated, _ = env.step(state, action)
        earned += weight * float(reward)
        weight *= discount
        assert bool(terminated) == (step == env.spec.horizon - 1)
        assert not bool(truncated)
    assert earned == pytest.approx(claim, abs=1e-6)


@pytest.mark.parametrize("name", sorted(PROBES))
def test_values_keep_leading_axes(name):
    q = PROBES[name]().q(jnp.zeros((3, 2, 1)), jnp.zeros((3, 2, 1)), 0.9)
    assert q.shape == (3, 2)


def test_observations_of_the_coin_are_both_seen():
    env = PROBES["observed"]()
    _, obs = jax.vmap(env.reset)(jax.random.split(jax.random.key(0), 64))
    assert set(np.asarray(obs).ravel().tolist()) == {-1.0, 1.0}


def test_point_mass_leaves_room_above_the_logged_policy():
    env = make_env(get_task("jax-pointmass"))()

    def mean_return(dataset):
        return float(dataset.rewards.sum()) / 20

    def good(obs):
        return np.clip(-10 * obs[:2] - 6 * obs[2:], -1, 1)

    random, logged = make_noisy(env, 0, 20), make_point_mass(env, 0, 20)
    best = make_noisy(env, 0, 20, policy=good)
    assert mean_return(random) < mean_return(logged) - 10
    assert mean_return(logged) < mean_return(best) - 10
    assert len(logged) == 20 * 50 and not logged.terminated.any()
