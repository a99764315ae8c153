"""A changed equation changes a golden trace: each of these faults is one that it would find.

The first update shows it in its losses, or one of the next in what the gradients made of them.
Nothing is compiled, since every fault would be a program of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from make import learner_of, trace
from test_golden import TRACES, compare

from warmstart import views
from warmstart.learners import actor_critic, chunked, critic_step, on_policy, target_networks
from warmstart.nets import distributions
from warmstart.nets import transformer as sequence
from warmstart.parts import (
    backup,
    conservatism,
    constraint,
    expansion,
    flow,
    improvement,
    model_fit,
    value_fit,
    weights,
)


def _negative(f: Any) -> Any:
    return lambda *args, **more: -f(*args, **more)


def _reversed(f: Any) -> Any:
    """The first argument with the other sign."""
    return lambda first, *args, **more: f(-first, *args, **more)


def _both(f: Any) -> Any:
    """A minimum becomes a maximum."""
    return lambda q: -f(-q)


def _unmasked(f: Any) -> Any:
    return lambda reward, mask, *args: f(reward, jnp.ones_like(mask), *args)


def _first(f: Any) -> Any:
    """Nothing is done to the first argument."""
    del f
    return lambda first, *args, **more: first


def _upward(f: Any) -> Any:
    """A learned weight moves the other way."""
    return lambda weight, *args: f(dataclasses.replace(weight, sign=-weight.sign), *args)


UPDATES = {
    "rebrac pretrain": 3,
    "sac online": 2,
    "td3 online": 3,
    "td3_bc pretrain": 2,
    "td3_c online": 4,
}
"""Where one is too few: a weight is told before its step, an actor waits for the second update, a
slow copy follows later, and a trust region is empty at first."""

Fault = tuple[Any, str, Callable[[Any], Any]]
"""Where a function stands, its name there, and what is made of it."""

FAULTS: dict[str, list[Fault]] = {
    "sac online": [
        (backup, "soft_value", lambda f: lambda q, log_prob, t: f(q, log_prob, -t)),
        (improvement, "soft_policy_loss", _negative),
        (weights.Learned, "step", _upward),
    ],
    "td3 online": [
        (backup, "smoothing_noise", lambda f: lambda noise, *args: jnp.zeros_like(noise)),
        (improvement, "deterministic_policy_loss", _negative),
        (target_networks, "polyak", lambda f: lambda slow, net, tau: f(net, slow, tau)),
    ],
    "td3_bc pretrain": [(constraint, "cloning_error", _negative)],
    "td3_c online": [(constraint, "squared_distance", _negative)],
    "rebrac pretrain": [
        (backup, "anchored_value", _first),
        (improvement, "deterministic_policy_loss", _negative),
        (constraint, "squared_distance", _negative),
    ],
    "fql pretrain": [
        (flow, "flow_matching_loss", _negative),
        (flow, "between", lambda f: lambda start, end, t: f(end, start, t)),
        (flow, "cloning_error", _negative),
        (improvement, "deterministic_policy_loss", _negative),
        (backup, "reduced", lambda f: lambda q, pessimism: f(q, None)),
    ],
    "ifql pretrain": [
        (flow, "flow_matching_loss", _negative),
        (value_fit, "expectile_loss", lambda f: lambda u, tau: f(u, 1.0 - tau)),
    ],
    "ppo online": [
        (on_policy, "generalised_advantage", _negative),
        (on_policy, "ratio_of", lambda f: lambda new, old: f(old, new)),
    ],
    "qc_fql pretrain": [
        (chunked, "discounted_sum", lambda f: lambda pay, there, g: f(pay, there, 1.0)),
        (chunked, "whole_mask", lambda f: lambda mask, there: 1 + 0 * f(mask, there)),
        (chunked, "known_target", lambda f: lambda mask, there: 1 + 0 * mask),
        (flow, "flow_matching_loss", lambda f: lambda v, x0, x1, weight: f(v, x0, x1)),
        (critic_step, "squared_td", lambda f: lambda q, y, weight: f(q, y)),
    ],
    "bc pretrain": [(constraint, "cloning_error", _negative)],
    "rlpd online": [(actor_critic, "td_target", _unmasked)],
    "redq online": [(backup, "draw_members", lambda f: lambda *args: None)],
    "simba online": [(actor_critic, "merge_stats", _first)],
    "cql pretrain": [
        (conservatism, "uniform_log_density", lambda f: lambda dims: 0.0),
        (conservatism, "soft_maximum", _reversed),
    ],
    "cal_ql pretrain": [(conservatism, "calibrate", _first)],
    "wsrl pretrain": [(conservatism, "calibrate", _first)],
    "iql pretrain": [
        (value_fit, "expectile_loss", lambda f: lambda u, tau: f(u, 1.0 - tau)),
        (improvement, "advantage_weight", _reversed),
    ],
    "awac pretrain": [(improvement, "advantage_weight", _reversed)],
    "pex online": [(expansion, "advantage_weight", _reversed)],
    "aca pretrain": [(value_fit, "aligned_target", lambda f: lambda *x: f(*x[:-1], -x[-1]))],
    "aca online": [(views, "soft_floor", _negative)],
    "off2on pretrain": [(conservatism, "soft_maximum", _reversed)],
    "off2on online": [(backup, "pairwise_minimum", _both)],
    "upq online": [(backup, "pessimistic_value", lambda f: lambda q, beta: f(q, -beta))],
    "mopo pretrain": [
        (model_fit, "model_loss", lambda f: lambda mean, log_var, *args: f(mean, -log_var, *args))
    ],
    "mopo online": [(backup, "soft_value", lambda f: lambda q, log_prob, t: q)],
    "odt pretrain": [
        (sequence, "drop", lambda f: lambda key, number, x, rate: x),
        (distributions, "squashed_log_prob", _negative),
    ],
}


DEAR = {
    "odt pretrain", "qc_fql pretrain", "fql pretrain", "ppo online", "off2on pretrain",
    "off2on online", "mopo pretrain", "rebrac pretrain", "simba online", "rlpd online",
}  # fmt: skip
"""Those of many operations, each of which is executed alone here."""


@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=pytest.mark.laws if c in DEAR else ()) for c in FAULTS]
)
def test_a_changed_equation_changes_them(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    learner, updates = learner_of(*case.split()), UPDATES.get(case, 1)

    def update(*args: Any) -> Any:
        with jax.disable_jit():
            return learner.update(*args)

    compare(trace(learner, updates, update=update), TRACES[case])
    for where, name, changed in FAULTS[case]:
        with monkeypatch.context() as patch:
            patch.setattr(where, name, changed(getattr(where, name)))
            ours = trace(learner, updates, update=update)
        with pytest.raises(AssertionError, match="update"):
            compare(ours, TRACES[case])
            pytest.fail(f"nobody saw that {name} was changed")
