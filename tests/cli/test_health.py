"""The signs of life that a run watches: what is bad is said once, and what is well is not."""

from __future__ import annotations

import dataclasses
import shlex
from typing import Any

import numpy as np
import pytest

from warmstart.api import Declared, declare
from warmstart.api.health import Signs, reward_scale
from warmstart.commands.arguments import declared as numbers_of
from warmstart.commands.parse import parse
from warmstart.engine import Problem, RunEvent
from warmstart.replay import Layout
from warmstart.tasks import custom_task
from warmstart.tasks.reward import RewardTransform
from warmstart.types import Spec

SPEC = Spec(obs_dim=3, action_dim=2, horizon=200)


def problem() -> Problem:
    """Rewards in [-16, 0]."""
    rng, layout = np.random.default_rng(0), Layout.of(SPEC)
    rows = rng.normal(size=(500, layout.width)).astype(np.float32)
    rows[:, layout.scalars] = rng.uniform(-16.0, 0.0, 500)
    return Problem(SPEC, lambda: None, RewardTransform(), "finite", 0.0, rows=rows)  # type: ignore[return-value,arg-type]


def own(method: str, **changes: Any) -> Declared:
    task = custom_task("Pendulum-v1", data_path="logs.npz")
    return declare(method, task, preset="quick", changes=changes)


def event(
    kind: str, phase: str = "pretrain", seed: int = 0, tag: Any = None, **values: Any
) -> RunEvent:
    return RunEvent(kind, phase, 0, 100, 0, values, seed, tag)


def said(signs: Signs, *events: RunEvent) -> dict[str, str]:
    return {new.values["name"]: new.values["text"] for one in events for new in signs.see(one)}


def tried(told: str, given: Declared) -> Any:
    """The recipe with the change that a sentence names."""
    words = shlex.split(told[told.index("--") :].rstrip("."))
    options = parse(["run", given.method, "jax-pointmass", *words])
    changes = numbers_of(options)["changes"]
    return declare(given.method, "jax-pointmass", preset="quick", changes=changes).recipe


def test_saturated_weights_name_the_scale_that_mends() -> None:
    signs = Signs(own("iql"), problem())
    bad = event("train", advantage_weight=12.0, q_mean=-300.0)
    assert said(signs, bad) == {}  # a beginning is no alarm
    told = said(signs, bad)["saturated-weights"]
    assert "mean advantage weight is 12" in told and "largest possible one 100" in told
    assert told.endswith("try --reward-scale 0.05.")
    assert said(signs, bad, bad, bad) == {}  # once
    assert "saturated-weights" in said(signs, event("train", seed=1, advantage_weight=9.0), *[
        event("train", seed=1, advantage_weight=9.0)])  # fmt: skip


def test_rewards_that_are_small_already_are_not_made_larger() -> None:
    """Advantages may be large where single rewards hardly differ."""
    small = problem()
    assert small.rows is not None
    small.rows[:, Layout.of(SPEC).scalars] *= 0.01
    given, bad = own("iql"), event("train", advantage_weight=12.0)
    told = said(Signs(given, small), bad, bad)["saturated-weights"]
    assert "--reward-scale" not in told
    assert tried(told, given).finetune.learner.improvement.beta == pytest.approx(
        given.recipe.finetune.learner.improvement.beta / 10
    )


def test_what_was_said_is_remembered_over_a_stop() -> None:
    signs, bad = Signs(own("iql"), problem()), event("train", advantage_weight=12.0)
    said(signs, bad)
    signs = Signs(own("iql"), problem(), signs.state())
    assert "saturated-weights" in said(signs, bad)
    assert said(Signs(own("iql"), problem(), signs.state()), bad, bad) == {}


def test_where_the_task_is_given_the_methods_own_number_is_named() -> None:
    given = declare("iql", "jax-pointmass", preset="quick")
    bad = event("train", advantage_weight=12.0)
    told = said(Signs(given, problem()), bad, bad)["saturated-weights"]
    before = given.recipe.finetune.learner.improvement.beta
    after = tried(told, given).finetune.learner.improvement.beta
    assert after == pytest.approx(before / 10)


@pytest.mark.parametrize(
    ("method", "name", "values", "says"),
    [
        ("iql", "q-beyond-returns", {"q_mean": 300.0}, "a return is at most -0"),
        ("iql", "q-beyond-returns", {"q_mean": -2_000.0}, "a return is at least -1.6e+03"),
        ("sac", "entropy-floor", {"entropy": -14.0}, "The policy's entropy is -14, with 2 actions"),
        ("cql", "conservative-gap", {"conservative_gap": -5_000.0}, "conservative gap is -5e+03"),
        ("cql", "q-beyond-returns", {"q_mean": 300.0}, "Mean Q is 300"),
    ],
)
def test_each_sign(method: str, name: str, values: dict[str, float], says: str) -> None:
    given = declare(method, "jax-pointmass", preset="quick")
    phase = "pretrain" if given.recipe.pretrain else "online"
    bad = event("train", phase, **values)
    told = said(Signs(given, problem()), bad, bad)
    assert says in told[name]
    assert tried(told[name], given) != given.recipe  # what it names can be set


def test_critics_that_are_pushed_down_may_stand_low() -> None:
    low = event("train", q_mean=-2_000.0, conservative_gap=3.0)
    given = declare("cql", "jax-pointmass", preset="quick")
    assert said(Signs(given, problem()), low, low) == {}


def test_online_rewards_count_too() -> None:
    given = declare("sac", "jax-pointmass", preset="quick")
    nothing = dataclasses.replace(problem(), rows=None)
    high = event("train", "online", q_mean=90.0)
    signs = Signs(given, nothing)
    assert said(signs, high, high) == {}  # nothing is known of the rewards yet
    said(signs, event("diagnose", "online", q_online=90.0, reward_min=0.0, reward_max=1.0))
    assert said(signs, high, high) == {}
    high = event("train", "online", q_mean=150.0)
    assert "at most 100" in said(signs, high, high)["q-beyond-returns"]


def test_dead_units() -> None:
    signs = Signs(own("iql"), problem())
    bad = event("diagnose", dead_units_offline=0.1, dead_units_online=0.9)
    told = said(signs, bad, bad)["dead-units"]
    assert "90 % of the policy's last hidden units" in told
    assert told.endswith("--set learner.normalise=dataset.")


def test_nothing_learnt_is_said_at_the_end() -> None:
    given = declare("cal_ql", "jax-pointmass", preset="quick", steps=50)
    end = RunEvent("eval", "online", 0, 0, 50, {"score": 1.0}, 0, "final")
    assert (
        "No update was made in the 50 online steps"
        in said(Signs(given, problem()), end)["nothing-learnt"]
    )
    end = dataclasses.replace(end, updates=3)
    assert said(Signs(given, problem()), end) == {}


def test_scales_are_round() -> None:
    assert [reward_scale(s) for s in (4.6, 0.3, 25.0)] == [0.05, 0.8, 0.01]
    assert reward_scale(0.46, 0.1) == 0.05
