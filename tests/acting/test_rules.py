"""Who acts, and when."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import SPEC, tiny

from warmstart.acting import ByValue, JumpStart, Optimistic
from warmstart.engine.online import frozen, untrained
from warmstart.types import Clock, Evaluated, Step
from warmstart.views import View

CLOCK = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(1))
B = 400


def _view(method: str, **signals: Any) -> View:
    """A learner and a frozen policy that are two different networks."""
    learner = tiny(method).finetune.learner
    state = learner.init(jax.random.PRNGKey(0), SPEC)
    other = learner.init(jax.random.PRNGKey(1), SPEC)
    pretrained = {"actor": other.nets["actor"], "stats": other.stats}
    return learner.view(state.replace(pretrained=pretrained, signals=signals))


def _step(first: float = 1.0) -> Step:
    obs = jax.random.normal(jax.random.PRNGKey(2), (B, 3))
    return Step(obs, jnp.zeros(B), jnp.full(B, first))


def _act(rule: Any, view: View, mode: Any, memory: Any = (), step: Step | None = None) -> Any:
    return rule(jax.random.PRNGKey(3), CLOCK, view, memory, step or _step(), mode)


def test_the_choice_by_value_follows_the_softmax_of_q() -> None:
    view, step = _view("pex"), _step()
    action, _ = _act(ByValue(10.0), view, "explore")
    pretrained = view.pretrained(step.obs).mode()
    is_prior = np.all(np.asarray(action) == np.asarray(pretrained), axis=-1)
    share = is_prior.mean()
    # Independent numbers: the learner's draws are the rule's own, where it was chosen.
    q = np.asarray(jnp.min(view.q(step.obs, action), axis=0), np.float64)
    q_prior = np.asarray(jnp.min(view.q(step.obs, pretrained), axis=0), np.float64)
    assert 0.05 < share < 0.95
    # Where the learner was chosen its value is better than the pretrained policy's on average.
    assert (q - q_prior)[~is_prior].mean() > 0


def test_a_better_policy_is_chosen_more_often_in_evaluation() -> None:
    view, step = _view("pex"), _step()
    action, _ = _act(ByValue(10.0, epsilon=0.1), view, "evaluate")
    pretrained, own = view.pretrained(step.obs).mode(), view.policy(step.obs).mode()
    q = [np.asarray(jnp.min(view.q(step.obs, a), axis=0)) for a in (pretrained, own)]
    best = np.where((q[1] > q[0])[:, None], own, pretrained)
    greedy = np.all(np.isclose(action, best), axis=-1).mean()
    assert greedy > 0.8  # 0.9 * 0.9, and half of what is drawn


@pytest.mark.parametrize("optimism", [0.0, 2.0])
def test_the_optimistic_action_has_the_best_score(optimism: float) -> None:
    view, step = _view("o3f"), _step()
    action, _ = _act(Optimistic(50, 0.2, optimism), view, "explore")
    mode, _ = _act(Optimistic(50, 0.2, optimism), view, "evaluate")
    np.testing.assert_array_equal(mode, view.policy(step.obs).mode())

    def score(a: Any) -> np.ndarray:
        q = np.asarray(view.q(step.obs, a), np.float64)
        return q.mean(axis=0) + optimism * q.std(axis=0)

    assert np.all(score(action) >= score(mode) - 1e-5)
    assert (score(action) - score(mode)).mean() > 1e-3
    assert np.all(np.abs(action) <= 1.0)


def _told(rule: JumpStart, *events: tuple[float, float, float]) -> dict[str, Any]:
    signals = rule.signals()
    for event in events:
        signals = rule.observe(signals, Evaluated(*(jnp.float32(x) for x in event)))
    return signals


def test_the_horizon_shrinks_only_on_success() -> None:
    rule = JumpStart(stages=4, window=1, tolerance=0.1)

    def horizon(*scores: float) -> float:
        told = _told(rule, (1.0, 100.0, 1.0), *((s, 50.0, 0.0) for s in scores))
        return float(rule.horizon(_view("jsrl", **told)))

    assert np.isinf(float(rule.horizon(_view("jsrl", **rule.signals()))))
    assert horizon() == 100.0
    assert horizon(1.0) == 75.0
    assert horizon(0.95) == 75.0  # within the tolerance
    assert horizon(0.8) == 100.0
    assert horizon(1.0, 0.5, 0.5) == 75.0
    assert horizon(1.0, 0.5, 0.95) == 50.0
    assert horizon(*[1.0] * 9) == 0.0


def test_the_guide_acts_for_the_horizon_and_then_the_learner() -> None:
    rule = JumpStart(stages=4, window=1)
    view = _view("jsrl", **_told(rule, (1.0, 4.0, 1.0), (1.0, 4.0, 0.0)))  # h = 3
    memory = rule.init(B, SPEC)
    obs = _step().obs
    guide, own = view.pretrained(obs).mode(), view.policy(obs).mode()
    for t in range(5):
        action, memory = _act(rule, view, "evaluate", memory, _step(float(t == 0)))
        np.testing.assert_array_equal(action, guide if t < 3 else own)


def test_random_horizons_are_the_stages_and_the_roll_in_is_geometric() -> None:
    rule = JumpStart("random", stages=4)
    view = _view("jsrl", **_told(rule, (1.0, 8.0, 1.0)))
    _, memory = _act(rule, view, "explore", rule.init(B, SPEC))
    lengths, counts = np.unique(memory["guided"], return_counts=True)
    assert lengths.tolist() == [2.0, 4.0, 6.0, 8.0] and counts.min() > B / 8
    rolled = JumpStart("roll_in", probability=0.9, keep=0.5)
    view = _view("jsrl", **rolled.signals())
    _, memory = _act(rolled, view, "explore", rolled.init(B, SPEC))
    lengths = np.asarray(memory["guided"])
    assert abs((lengths > 0).mean() - 0.9) < 0.06
    assert abs(lengths[lengths > 0].mean() - 2.0) < 0.3  # 1 / (1 - keep)
    action, _ = _act(rolled, view, "evaluate", memory)
    np.testing.assert_array_equal(action, view.policy(_step().obs).mode())


def test_before_the_switch_the_one_policy_acts() -> None:
    view = _view("pex")
    alone = View(view.state.replace(pretrained={}), view.kind, view.normalise)
    for rule in (ByValue(), JumpStart()):
        action, _ = _act(rule, alone, "evaluate", rule.init(B, SPEC))
        np.testing.assert_array_equal(action, alone.policy(_step().obs).mode())
    assert frozen(view).state.nets["actor"] is view.state.pretrained["actor"]


@pytest.mark.parametrize("other", [frozen, untrained])
def test_another_actor_in_a_view_changes_the_actor_alone(other: Any) -> None:
    """Aligned critics judge in the warm-up as they will afterwards."""
    learner = tiny("aca").finetune.learner
    view = _view("aca", **learner.signals())
    state = view.state
    drawn = learner.init(jax.random.PRNGKey(5), SPEC).nets["actor"]
    view = dataclasses.replace(
        view, state=state.replace(pretrained={**state.pretrained, "untrained": drawn})
    )
    seen = other(view)
    for field in dataclasses.fields(View):
        if field.name not in ("state", "alone"):
            assert getattr(seen, field.name) == getattr(view, field.name), field.name
    assert view.width is not None
    obs, action = _step().obs, jax.random.uniform(jax.random.PRNGKey(6), (B, 2), minval=-0.9)
    np.testing.assert_array_equal(seen.q(obs, action), view.q(obs, action))
    assert not np.array_equal(seen.policy(obs).mode(), view.policy(obs).mode())


def test_an_untrained_policy_acts_without_the_frozen_one() -> None:
    view = _view("pex")
    own = view.state.nets["actor"]
    with_drawn = view.state.replace(pretrained={**view.state.pretrained, "untrained": own})
    seen = untrained(dataclasses.replace(view, state=with_drawn))
    for rule in (ByValue(), JumpStart()):
        action, _ = _act(rule, seen, "evaluate", rule.init(B, SPEC))
        np.testing.assert_array_equal(action, view.policy(_step().obs).mode())
