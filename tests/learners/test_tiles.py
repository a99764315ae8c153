"""The critics' step in tiles is the step on the whole batch."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import SPEC, logged, rows_of, tiny

from warmstart.learners import critic_step
from warmstart.replay import Layout
from warmstart.types import Clock


def _stepped(slab: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    learner = tiny("cal_ql", batch=24).pretrain[0].learner
    rows = rows_of(logged())
    batch = Layout.of(SPEC).unpack(jnp.asarray(rows[np.arange(24) % len(rows)]))
    state = learner.init(jax.random.PRNGKey(0), SPEC)
    clock, target = Clock(*(jnp.int32(i) for i in (0, 0, 1))), jnp.linspace(-3.0, 2.0, 24)
    monkeypatch.setattr(critic_step, "SLAB", slab)

    def step(state: Any) -> Any:
        key = jax.random.PRNGKey(1)
        return critic_step.descend_critic(learner, key, clock, state, batch, target)

    state, info = jax.jit(step)(state)
    return state.nets["critic"], info


@pytest.mark.parametrize("slab", [1, 40, 100])
def test_tiles_change_nothing_but_the_rounding(slab: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, info = _stepped(10_000, monkeypatch)
    tiled, same = _stepped(slab, monkeypatch)
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(tiled), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-6)
    assert info.keys() == same.keys()
    for name in info:
        np.testing.assert_allclose(info[name], same[name], rtol=1e-4, err_msg=name)
