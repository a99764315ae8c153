"""Chunks are executed to their end, and dropped where the world went another way."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import SPEC, tiny

from warmstart.acting import BestOf, JumpStart, OpenLoop, RemembersActions, Sampled
from warmstart.errors import RecipeError
from warmstart.types import Clock, Step
from warmstart.views import View

CLOCK = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(1))
B, H = 4, 3


def _view(method: str = "qc") -> View:
    learner = tiny(method).finetune.learner
    return learner.view(learner.init(jax.random.PRNGKey(0), SPEC))


def _step(t: int, first: Any = 0.0) -> Step:
    obs = jax.random.normal(jax.random.fold_in(jax.random.PRNGKey(2), t), (B, 3))
    return Step(obs, jnp.zeros(B), jnp.broadcast_to(jnp.float32(first), (B,)))


def _asked(rule: Any, view: View, t: int, first: Any = 0.0) -> np.ndarray:
    """What the rule inside says at a step [B, H, A]."""
    chunk, _ = rule.rule(jax.random.PRNGKey(t), CLOCK, view, (), _step(t, first), "explore")
    return np.asarray(chunk).reshape(B, H, 2)


def _act(rule: Any, view: View, memory: Any, t: int, first: Any = 0.0, mode: Any = "explore"):
    return rule(jax.random.PRNGKey(t), CLOCK, view, memory, _step(t, first), mode)


@pytest.mark.parametrize("inner", [Sampled("sample"), BestOf(4, 0.0)])
@pytest.mark.parametrize("mode", ["explore", "evaluate"])
def test_a_chunk_is_executed_to_its_end_and_then_the_next_one(inner: Any, mode: Any) -> None:
    rule, view = OpenLoop(inner, H), _view()
    memory, shown = rule.init(B, SPEC), []
    for t in range(2 * H):
        action, memory = _act(rule, view, memory, t, float(t == 0), mode)
        shown.append(np.asarray(action))
    want = np.concatenate([_asked(rule, view, t, float(t == 0)) for t in (0, H)], axis=1)
    np.testing.assert_array_equal(np.stack(shown, axis=1), want)


def test_an_episode_that_begins_drops_what_was_left_and_others_go_on() -> None:
    rule, view = OpenLoop(Sampled("sample"), H), _view()
    _, memory = _act(rule, view, rule.init(B, SPEC), 0, 1.0)
    first = jnp.asarray([0.0, 1.0, 0.0, 1.0])
    action, memory = _act(rule, view, memory, 1, first)
    old, new = _asked(rule, view, 0, 1.0), _asked(rule, view, 1, first)
    np.testing.assert_array_equal(action, np.stack([old[0, 1], new[1, 0], old[2, 1], new[3, 0]]))
    np.testing.assert_array_equal(memory["left"], [1, 2, 1, 2])
    action, memory = _act(rule, view, memory, 2)
    np.testing.assert_array_equal(action, np.stack([old[0, 2], new[1, 1], old[2, 2], new[3, 1]]))
    action, memory = _act(rule, view, memory, 3)
    again = _asked(rule, view, 3)
    np.testing.assert_array_equal(action[::2], again[::2, 0])
    np.testing.assert_array_equal(action[1::2], new[1::2, 2])


def test_where_something_else_was_executed_the_rest_of_the_chunk_is_dropped() -> None:
    rule, view = OpenLoop(Sampled("sample"), H), _view()
    assert isinstance(rule, RemembersActions)
    _, memory = _act(rule, view, rule.init(B, SPEC), 0, 1.0)
    memory = rule.executed(memory, jnp.zeros((B, 2)))
    action, _ = _act(rule, view, memory, 1)
    np.testing.assert_array_equal(action, _asked(rule, view, 1)[:, 0])


def test_the_policy_is_not_asked_in_between() -> None:
    """What costs is behind a branch: a chunk of five costs a fifth."""
    rule, view = OpenLoop(Sampled("sample"), H), _view()
    calls = []

    def counted(key: Any, *args: Any) -> Any:
        jax.debug.callback(lambda: calls.append(1))
        return Sampled("sample")(key, *args)

    object.__setattr__(rule, "rule", counted)
    memory = rule.init(B, SPEC)
    program = jax.jit(lambda m, s: rule(jax.random.PRNGKey(0), CLOCK, view, m, s, "explore"))
    for t in range(2 * H):
        _, memory = program(memory, _step(t, float(t == 0)))
    jax.effects_barrier()
    assert len(calls) == 2


def test_it_reads_what_its_rule_reads_and_asks_none_that_remembers() -> None:
    assert OpenLoop(BestOf(4), 2).reads == ("actor", "critic")
    assert OpenLoop(Sampled(), 2).reads == ("actor",)
    with pytest.raises(RecipeError, match=r"JumpStart remembers .* set acting\.rule=Sampled"):
        OpenLoop(JumpStart())
