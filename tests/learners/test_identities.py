"""What is the same algorithm by its paper is the same numbers here; and the clocks."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import SPEC, float64, logged, rows_of, same_bits, tiny

from warmstart.errors import RecipeError
from warmstart.learners import ActorCritic
from warmstart.methods import cql, rebrac, sac, td3, td3_bc
from warmstart.parts import CQL, BehaviourCloning, Fixed, MaximiseQ, NoImprovement
from warmstart.replay import Layout
from warmstart.state import State, descend
from warmstart.types import Clock, Transition

KEY = jax.random.PRNGKey(5)
SMALL: dict[str, Any] = {"hidden": (8,), "batch": 4}


def _batch(learner: ActorCritic, **fields: float) -> Transition:
    rows = rows_of(logged())[: learner.minibatches * learner.batch]
    rows = rows.reshape(learner.minibatches, learner.batch, -1)
    batch = jax.tree.map(lambda x: jnp.asarray(x, float), Layout.of(SPEC).unpack(rows))
    return batch._replace(**{k: jnp.full_like(batch.reward, v) for k, v in fields.items()})


@functools.cache
def _program(learner: ActorCritic) -> Any:
    return jax.jit(learner.update)


def _learn(learner: ActorCritic, state: State, batch: Transition, first: int, n: int) -> State:
    for i in range(first, first + n):
        clock = Clock(jnp.int32(i * learner.minibatches), jnp.int32(0), jnp.int32(9))
        state, _ = _program(learner)(jax.random.fold_in(KEY, i), clock, state, batch)
    return state


def _fresh(learner: ActorCritic) -> State:
    return learner.init(jax.random.PRNGKey(0), SPEC)


def _both(a: ActorCritic, b: ActorCritic, **fields: float) -> tuple[State, State]:
    return tuple(_learn(x, _fresh(x), _batch(x, **fields), 0, 3) for x in (a, b))  # type: ignore


def _same(a: State, b: State) -> None:
    """Two programs of one formula may round differently, in the last places of float64."""
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-11)


@float64()
def test_cal_ql_without_known_returns_is_cql() -> None:
    numbers = {**SMALL, "proposals": 2, "max_actions": 1}
    plain, bounded = (cql.learner(**numbers, calibrated=x) for x in (False, True))
    _same(*_both(plain, bounded, return_to_go=-np.inf))
    a, b = _both(plain, bounded, return_to_go=100.0)
    assert np.any(a.nets["critic"].trunk.first.weight != b.nets["critic"].trunk.first.weight)


@float64()
def test_cql_of_weight_zero_is_sac_with_the_same_backup() -> None:
    pushed = cql.learner(**SMALL, weight=0.0, proposals=2, max_actions=1)
    free = sac.learner(**SMALL, entropy_backup=False, actor_lr=1e-4, critic_lr=3e-4)
    _same(*_both(pushed, free))


@float64()
def test_rebrac_without_the_critic_s_penalty_is_td3_bc() -> None:
    """With its networks, the least of the critics, and a mean for a sum over the actions."""
    ours = rebrac.learner(Fixed(0.3), critic_penalty=0.0, **SMALL)
    theirs = td3_bc.learner(
        weight=0.3 * SPEC.action_dim, **SMALL, normalise="none", improvement=MaximiseQ("min", True)
    )
    _same(*_both(ours, dataclasses.replace(theirs, policy=ours.policy, critic=ours.critic)))


@float64()
def test_td3_bc_of_weight_zero_is_td3() -> None:
    cloned = td3_bc.learner(
        weight=0.0, **SMALL, normalise="none", improvement=td3.learner().improvement
    )
    _same(*_both(cloned, td3.learner(**SMALL)))


def test_wsrl_online_is_rlpd_without_the_dataset_given_the_same_answers() -> None:
    wsrl, rlpd = tiny("wsrl").finetune, tiny("rlpd").finetune
    answers = wsrl.learner
    assert dataclasses.replace(rlpd, learner=answers, rhythm=wsrl.rhythm) == wsrl
    assert type(rlpd.learner) is type(answers)


@float64()
def test_the_parts_of_a_loss_draw_apart() -> None:
    """Taking the conservative term away leaves the backup's draws as they were."""
    pushed = cql.learner(**SMALL, weight=5.0, proposals=2, max_actions=1)
    free = dataclasses.replace(pushed, conservatism=CQL(Fixed(0.0), 2))
    means = []
    for learner in (pushed, free):
        clock = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(9))
        _, info = _program(learner)(KEY, clock, _fresh(learner), _batch(learner))
        means.append(float(info["critic"]["target_mean"]))
    assert means[0] == pytest.approx(means[1], rel=1e-12)


