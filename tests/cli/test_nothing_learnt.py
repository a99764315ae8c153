"""Runs of which a part would learn nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from warmstart.api import declare
from warmstart.api.idle import online_blocks, remarks, require_learning
from warmstart.errors import RunError

Refused = Callable[..., str]
AT_ONCE = {"replay.warmup.steps": 0}
WSRL = ("run", "wsrl", "jax-pointmass", "--preset", "quick")


def test_all_warm_up_is_refused(refused: Refused) -> None:
    told = refused(*WSRL, "--steps", "450")
    assert "all 450 online steps are warm-up" in told and "replay.warmup.steps=45" in told


@pytest.mark.parametrize(
    ("method", "changes", "says"),
    [
        ("wsrl", {"finetune.steps": 1_000}, "all 1,000 online steps are warm-up"),
        ("sac", {"finetune.rhythm.every": 300, "replay.warmup.steps": 0}, "before the first upda"),
        ("rlpd", {"finetune.rhythm.every": 300, "replay.warmup.steps": 0}, "first update: one bl"),
        ("td3", {"finetune.learner.actor_every": 500, **AT_ONCE}, "never learn.*actor_every=500"),
        ("sac", {"finetune.learner.actor_from": 500, **AT_ONCE}, "never learn.*actor_from=500"),
        (
            "iql",
            {"pretrain.0.learner.minibatches": 50, "pretrain.0.updates": 30},
            "update of 50",
        ),
    ],
)
def test_a_phase_that_learns_nothing_is_refused(
    method: str, changes: dict[str, int], says: str
) -> None:
    steps = {} if "finetune.steps" in changes else {"finetune.steps": 299}
    given = declare(method, "jax-pointmass", preset="quick", changes={**steps, **changes})
    with pytest.raises(RunError, match=says):
        require_learning(given)


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("bc", {"finetune.steps": 10}),  # it learns nothing online, and says so
        ("wsrl", {"finetune.steps": 0}),
        ("wsrl", {"finetune.steps": 5_001}),
        ("cal_ql", {"finetune.steps": 10}),  # whole episodes decide
        ("sac", {"finetune.rhythm.every": 300, "finetune.steps": 300, "replay.warmup.steps": 0}),
    ],
)
def test_what_may_learn_is_run(method: str, changes: dict[str, int]) -> None:
    require_learning(declare(method, "jax-pointmass", preset="quick", changes=changes))


def test_pre_training_alone_does_not_ask_for_online_steps() -> None:
    given = declare("wsrl", "jax-pointmass", preset="quick", steps=450)
    require_learning(given, "pretrained")
    assert online_blocks(given.recipe) == 0


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ({"online_every": 601}, "online_every=601 lies beyond the end, after 600 online steps"),
        ({"early": (0, 300, 601)}, "early=601 lies beyond the end, after 600 online steps"),
        ({"offline_every": 9_000}, "offline_every=9000 lies beyond the end, after 4,000 updates"),
    ],
)
def test_an_interval_beyond_the_end_is_refused(schedule: dict[str, Any], says: str) -> None:
    numbers = {"preset": "quick", "steps": 600, "pretrain_steps": 4_000}
    with pytest.raises(RunError, match=says):
        declare("iql", "jax-pointmass", schedule=schedule, **numbers)
    last = {name: (0, 600) if name == "early" else 600 for name in schedule}
    declare("iql", "jax-pointmass", schedule=last, **numbers)
    declare("iql", "jax-pointmass", **numbers)  # the usual interval is longer than this run


def test_what_is_meant_so_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"finetune.rhythm.updates": 0, "finetune.steps": 10, "learner.batch": 64}
    given = declare("iql", "jax-pointmass", preset="quick", changes=changes)
    require_learning(given)

    class Few:
        rows = [0.0] * 16

    told = dict(remarks(given, Few()))  # type: ignore[arg-type]
    assert "Nothing is learnt in the 10 online steps" in told["nothing-learnt"]
    assert "A batch has 64 rows and the data only 16" in told["few-rows"]
    assert "--set learner.batch=4" in told["few-rows"]
