"""Policy heads: shapes, ranges and where the observation has a say."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.nets import DeterministicPolicy, GaussianPolicy, NetSpec, PolicySpec

KEY = jax.random.key(4)
NET = NetSpec(hidden=(16, 16), init="uniform", scale=0.3)
OBS = 5 * jax.random.normal(jax.random.key(3), (9, 4), jnp.float32)


def _gaussian(**fields) -> GaussianPolicy:
    policy = PolicySpec(NET, **fields).build(KEY, 4, 3)
    assert isinstance(policy, GaussianPolicy)
    return policy


@pytest.mark.parametrize("std", ["exp", "tanh", "uniform", "uniform_sigmoid"])
def test_mean_and_log_std_have_the_action_shape_and_range(std: str) -> None:
    mean, log_std = _gaussian(std=std, log_std_range=(-1.0, 0.5))(OBS)
    assert mean.shape == log_std.shape == (9, 3)
    assert jnp.all((log_std >= -1.0) & (log_std <= 0.5))
    assert bool(jnp.all(log_std == log_std[0])) == std.startswith("uniform")


def test_tanh_mapped_std_is_simbas() -> None:
    policy = _gaussian(std="tanh", log_std_range=(-10.0, 2.0))
    assert not isinstance(policy.spread, jax.Array)
    raw = policy.spread(policy.trunk(OBS))
    np.testing.assert_allclose(policy(OBS)[1], -10 + 6 * (1 + np.tanh(raw)), rtol=1e-5)


def test_uniform_std_starts_at_one_and_sigmoid_in_the_middle() -> None:
    assert jnp.all(_gaussian(std="uniform")(OBS)[1] == 0)
    middle = _gaussian(std="uniform_sigmoid", log_std_range=(-5.0, 0.0))(OBS)[1]
    np.testing.assert_allclose(middle, -2.5)


def test_affine_scales_and_shifts_the_log_std_and_learns() -> None:
    wide = {"log_std_range": (-99.0, 99.0)}
    plain, moved = _gaussian(**wide), _gaussian(log_std_affine=(0.5, -1.0), **wide)
    np.testing.assert_allclose(moved(OBS)[1], 0.5 * plain(OBS)[1] - 1, rtol=1e-5, atol=1e-6)
    grad = jax.grad(lambda p: jnp.sum(p(OBS)[1]))(moved)
    np.testing.assert_allclose(grad.affine[1], 27.0, rtol=1e-6)


def test_bounded_mean_is_tanh_of_the_plain_one() -> None:
    plain, bounded = _gaussian(squash=False), _gaussian(squash=False, bounded_mean=True)
    np.testing.assert_allclose(bounded(OBS)[0], np.tanh(plain(OBS)[0]), atol=1e-6)


def test_deterministic_policy_stays_in_the_box_and_can_start_near_zero() -> None:
    net = NetSpec(hidden=(16, 16), head_init="uniform", head_scale=1e-3)
    policy = PolicySpec(net, kind="deterministic").build(jax.random.key(4), 4, 3)
    assert isinstance(policy, DeterministicPolicy)
    assert policy(OBS).action.shape == (9, 3)
    assert jnp.max(jnp.abs(policy(OBS).mode())) < 0.5
    assert jnp.max(jnp.abs(policy.head.weight)) <= 1e-3


def test_one_observation_without_a_batch_works() -> None:
    mean, log_std = _gaussian()(OBS[0])
    assert mean.shape == log_std.shape == (3,)
