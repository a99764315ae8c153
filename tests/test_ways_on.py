"""Advice that leads on: what is typed in a wrong place is told where it belongs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

import warmstart as ws
from warmstart.api.declare import declare, declare_finetune
from warmstart.cli import main
from warmstart.errors import RecipeError, TaskError
from warmstart.runs.folder import create_run


def test_networks_that_cannot_cross_are_told_with_those_of_the_pre_training() -> None:
    task = ws.custom_task("Pendulum-v1", horizon=5, data_path="/nowhere.npz")
    changes = {"nets.hidden": "4,4", "nets.activation": "tanh", "pretrain.0.updates": 7}
    before = declare("td3_bc", task, changes=changes)
    with pytest.raises(RecipeError, match="cannot cross") as refused:
        declare_finetune("td3_bc", before, "pre", changes={"nets.activation": "tanh"})
    told = str(refused.value)
    assert told.endswith("'pre' was pre-trained with: --set nets.hidden=4,4")
    taken = dict(word.split("=", 1) for word in shlex.split(told.rpartition("--set ")[2]))
    arm = declare_finetune("td3_bc", before, "pre", changes={"nets.activation": "tanh", **taken})
    assert arm.recipe.pretrain == before.recipe.pretrain


def test_show_of_a_run_folder_names_its_page_and_its_method(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = create_run(tmp_path, "my run", {"method": "wsrl"})
    assert main(["show", str(folder)]) == 2
    told = capsys.readouterr().err
    assert "warmstart show wsrl" in told and shlex.quote(str(folder)) in told
    assert "report.html" not in told
    (folder / "report.html").write_text("")
    assert main(["show", str(folder)]) == 2
    assert str(folder / "report.html") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "hint"), [("data", "data_path"), ("rewardscale", "reward_scale"), ("zzz", "horizon")]
)
def test_an_argument_that_a_task_does_not_have_is_told_its_name(word: str, hint: str) -> None:
    given: dict[str, Any] = {word: 1}
    with pytest.raises(TaskError, match=f"no argument '{word}'.*{hint}"):
        ws.custom_task("Pendulum-v1", **given)
