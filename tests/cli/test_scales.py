"""Scales that a run on an own task takes from the data, where nobody gave any."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from warmstart.api import declare
from warmstart.api.declare import Declared, declare_finetune
from warmstart.api.scales import scaled
from warmstart.commands.arguments import declared as numbers_of
from warmstart.commands.arguments import task_of
from warmstart.commands.parse import parse
from warmstart.tasks import custom_task, get_task

Logs = Callable[..., str]
LARGE = np.random.default_rng(1).normal(-8.0, 6.0, 40).astype(np.float32)
COLUMN = np.random.default_rng(2).normal(size=(40, 3)).astype(np.float32) * [1, 1, 1e4]


def own(path: str, method: str = "iql", changes: Any = None, **task: Any) -> Declared:
    known = custom_task("Pendulum-v1", data_path=path, **task)
    return declare(method, known, preset="quick", changes=changes)


def normalised(declared: Declared) -> set[str]:
    recipe = declared.recipe
    return {each.learner.normalise for each in (*recipe.pretrain, recipe.finetune)}


def again(declared: Declared) -> Declared:
    """What the run's own command declares."""
    words = shlex.split(declared.command() or "")[1:]
    options = parse(words)
    return declare(options.method, task_of(options), **numbers_of(options))


def test_rewards_that_a_method_does_not_bear_are_scaled_and_it_is_said(
    pendulum: Logs, caplog: pytest.LogCaptureFixture
) -> None:
    found, data = scaled(own(pendulum(rewards=LARGE)))
    assert 0.015 <= found.task.reward.scale <= 0.06 and data is not None  # with beta 3
    (said,) = [r.getMessage() for r in caplog.records if "--reward-scale" in r.getMessage()]
    assert f"times {found.task.reward.scale:g}" in said
    assert scaled(found)[0] == found and scaled(again(found))[0] == again(found)
    assert again(found).task.reward == found.task.reward


@pytest.mark.parametrize(
    ("method", "size"), [("td3_bc", LARGE), ("bc", LARGE), ("iql", LARGE / 60)]
)
def test_rewards_that_a_method_bears_are_left(pendulum: Logs, method: str, size: Any) -> None:
    given = own(pendulum(rewards=size), method)
    found, _ = scaled(given)
    assert found == given and "--reward-scale" not in (found.command() or "")


def test_a_scale_that_was_given_stays(pendulum: Logs) -> None:
    given = own(pendulum(rewards=LARGE), reward_scale=1.0)
    assert scaled(given)[0] == given and again(given).task == given.task


def test_a_bias_that_was_given_is_scaled_with_the_rewards(pendulum: Logs) -> None:
    """A penalty of every step weighs as much beside the other rewards as before."""
    found, _ = scaled(own(pendulum(rewards=LARGE * 40), reward_bias=-80.0))
    transform = found.task.reward
    assert transform.scale < 1 and transform.bias == pytest.approx(-80 * transform.scale)
    assert again(found).task.reward == transform and scaled(found)[0] == found


def test_a_large_column_is_scaled_unless_someone_said_otherwise(
    pendulum: Logs, caplog: pytest.LogCaptureFixture
) -> None:
    path = pendulum(observations=COLUMN, next_observations=COLUMN, rewards=LARGE / 60)
    found, _ = scaled(own(path))
    assert normalised(own(path)) == {"none"} and normalised(found) == {"dataset"}
    assert any("learner.normalise=none" in r.getMessage() for r in caplog.records)
    assert again(found).recipe == found.recipe
    kept = own(path, changes={"learner.normalise": "none"})
    assert scaled(kept)[0] == kept
    cannot = own(path, "aca")
    assert scaled(cannot)[0] == cannot


def test_fine_tuning_scales_as_its_pretraining_did(pendulum: Logs, tmp_path: Path) -> None:
    found, _ = scaled(
        own(pendulum(observations=COLUMN, next_observations=COLUMN, rewards=LARGE / 60))
    )
    arm = declare_finetune("iql", found, str(tmp_path))
    assert normalised(arm) == {"dataset"} and scaled(arm) == (arm, None)
    assert "learner.normalise=dataset" in (arm.command() or "")


def test_numbers_that_are_none_are_left_to_the_doctor(pendulum: Logs) -> None:
    given = own(pendulum(rewards=np.where(np.arange(40) == 7, np.nan, LARGE)))
    assert scaled(given)[0] == given


def test_a_task_of_the_catalogue_keeps_its_scales() -> None:
    given = declare("iql", get_task("jax-pointmass"))
    assert scaled(given) == (given, None)
