"""At the end of pre-training: a policy far below the data is said, with a way out that works."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from warmstart.api import shortfall as module
from warmstart.api.declare import Declared, declare
from warmstart.api.shortfall import _way_out, clone_recipe, held_to_data, shortfall
from warmstart.cli import main
from warmstart.engine import Problem, RunEvent
from warmstart.engine.training_rows import mean_score
from warmstart.errors import RecipeError
from warmstart.methods import METHODS
from warmstart.methods.compose import compose
from warmstart.nets.pixels import EncoderSpec
from warmstart.reports.page import write_report
from warmstart.runs.records import read
from warmstart.tasks import custom_task
from warmstart.types import Camera, Dataset, Spec

MAZE = declare("wsrl", "jax-pointmaze-medium")
RAW = declare("iql", custom_task("Pendulum-v1", horizon=200))


def problem(score: float | None, **changes: Any) -> Problem:
    """As far as the comparison looks at it."""
    made: Any = Problem.__new__(Problem)
    for name, value in {"data_score": score, "physical": False, **changes}.items():
        object.__setattr__(made, name, value)
    return made


def told(
    monkeypatch: pytest.MonkeyPatch,
    declared: Declared,
    score: float,
    data: float | None,
    clone: float,
) -> dict[str, Any] | None:
    """The finding, where a clone would score `clone`."""
    monkeypatch.setattr(module, "clone_score", lambda declared, problem: clone)
    return shortfall(declared, problem(data), score)


def test_a_clone_looks_at_images_as_the_run_does() -> None:
    """Another encoder may take minutes; of numbers alone the clone stays the same for all."""
    small = {"learner.encoder.filters": "[8,16]", "learner.encoder.shift": "2"}
    seen = declare("wsrl", "pixel-reach", changes=small, batch=64)
    camera = Spec(2 + 64, 2, 30, (Camera("camera", (8, 8, 1)),))
    recipe = clone_recipe(seen, problem(None, spec=camera))
    own = seen.recipe.pretrain[-1].learner.encoder
    assert own.filters == (8, 16) and own.shift == 2
    assert {recipe.pretrain[0].learner.encoder, recipe.finetune.learner.encoder} == {own}
    assert recipe.pretrain[0].learner.batch == 64
    plain = clone_recipe(seen, problem(None, spec=Spec(2, 2, 30)))
    assert plain.pretrain[0].learner.batch == 256
    assert plain.pretrain[0].learner.encoder == EncoderSpec()


def test_the_policy_is_held_to_the_data_and_to_a_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(monkeypatch, MAZE, 0.0, 92.0, 75.0)
    assert found is not None and found["clone_score"] == 75.0
    assert found["text"] == (
        "the data score 92.0, the pre-trained policy 0.0, a clone of 1,000 updates 75.0. "
        "Before fine-tuning try --set pretrain=iql"
    )
    found = told(monkeypatch, MAZE, 0.0, 92.0, 3.0)  # nor does a clone learn anything
    assert found is not None and "docs/methods/wsrl.md" in found["text"]
    assert "look at the data" in found["text"]
    own = dataclasses.replace(MAZE, recipe=dataclasses.replace(MAZE.recipe, name="own"))
    found = told(monkeypatch, own, 0.0, 92.0, 3.0)  # a method of one's own has no page here
    assert found is not None and "try other numbers for this one, and look" in found["text"]
    assert told(monkeypatch, MAZE, 48.0, 100.0, 25.0) is None  # more than the data can give here
    assert told(monkeypatch, MAZE, 48.0, 100.0, 40.0) is not None


def test_what_was_tried_is_not_the_way_out() -> None:
    taken = declare("wsrl", "jax-pointmaze-medium", changes={"pretrain": "iql"})
    assert _way_out(taken) == "--set pretrain=td3_bc"


@pytest.mark.parametrize(
    ("score", "data", "far"),
    [
        (68.9, 92.0, True),
        (69.1, 92.0, False),
        (0.0, 9.0, False),
        (0.0, 11.0, True),
        (5.0, None, False),
    ],
)
def test_far_is_a_quarter_and_ten_points(
    monkeypatch: pytest.MonkeyPatch, score: float, data: float | None, far: bool
) -> None:
    assert (told(monkeypatch, MAZE, score, data, score) is not None) == far


@pytest.mark.parametrize(("score", "far"), [(-251.0, True), (-249.0, False)])
def test_of_raw_returns_it_is_a_quarter(
    monkeypatch: pytest.MonkeyPatch, score: float, far: bool
) -> None:
    assert (told(monkeypatch, RAW, score, -200.0, score) is not None) == far


def test_a_robot_is_not_moved_and_a_short_pre_training_has_no_rival(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "clone_score", lambda *_: pytest.fail("it moved"))
    robot = shortfall(MAZE, problem(90.0, physical=True), 0.0)
    short = declare("wsrl", "jax-pointmaze-medium", pretrain_steps=999)
    brief = shortfall(short, problem(90.0), 0.0)
    for found in (robot, brief):
        assert found is not None and set(found) == {"name", "text", "policy_score", "data_score"}


@pytest.mark.parametrize("method", [name for name in METHODS if METHODS[name].recipe().pretrain])
def test_the_way_out_is_open(method: str) -> None:
    declared = declare(method, "jax-pointmaze-medium")
    word = re.fullmatch(r"--set pretrain=(\w+)|another method, such as (\w+)", _way_out(declared))
    assert word is not None
    if word[1]:
        assert word[1] != method
        assert compose(declared.recipe, {"pretrain": word[1]}, declared.preset).pretrain
    else:
        assert word[2] in METHODS
        with pytest.raises(RecipeError):
            compose(declared.recipe, {"pretrain": "bc"}, declared.preset)


def dataset(**more: Any) -> Dataset:
    """Two episodes of returns 3 and 5."""
    ends = np.array([False, True, False, True])
    rows = np.zeros((4, 1), np.float32)
    rewards = np.array([1, 2, 2, 3], np.float32)
    return Dataset(rows, rows, rewards, ends & False, ends, rows, **more)


def test_the_score_of_the_data() -> None:
    raw = custom_task("Pendulum-v1")
    assert mean_score(dataset(), raw) == 4.0
    scaled = dataclasses.replace(raw, reference=(2.0, 12.0))
    assert mean_score(dataset(), scaled) == pytest.approx(20.0)
    solved = dataclasses.replace(raw, success=True)
    assert mean_score(dataset(success=np.array([1, 0, 0, 0], bool)), solved) == 50.0
    assert mean_score(dataset(info={"success_rate": 0.25}), solved) == 25.0
    partly = {"success_partly": {"episodes": 2, "told": 1, "succeeded": 1}}
    assert mean_score(dataset(info=partly), solved) is None
    assert mean_score(dataset(), solved) is None


def test_it_is_said_kept_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WARMSTART_DATA", str(tmp_path / "made"))
    monkeypatch.setattr(module, "CLONE_UPDATES", 4)
    far = iter([True, False, True])  # whatever they score: below the data, and below the clone
    monkeypatch.setattr(module, "_far", lambda *_: next(far))
    small = ["--pretrain-steps", "8", "--fixed-episodes", "1", "--episodes", "1", "--name", "x"]
    assert main(["pretrain", "td3_bc", "jax-pointmass", *small]) == 0
    told = capsys.readouterr().out
    lines = [r["values"] for r in read(Path("runs/x")) if r["kind"] == "warning"]
    lines = [values for values in lines if values["name"] == "below-the-data"]
    assert len(lines) == 1 and lines[0]["text"] in told and "clone_score" in lines[0]
    assert lines[0]["text"] in write_report([Path("runs/x")], Path("runs/x")).read_text()


def test_it_can_be_left_away() -> None:
    declared = declare("wsrl", "jax-pointmaze-medium", schedule={"compare": False})
    end = RunEvent("phase", "pretrain", 0, 1_000, 0, {"name": "pretrain 0", "event": "end"})
    assert not list(held_to_data(end, declared, problem(90.0, physical=True), {0: 0.0}))
    assert list(held_to_data(end, MAZE, problem(90.0, physical=True), {0: 0.0}))
    assert not list(held_to_data(end, MAZE, problem(90.0, physical=True), {}))
    assert "--no-compare" in (declared.command() or "")
