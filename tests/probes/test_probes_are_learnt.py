"""Value learners reach the closed-form values of the five probe processes."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.learners import ActorCritic
from warmstart.methods import cql, iql, sac, td3
from warmstart.parts import Fixed
from warmstart.tasks.probes import PROBES
from warmstart.types import Clock, Spec, Transition

BATCH, UPDATES, GAMMA = 64, 1000, 0.9
COMMON: dict[str, Any] = {"hidden": (32,), "batch": BATCH, "discount": GAMMA, "tau": 0.05}
LEARNERS: dict[str, ActorCritic] = {
    "sac": sac.learner(**COMMON, actor_lr=3e-3, critic_lr=1e-2, entropy_backup=False),
    "redq": sac.learner(
        **COMMON, actor_lr=3e-3, critic_lr=1e-2, entropy_backup=False,
        members=4, subset=2, aggregate="mean", minibatches=2,
    ),
    "cql": cql.learner(**COMMON, actor_lr=3e-3, critic_lr=1e-2, weight=0.0, proposals=2),
    "td3": td3.learner(**COMMON, lr=5e-3),
    "iql": iql.learner(**COMMON, lr=5e-3, expectile=0.7),
}  # fmt: skip


def _logged(probe: Any, count: int = 512) -> Transition:
    """Rows of uniformly random behaviour."""

    def episode(key: jax.Array) -> Transition:
        state, obs = probe.reset(key)
        rows = []
        for t in range(probe.spec.horizon):
            action = jax.random.uniform(jax.random.fold_in(key, t), (1,), minval=-1.0, maxval=1.0)
            state, after, reward, terminated, _, _ = probe.step(state, action)
            end = jnp.float32(terminated)
            rows.append(
                Transition(obs, action, reward, 1 - end, after, end, t * 1.0, -jnp.inf, 0.0)
            )
            obs = after
        return jax.tree.map(lambda *x: jnp.stack([jnp.asarray(y, jnp.float32) for y in x]), *rows)

    rows = jax.vmap(episode)(jax.random.split(jax.random.PRNGKey(0), count))
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), rows)


def _learnt(learner: ActorCritic, rows: Transition) -> Any:
    def body(i: jax.Array, state: Any) -> Any:
        key = jax.random.fold_in(jax.random.PRNGKey(1), i)
        pick = jax.random.randint(key, (learner.minibatches, BATCH), 0, len(rows.reward))
        clock = Clock(i * learner.minibatches, jnp.int32(0), jnp.int32(UPDATES))
        return learner.update(key, clock, state, jax.tree.map(lambda x: x[pick], rows))[0]

    start = learner.init(jax.random.PRNGKey(2), Spec(1, 1))
    return jax.jit(lambda s: jax.lax.fori_loop(0, UPDATES, body, s))(start)


def _examine(name: str, probe_name: str) -> None:
    learner, probe = LEARNERS[name], PROBES[probe_name]()
    rows = _logged(probe)
    view = learner.view(_learnt(learner, rows))
    got = view.q(rows.obs, rows.action)
    want = probe.q(rows.obs, rows.action, GAMMA)
    np.testing.assert_allclose(got, jnp.broadcast_to(want, got.shape), atol=0.12)
    assert np.mean(np.abs(got - want)) < 0.04
    if probe_name in ("action", "observed-action") and name != "iql":
        best = 0.5 if probe_name == "action" else 0.5 * rows.obs
        np.testing.assert_allclose(view.policy(rows.obs).mode(), best, atol=0.25, rtol=0)


@pytest.mark.parametrize(("name", "probe"), [("td3", "delayed"), ("sac", "action")])
def test_a_representative(name: str, probe: str) -> None:
    _examine(name, probe)


@pytest.mark.laws
@pytest.mark.parametrize("probe", sorted(PROBES))
@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_every_value_learner_on_every_probe(name: str, probe: str) -> None:
    _examine(name, probe)


def test_fixed_weight_of_cql_is_zero() -> None:
    """The probes ask for the plain value, which a conservative critic must not have."""
    assert LEARNERS["cql"].conservatism.weight == Fixed(0.0)
