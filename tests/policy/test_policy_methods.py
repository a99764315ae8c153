"""Every method of the table acts in NumPy as it does in JAX: the table of docs/export.md."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from leaving import SPEC, method_policy
from shelf import HIGH, LOW, OBS, boxed, put, state_of

import warmstart as ws
from warmstart.acting import BestOf, ByValue, Desired, OpenLoop, Sampled
from warmstart.errors import RunError
from warmstart.methods import METHODS
from warmstart.nets.spec import NetSpec
from warmstart.nets.steered import SteeredPolicySpec
from warmstart.parts.backup import reduced
from warmstart.policy.graph import require_one_step
from warmstart.types import Clock, Step
from warmstart.views import View

DOCS = Path(__file__).parents[2] / "docs" / "export.md"
OBSERVED = (3.0 * np.random.default_rng(0).standard_normal((64, OBS))).astype(np.float32)
CLOCK = Clock(jnp.int32(5), jnp.int32(7), jnp.int32(9))
STEPS = 4


Made = Callable[[str], tuple[Path, Any, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The folder of a method's policy, its view and its rule; made once."""
    folder = tmp_path_factory.mktemp("policies")
    return functools.cache(lambda method: method_policy(folder / method, method))


def best_of_fixed_draws(view: Any, rule: BestOf, obs: Any) -> Any:
    """What `BestOf` does in NumPy's evaluation, whose noise is the same at every step."""
    width = view.policy(obs).net.actions
    noise = np.random.default_rng(0).standard_normal((rule.candidates, 1, width), np.float32)
    drawn = view.policy(obs).made(jnp.broadcast_to(noise, (rule.candidates, len(obs), width)))
    judged = reduced(view.critic().call_actions(view.obs(obs), drawn), rule.pessimism)
    return drawn[jnp.argmax(judged, axis=0), jnp.arange(len(obs))]


def test_a_steered_generator_that_has_learnt(tmp_path: Path) -> None:
    """Its mode is JAX's, and its draws are spread as JAX's are."""
    spec = SteeredPolicySpec(NetSpec((16,)), 3, noise=NetSpec((8,)), limit=1.5)
    net = jax.tree.map(lambda x: x + 0.1, spec.build(jax.random.key(3), OBS, len(LOW)))
    folder = put(tmp_path / "p", View(state_of(net), "steered", "none"), Sampled())
    policy = ws.load_policy(folder)
    there: Any = net(jnp.asarray(OBSERVED))
    np.testing.assert_allclose(policy.act(OBSERVED), boxed(np.asarray(there.mode())), atol=1e-4)
    many = np.broadcast_to(OBSERVED[:1], (4_000, OBS))
    ours = policy.sample(many, np.random.default_rng(0))
    theirs = boxed(np.asarray(net(jnp.asarray(many)).sample(jax.random.key(1))))
    assert np.ptp(ours, axis=0).min() > 0.0
    np.testing.assert_allclose(ours.mean(0), theirs.mean(0), atol=0.06 * (HIGH - LOW).max())
    np.testing.assert_allclose(ours.std(0), theirs.std(0), rtol=0.1, atol=1e-3)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_an_episode_in_numpy_is_that_in_jax(made: Made, method: str) -> None:
    folder, view, rule = made(method)
    if isinstance(rule, ByValue):  # the choice that evaluation draws now and then
        rule = dataclasses.replace(rule, epsilon=0.0)
    if isinstance(rule, Sampled):  # the draws of a run's own evaluation
        rule = dataclasses.replace(rule, evaluate="mode")
    if isinstance(rule, OpenLoop) and isinstance(rule.rule, Sampled):
        rule = dataclasses.replace(rule, rule=Sampled())
    best, h = (rule.rule, rule.length) if isinstance(rule, OpenLoop) else (rule, 1)
    policy, chunk = ws.load_policy(folder), np.zeros(0)
    memory, state = rule.init(len(OBSERVED), SPEC), None
    for t in range(STEPS):
        obs = OBSERVED + 0.3 * t
        paid = jnp.full(len(obs), 2.0 * t - 0.5)
        step = Step(jnp.asarray(policy.seen(obs)), paid, jnp.full(len(obs), float(t == 0)))
        if isinstance(best, BestOf):
            if t % h == 0:
                chunk = best_of_fixed_draws(view, best, jnp.asarray(obs))
            unit = np.asarray(chunk).reshape(len(obs), h, -1)[:, t % h]
        else:
            unit, memory = rule(jax.random.key(1), CLOCK, view, memory, step, "evaluate")
        reward = float(t) if isinstance(rule, Desired) and t else None
        action, state = policy.predict(obs, state, t == 0, reward=reward)
        gap = 2.0 * np.abs(action - boxed(unit)) / (HIGH - LOW)
        near = (gap < 1e-5).all(axis=1)
        # where two values are equal up to rounding either policy may act
        assert near.all() or (isinstance(rule, ByValue) and near.mean() > 0.98), gap.max()
        assert np.ptp(action, axis=0).min() > 0.0


def listed() -> dict[str, tuple[str, str]]:
    """Methods of the table in docs/export.md, with what it says of NumPy and ONNX."""
    found: dict[str, tuple[str, str]] = {}
    for line in DOCS.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and re.match(r"`\w+`", cells[0]):
            for name in re.findall(r"`(\w+)`", cells[0]):
                found[name] = cells[2], cells[3]
    return found


def test_the_table_of_the_page_is_what_happens(made: Made) -> None:
    told = listed()
    assert sorted(told) == sorted(METHODS)
    for method, (numpy, onnx) in told.items():
        actor = ws.load_policy(made(method)[0])
        assert numpy == ("`act`" if not actor.rule.remembers(False) else "`predict`"), method
        try:
            require_one_step(actor)
        except RunError as refused:
            assert onnx.startswith("no") and f"a policy of {method} has no ONNX form" in str(
                refused
            )
        else:
            assert onnx == "yes", method
