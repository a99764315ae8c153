"""The ensemble against its members one by one."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.nets import CriticSpec, EnsembleCritic, NetSpec, ValueSpec

NETS = [
    NetSpec(hidden=(16, 12), init="uniform", scale=0.3),
    NetSpec(hidden=(16, 12), init="uniform", scale=0.3, layer_norm=True),
    NetSpec(hidden=(16, 12), init="uniform", scale=0.3, layer_norm="first", activation="elu"),
    NetSpec(hidden=(16,), kind="simba"),
]
OBS = jax.random.normal(jax.random.key(5), (7, 5), jnp.float32)
ACTIONS = jax.random.uniform(jax.random.key(6), (3, 7, 2), jnp.float32, -1, 1)


CASES = [(NETS[0], False), (NETS[1], True), (NETS[2], False), (NETS[3], True)]


@functools.cache
def _critic(net: NetSpec = NETS[0], members: int = 4, shared: bool = False) -> EnsembleCritic:
    return CriticSpec(net, members, shared).build(jax.random.key(7), 5, 2)


@jax.jit
def _member(critic: EnsembleCritic, index: int) -> jax.Array:
    """Member `index` computed apart, through indexing and no ensemble code."""
    trunk = jax.tree.map(lambda leaf: leaf[index], critic.trunk)
    head = critic.head if critic.shared_head else jax.tree.map(lambda x: x[index], critic.head)
    return head(trunk(jnp.concatenate([OBS, ACTIONS[0]], -1)))[:, 0]


@pytest.mark.parametrize(("net", "shared"), CASES)
def test_ensemble_equals_its_members(net: NetSpec, shared: bool) -> None:
    critic = _critic(net, 4, shared)
    got = jax.jit(critic.__call__)(OBS, ACTIONS[0])
    assert got.shape == (4, 7) and critic.members == 4
    np.testing.assert_allclose(got, [_member(critic, i) for i in range(4)], atol=1e-5)
    assert not np.allclose(got[0], got[1])


@pytest.mark.parametrize(("net", "shared"), CASES)
def test_call_actions_equals_plain_calls_and_so_do_its_gradients(net, shared: bool) -> None:
    critic = _critic(net, 2, shared)

    def many(critic: EnsembleCritic, actions: jax.Array) -> jax.Array:
        return critic.call_actions(OBS, actions)

    def plain(critic: EnsembleCritic, actions: jax.Array) -> jax.Array:
        return jnp.stack([critic(OBS, a) for a in actions], 1)

    @functools.partial(jax.jit, static_argnums=0)
    def with_gradients(call, critic, actions):
        def total(critic: EnsembleCritic, actions: jax.Array) -> tuple[jax.Array, jax.Array]:
            q = call(critic, actions)
            return jnp.sum(jnp.sin(q)), q

        grads, q = jax.grad(total, argnums=(0, 1), has_aux=True)(critic, actions)
        return q, grads

    ours, theirs = (with_gradients(call, critic, ACTIONS) for call in (many, plain))
    assert ours[0].shape == (2, 3, 7)
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-5)
    for our, their in zip(jax.tree.leaves(ours[1]), jax.tree.leaves(theirs[1]), strict=True):
        np.testing.assert_allclose(our, their, atol=3e-4)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=3, max_size=3))
def test_take_is_indexing(indices: list[int]) -> None:
    critic = _critic()
    taken = critic.take(jnp.array(indices))
    assert taken.members == len(indices)
    got = [_member(taken, m) for m in range(len(indices))]
    np.testing.assert_array_equal(got, [_member(critic, index) for index in indices])


def test_shared_head_is_one_layer_and_the_others_are_stacks() -> None:
    shared = _critic(shared=True)
    assert shared.take(jnp.array([3, 0])).head is shared.head
    assert shared.head.weight.shape == (12, 1)
    assert _critic(shared=False).head.weight.shape == (4, 12, 1)
    assert _critic().trunk.first.weight.shape == (4, 7, 16)


def test_members_start_apart() -> None:
    weight = _critic().trunk.first.weight
    assert len(np.unique(np.asarray(weight)[:, 0, 0])) == 4


def test_gradient_of_one_member_leaves_the_others_alone() -> None:
    grad = jax.jit(jax.grad(lambda c: jnp.sum(c(OBS, ACTIONS[0])[2])))(_critic())
    for leaf in jax.tree.leaves(grad):
        assert jnp.any(leaf[2] != 0) and jnp.all(leaf[jnp.array([0, 1, 3])] == 0)


def test_jit_vmap_and_scan_take_the_module_as_it_is() -> None:
    seeds = jax.random.split(jax.random.key(0), 3)
    critics = jax.vmap(lambda k: CriticSpec(NETS[1], 2).build(k, 5, 2))(seeds)
    q = jax.jit(jax.vmap(lambda c: c(OBS, ACTIONS[0])))(critics)
    alone = jax.tree.map(lambda leaf: leaf[1], critics)
    assert q.shape == (3, 2, 7)
    np.testing.assert_allclose(q[1], [_member(alone, i) for i in range(2)], atol=1e-5)

    def descend(critic: EnsembleCritic, _: None) -> tuple[EnsembleCritic, jax.Array]:
        loss, grad = jax.value_and_grad(lambda c: jnp.mean((c(OBS, ACTIONS[0]) - 1) ** 2))(critic)
        return jax.tree.map(lambda p, g: p - 0.01 * g, critic, grad), loss

    _, losses = jax.lax.scan(descend, alone, None, length=20)
    assert losses[-1] < losses[0]


def test_value_is_one_number_for_each_observation() -> None:
    value = ValueSpec(NETS[0]).build(jax.random.key(1), 5)
    assert value(OBS).shape == (7,)
    assert value(OBS[None]).shape == (1, 7)