@pytest.mark.parametrize("name", ["actor", "critic", "temperature"])
def test_what_is_not_named_stays_bitwise_equal(name: str) -> None:
    state = _fresh(tiny("sac").finetune.learner)

    def loss(net: Any) -> tuple[jax.Array, dict]:
        return sum(jnp.sum(x**2) for x in jax.tree.leaves((net, state.nets))), {}

    optimiser = tiny("sac").finetune.learner.optimiser(name)
    after, _ = jax.jit(lambda state: descend(name, state, loss, optimiser))(state)
    for other in state.nets:
        if other != name:
            same_bits(after.nets[other], state.nets[other])
            same_bits(after.opts[other], state.opts[other])
    same_bits((after.targets, after.pretrained), (state.targets, state.pretrained))
    changed = jax.tree.map(lambda a, b: np.any(a != b), after.opts[name], state.opts[name])
    assert any(jax.tree.leaves(changed))


def _moved(a: Any, b: Any) -> bool:
    return any(jax.tree.leaves(jax.tree.map(lambda x, y: bool(np.any(x != y)), a, b)))


def test_delays_count_updates_of_the_stage() -> None:
    learner = dataclasses.replace(td3.learner(**SMALL), actor_every=3, target_every=2)
    state, actor, target = _fresh(learner), [], []
    for i in range(6):
        new = _learn(learner, state, _batch(learner), i, 1)
        actor.append(_moved(new.nets["actor"], state.nets["actor"]))
        target.append(_moved(new.targets["critic"], state.targets["critic"]))
        assert _moved(new.targets["actor"], state.targets["actor"]) == actor[-1]
        assert _moved(new.nets["critic"], state.nets["critic"])
        state = new
    assert actor == [False, False, True] * 2
    assert target == [False, True] * 3


def test_the_actor_can_wait_until_the_critics_are_fitted() -> None:
    learner = sac.learner(**SMALL, actor_from=2)
    state = _fresh(learner)
    for i in range(4):
        new = _learn(learner, state, _batch(learner), i, 1)
        assert _moved(new.nets["critic"], state.nets["critic"])
        for name in ("actor", "temperature"):
            assert _moved(new.nets[name], state.nets[name]) == (i >= 2), (name, i)
        state = new


def test_the_actor_of_cql_first_follows_the_data_and_then_climbs() -> None:
    learner = dataclasses.replace(sac.learner(**SMALL), cloning=2, temperature=Fixed(0.0))
    clone = dataclasses.replace(
        learner, cloning=0, improvement=NoImprovement(), constraint=BehaviourCloning(kind="nll")
    )
    climber = dataclasses.replace(learner, cloning=0)
    state = _fresh(learner)
    for i in range(4):
        new, likely, free = (
            _learn(each, state, _batch(learner), i, 1) for each in (learner, clone, climber)
        )
        same, other = (likely, free) if i < 2 else (free, likely)
        assert not _moved(new.nets["actor"], same.nets["actor"]), i
        assert _moved(new.nets["actor"], other.nets["actor"]), i
        assert not _moved(new.nets["critic"], free.nets["critic"])
        state = new
    warm = dataclasses.replace(learner, temperature=Fixed(0.5))
    hot, cold = (_learn(each, state, _batch(learner), 0, 1) for each in (warm, learner))
    assert _moved(hot.nets["actor"], cold.nets["actor"])  # the entropy bonus counts in it
    with pytest.raises(RecipeError, match="cloning=0"):
        dataclasses.replace(clone, cloning=2).check()


def test_the_actor_sees_the_last_minibatch_or_all() -> None:
    last = sac.learner(**SMALL, minibatches=2, actor_batch="last", temperature_on="next_obs")
    whole = dataclasses.replace(last, actor_batch="whole")
    batch = _batch(last)
    other = jax.tree.map(lambda x: x.at[0].set(x[0] + 0.1), batch)
    # A critic that cannot learn leaves the actor's rows as the only difference.
    still = [
        dataclasses.replace(x, critic_optimiser=dataclasses.replace(x.critic_optimiser, lr=0.0))
        for x in (last, whole)
    ]
    for learner, sees in zip(still, (False, True), strict=True):
        a, b = (_learn(learner, _fresh(learner), rows, 0, 1) for rows in (batch, other))
        assert _moved(a.nets["actor"], b.nets["actor"]) == sees


def test_running_statistics_count_each_row_once() -> None:
    learner = dataclasses.replace(sac.learner(**SMALL, minibatches=2), normalise="running")
    batch = _batch(learner)
    state = _learn(learner, _fresh(learner), batch, 0, 1)
    obs = np.asarray(batch.obs, np.float64).reshape(-1, SPEC.obs_dim)
    assert state.stats["count"] == len(obs)
    np.testing.assert_allclose(state.stats["mean"], obs.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(state.stats["var"], obs.var(0), rtol=1e-4, atol=1e-6)


def test_the_pull_to_the_data_and_another_constraint_are_refused_together() -> None:
    with pytest.raises(RecipeError, match="bc_weight sets the constraint"):
        cql.learner(**SMALL, bc_weight=1.0, constraint=BehaviourCloning())
