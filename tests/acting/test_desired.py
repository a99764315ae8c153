"""Acting on a desired return: what the context holds, and that environments keep apart."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.acting import Desired
from warmstart.learners import SequenceCloning
from warmstart.nets.sequence_spec import SequenceSpec
from warmstart.types import Clock, Spec, Step

SPEC = Spec(2, 1, 9)
LEARNER = SequenceCloning(SequenceSpec("gaussian", layers=1, width=4))
STATE = LEARNER.init(jax.random.key(0), SPEC)
STATE = STATE.replace(
    stats={**STATE.stats, "return_low": jnp.float32(-10), "return_high": jnp.float32(30)}
)
CLOCK = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(1))


def _play(rule: Desired, steps: list[tuple[Any, Any, Any]], mode: Any = "evaluate") -> list[Any]:
    """(action, context) after each step, for lists of obs, last reward and first."""
    memory, seen = rule.init(len(steps[0][1]), SPEC), []
    for obs, reward, first in steps:
        step = Step(*(jnp.asarray(x, jnp.float32) for x in (obs, reward, first)))
        view = LEARNER.view(STATE)
        action, memory = rule(jax.random.key(1), CLOCK, view, memory, step, mode)
        seen.append((np.asarray(action), jax.tree.map(np.asarray, memory)))
    return seen


def _steps(count: int, ends: tuple[int, ...] = ()) -> list[Any]:
    return [
        ([[t, t], [-t, t]], [2.0, 0.5], [t == 0 or t in ends, t == 0]) for t in range(count)
    ]  # fmt: skip


def test_the_context_is_the_last_steps_with_the_return_that_is_still_wanted() -> None:
    seen = _play(Desired(0.5, length=3), _steps(5))
    action, context = seen[-1]
    assert context.returns.tolist() == [[6, 4, 2], [9, 8.5, 8]]  # 0.5 is 10
    assert context.t.tolist() == [[2, 3, 4]] * 2
    assert context.obs[1].tolist() == [[-2, 2], [-3, 3], [-4, 4]]
    np.testing.assert_array_equal(context.action[:, -1], action)
    np.testing.assert_array_equal(context.action[:, 0], seen[2][0])


def test_a_new_episode_sees_nothing_of_the_one_before() -> None:
    rule = Desired(0.5, length=3)
    ended = _play(rule, _steps(4, ends=(3,)))
    context = ended[-1][1]
    assert context.t.tolist() == [[-1, -1, 0], [1, 2, 3]]
    assert context.returns[0, -1] == 10
    first = [([[3, 3], [-3, 3]], [2.0, 0.5], [1, 1])]
    np.testing.assert_allclose(ended[-1][0][0], _play(rule, first)[0][0][0], rtol=1e-5)


def test_many_environments_act_as_each_one_alone() -> None:
    rule, steps = Desired(0.7, length=3), _steps(5, ends=(2,))
    both = _play(rule, steps)
    for i in range(2):
        alone = _play(rule, [tuple(x[i : i + 1] for x in step) for step in steps])
        for (action, _), (own, _) in zip(both, alone, strict=True):
            np.testing.assert_allclose(action[i], own[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("rule", "mode", "want"),
    [
        (Desired(1.0), "evaluate", 30.0),
        (Desired(1.0, 2.0), "explore", 70.0),
        (Desired(1.0), "explore", 30.0),
        (Desired(3600.0, 7200.0, "reward"), "evaluate", 3600.0),
        (Desired(3600.0, 7200.0, "reward"), "explore", 7200.0),
    ],
)
def test_what_is_asked_for(rule: Desired, mode: Any, want: float) -> None:
    assert _play(rule, _steps(1), mode)[0][1].returns[:, -1].tolist() == [want, want]


def test_it_explores_by_a_draw_and_evaluates_by_the_mode() -> None:
    step, rule = _steps(1), Desired()
    draws = [
        rule(jax.random.key(k), CLOCK, LEARNER.view(STATE), rule.init(2, SPEC),
             Step(*(jnp.asarray(x, jnp.float32) for x in step[0])), mode)[0]
        for k, mode in ((0, "explore"), (1, "explore"), (0, "evaluate"), (1, "evaluate"))
    ]  # fmt: skip
    assert not np.allclose(draws[0], draws[1])
    np.testing.assert_array_equal(draws[2], draws[3])
