"""A full update of SAC, TD3-BC and ReBRAC against plain float64 NumPy."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference import (
    Adam,
    backward,
    critic_step,
    dense,
    forward,
    q_slope,
    q_values,
    slow,
    squashed,
)
from tiny import SPEC, float64, logged, rows_of

from warmstart.learners import ActorCritic
from warmstart.methods import cql, rebrac, sac, td3_bc
from warmstart.nets.spec import CriticSpec, NetSpec
from warmstart.parts import Fixed
from warmstart.replay import Layout, taken
from warmstart.state import State, key_for
from warmstart.types import Clock

KEY = jax.random.PRNGKey(11)
LAYOUT = dataclasses.replace(Layout.of(SPEC), ahead=True)
ROWS = LAYOUT.unpack(taken(rows_of(logged()), np.arange(6), LAYOUT)[None])
B = {name: np.asarray(x[0], np.float64) for name, x in ROWS._asdict().items() if x is not None}
UPDATES, TAU, GAMMA, LR = 3, 0.1, 0.9, 1e-2


def _members(critic: Any) -> list[Any]:
    return [
        dense(*jax.tree.map(lambda x, i=i: x[i], (critic.trunk, critic.head)))
        for i in range(critic.members)
    ]


def _ours(learner: ActorCritic, state: State) -> State:
    for i in range(UPDATES):
        clock = Clock(jnp.int32(i), jnp.int32(0), jnp.int32(9))
        batch = jax.tree.map(lambda x: jnp.asarray(x, float), ROWS)
        state, _ = jax.jit(learner.update)(jax.random.fold_in(KEY, i), clock, state, batch)
    return state


def _noise(key: jax.Array, *names: str, shape: tuple[int, ...]) -> np.ndarray:
    for name in names:
        key = key_for(key, name)
    return np.asarray(jax.random.normal(key, shape), np.float64)


def _same(got: dict[str, np.ndarray], want: dict[str, np.ndarray]) -> None:
    for name in want:
        np.testing.assert_allclose(got[name], want[name], rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("pull", [0.0, 0.7])
@float64()
def test_sac(pull: float) -> None:
    """Alone, and with the pull to the data that `quick` gives conservative actors."""
    learner = sac.learner(
        hidden=(8,), actor_lr=LR, critic_lr=LR, init="torch", tau=TAU, discount=GAMMA, batch=6
    )
    if pull:
        learner = cql.near(learner, "min", pull)
    start = learner.init(jax.random.PRNGKey(1), SPEC)
    actor = start.nets["actor"]
    mean, spread = dense(actor.trunk, actor.mean), dense(actor.trunk, actor.spread)
    critics = _members(start.nets["critic"])
    targets, raw = _members(start.targets["critic"]), {"raw": np.array(0.0)}
    critic_adams, actor_adam, alpha_adam = [Adam(LR), Adam(LR)], Adam(LR), Adam(LR)
    shape = (6, SPEC.action_dim)
    for i in range(UPDATES):
        key = jax.random.fold_in(KEY, i)
        critic_key = jax.random.fold_in(key, 0)
        alpha = np.exp(raw["raw"])
        noise = _noise(critic_key, "backup", "actions", shape=(1, *shape))[0]
        a, log_prob, _ = squashed(
            forward(mean, B["next_obs"])[0], forward(spread, B["next_obs"])[0], noise
        )
        soft = q_values(targets, B["next_obs"], a).min(0) - alpha * log_prob
        y = B["reward"] + GAMMA * B["mask"] * soft
        critics = critic_step(critics, critic_adams, B["obs"], B["action"], y)
        targets = slow(targets, critics, TAU)

        noise = _noise(key, "actor", "improvement", "policy", shape=shape)
        (m, h), log_std = forward(mean, B["obs"]), forward(spread, B["obs"])[0]
        a, log_prob, _ = squashed(m, log_std, noise)
        q = q_values(critics, B["obs"], a)
        least = (q == q.min(0)).astype(float)
        # L = mean(alpha log pi - min Q); d log pi / du = 2 tanh(u), with the noise fixed.
        du = (alpha * 2 * a - q_slope(critics, B["obs"], a, least) * (1 - a**2)) / 6
        dstd = du * np.exp(log_std) * noise - alpha / 6
        if pull:
            du, dstd = (x / np.abs(q.min(0)).mean() for x in (du, dstd))
            du += pull * 2 * (np.tanh(m) - B["action"]) * (1 - np.tanh(m) ** 2) / m.size
        g_mean, _ = backward(mean, B["obs"], h, du)
        g_std, _ = backward(spread, B["obs"], h, dstd)
        grads = {
            "w": g_mean["w"] + g_std["w"], "b": g_mean["b"] + g_std["b"],
            "v": g_mean["v"], "c": g_mean["c"], "v2": g_std["v"], "c2": g_std["c"],
        }  # fmt: skip
        new = actor_adam.step({**mean, "v2": spread["v"], "c2": spread["c"]}, grads)
        mean = {k: new[k] for k in "wbvc"}
        spread = {"w": new["w"], "b": new["b"], "v": new["v2"], "c": new["c2"]}
        # L = alpha (H + A), with target entropy -A.
        slope = alpha * (-log_prob.mean() + SPEC.action_dim)
        raw = alpha_adam.step(raw, {"raw": slope})
    state = _ours(learner, start)
    actor = state.nets["actor"]
    _same(dense(actor.trunk, actor.mean), mean)
    _same(dense(actor.trunk, actor.spread), spread)
    for got, want in zip(_members(state.nets["critic"]), critics, strict=True):
        _same(got, want)
    for got, want in zip(_members(state.targets["critic"]), targets, strict=True):
        _same(got, want)
    np.testing.assert_allclose(state.nets["temperature"].raw, raw["raw"], rtol=1e-9)


@float64()
def test_td3_bc() -> None:
    learner = td3_bc.learner(
        weight=0.7, hidden=(8,), lr=LR, tau=TAU, discount=GAMMA, batch=6, normalise="none"
    )
    start = learner.init(jax.random.PRNGKey(2), SPEC)
    actor = dense(start.nets["actor"].trunk, start.nets["actor"].head)
    slow_actor, critics = actor, _members(start.nets["critic"])
    targets = _members(start.targets["critic"])
    critic_adams, actor_adam = [Adam(LR), Adam(LR)], Adam(LR)
    shape = (6, SPEC.action_dim)
    for i in range(UPDATES):
        critic_key = jax.random.fold_in(jax.random.fold_in(KEY, i), 0)
        noise = np.clip(0.2 * _noise(critic_key, "backup", "smoothing", shape=shape), -0.5, 0.5)
        a = np.clip(np.tanh(forward(slow_actor, B["next_obs"])[0]) + noise, -1, 1)
        y = B["reward"] + GAMMA * B["mask"] * q_values(targets, B["next_obs"], a).min(0)
        critics = critic_step(critics, critic_adams, B["obs"], B["action"], y)
        if (i + 1) % 2:
            continue
        targets = slow(targets, critics, TAU)
        m, h = forward(actor, B["obs"])
        a = np.tanh(m)
        q = q_values(critics, B["obs"], a)[0]
        first = np.stack([np.ones(6), np.zeros(6)])
        climb = q_slope(critics, B["obs"], a, first) / 6 / np.abs(q).mean()
        clone = 0.7 * 2 * (a - B["action"]) / a.size
        grads, _ = backward(actor, B["obs"], h, (clone - climb) * (1 - a**2))
        actor = actor_adam.step(actor, grads)
        slow_actor = slow([slow_actor], [actor], TAU)[0]
    state = _ours(learner, start)
    _same(dense(state.nets["actor"].trunk, state.nets["actor"].head), actor)
    _same(dense(state.targets["actor"].trunk, state.targets["actor"].head), slow_actor)
    for got, want in zip(_members(state.nets["critic"]), critics, strict=True):
        _same(got, want)
    for got, want in zip(_members(state.targets["critic"]), targets, strict=True):
        _same(got, want)


@float64()
def test_rebrac() -> None:
    learner = rebrac.learner(
        Fixed(0.7),
        critic_penalty=0.3,
        hidden=(8,),
        lr=LR,
        critic_lr=LR,
        tau=TAU,
        discount=GAMMA,
        batch=6,
    )
    learner = dataclasses.replace(learner, critic=CriticSpec(NetSpec((8,))))  # no LayerNorm
    assert 0 < B["followed"].sum() < 6  # one of these rows ends its episode
    start = learner.init(jax.random.PRNGKey(2), SPEC)
    actor = dense(start.nets["actor"].trunk, start.nets["actor"].head)
    slow_actor, critics = actor, _members(start.nets["critic"])
    targets = _members(start.targets["critic"])
    critic_adams, actor_adam = [Adam(LR), Adam(LR)], Adam(LR)
    shape = (6, SPEC.action_dim)
    for i in range(UPDATES):
        critic_key = jax.random.fold_in(jax.random.fold_in(KEY, i), 0)
        noise = np.clip(0.2 * _noise(critic_key, "backup", "smoothing", shape=shape), -0.5, 0.5)
        a = np.clip(np.tanh(forward(slow_actor, B["next_obs"])[0]) + noise, -1, 1)
        far = B["followed"] * ((a - B["next_action"]) ** 2).sum(-1)
        backup = q_values(targets, B["next_obs"], a).min(0) - 0.3 * far
        y = B["reward"] + GAMMA * B["mask"] * backup
        critics = critic_step(critics, critic_adams, B["obs"], B["action"], y)
        if (i + 1) % 2:
            continue
        targets = slow(targets, critics, TAU)
        m, h = forward(actor, B["obs"])
        a = np.tanh(m)
        q = q_values(critics, B["obs"], a)
        least = (q == q.min(0)).astype(float)
        climb = q_slope(critics, B["obs"], a, least) / 6 / np.abs(q.min(0)).mean()
        clone = 0.7 * 2 * (a - B["action"]) / 6
        grads, _ = backward(actor, B["obs"], h, (clone - climb) * (1 - a**2))
        actor = actor_adam.step(actor, grads)
        slow_actor = slow([slow_actor], [actor], TAU)[0]
    state = _ours(learner, start)
    _same(dense(state.nets["actor"].trunk, state.nets["actor"].head), actor)
    _same(dense(state.targets["actor"].trunk, state.targets["actor"].head), slow_actor)
    for got, want in zip(_members(state.nets["critic"]), critics, strict=True):
        _same(got, want)
