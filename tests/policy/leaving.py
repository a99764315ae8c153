"""The policy folder of a method of the table, tiny and untrained, as a run would write it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from shelf import BOX, FLAT
from tiny import tiny

from warmstart.handover import Handover, hand_over
from warmstart.policy.carried import of_policy
from warmstart.policy.describe import acting_part
from warmstart.policy.folder import read_policy, write_policy
from warmstart.recipe import Recipe
from warmstart.state import State
from warmstart.types import Spec, Transition
from warmstart.views import View

SPEC = Spec(5, 3, 9)
"""Sizes of `shelf`."""


def _logged() -> Transition:
    """Forty rows of which statistics are taken."""
    rng = np.random.default_rng(0)
    rows = 40
    obs = rng.normal(1.0, 2.0, (rows, SPEC.obs_dim)).astype(np.float32)
    zeros = np.zeros(rows, np.float32)
    t = np.arange(rows, dtype=np.float32) % 10
    returns = rng.normal(size=rows).astype(np.float32)
    action = np.zeros((rows, SPEC.action_dim), np.float32)
    last = np.float32(t == 9)
    fields = (obs, action, returns, zeros + 1, obs, last, t, returns, zeros)
    return Transition(*(jnp.asarray(field) for field in fields))


def online_state(recipe: Recipe, spec: Spec = SPEC) -> State:
    """The first online state of a recipe: nothing is trained, but everything is handed over."""
    keys, rows, learner = iter(jax.random.split(jax.random.key(1), 9)), _logged(), None
    state: Any = None
    for stage in recipe.pretrain:
        before, learner = learner, stage.learner
        if before is None:
            state = learner.study(learner.init(next(keys), SPEC), rows)
        else:
            crossed = hand_over(next(keys), Handover(), before.handed(state), learner, SPEC)
            state = crossed.state.replace(pretrained={})
    online = recipe.finetune.learner
    if learner is None:
        state = online.study(online.init(next(keys), spec), rows)
    else:
        source = learner.handed(state)
        state = hand_over(next(keys), recipe.handover, source, online, SPEC).state
    return state.replace(signals={**state.signals, **recipe.acting.signals()})


def method_policy(path: Path, method: str) -> tuple[Path, View, Any]:
    """The folder, and the view and rule of which it was written.

    A correction has learnt something, and corrects the policy of another method.
    """
    recipe, corrects = tiny(method), method == "residual"
    wide = dataclasses.replace(SPEC, obs_dim=SPEC.obs_dim + SPEC.action_dim)
    state = online_state(recipe, wide if corrects else SPEC)
    if corrects:
        moved = jax.tree.map(lambda x: x + 0.2, state.nets["actor"])
        state = state.replace(nets={**state.nets, "actor": moved})
    rows = _logged()
    stats = {"mean": rows.obs.mean(0), "var": rows.obs.var(0)}
    state = state.replace(stats={**state.stats, **{k: stats[k] for k in stats if k in state.stats}})
    view, rule = recipe.finetune.learner.view(state), recipe.acting
    part, tensors = acting_part(view, rule)
    card = {
        "method": method,
        "task": "toy",
        "seed": 3,
        "observation": FLAT,
        "action": BOX,
        "reward": {"scale": 2.0, "bias": -0.5},
        "step": {"phase": "online", "stage": 0, "updates": 0, "env_steps": 0},
        "score_label": "return",
        **part,
    }
    if corrects:
        base = of_policy("before", read_policy(method_policy(path.with_name("base"), "cql")[0]))
        card, tensors = {**card, "base": base.told}, {**tensors, **base.tensors}
    write_policy(path, card, tensors)
    return path, view, rule
