"""Every number that can be set has a range, where it is declared, and is held to it."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Iterator
from typing import Any

import pytest

import warmstart as ws
from warmstart.cli import main
from warmstart.engine import Schedule
from warmstart.errors import RecipeError, RunError, TaskError, WarmstartError
from warmstart.methods import METHODS
from warmstart.ranges import Range, ranges_of
from warmstart.recipe import Recipe
from warmstart.tasks import DataSource
from warmstart.tasks.reward import RewardTransform
from warmstart.values import registered

OURS = {n: c for n, c in registered().items() if c.__module__.startswith("warmstart.")}


def parts(value: Any) -> Iterator[Any]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield value
        for field in dataclasses.fields(value):
            yield from parts(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from parts(item)


def examples() -> dict[str, Any]:
    """A sound value of every registered class."""
    found = {}
    for method in METHODS.values():
        for preset in method.PRESETS:
            for part in parts(method.recipe(preset)):
                found.setdefault(type(part).__name__, part)
    for name, cls in OURS.items():
        if name not in found:
            found[name] = cls()
    return found


EXAMPLES = examples()


def fields(cls: type) -> Iterator[tuple[str, list[tuple[type, Range | None]]]]:
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        if name in {f.name for f in dataclasses.fields(cls)} and (kinds := list(ranges_of(hint))):
            yield name, kinds


NUMBERS = [(name, field) for name, cls in OURS.items() for field, _ in fields(cls)]


def spoilt(part: Any, field: str, number: Any) -> None:
    old = getattr(part, field)
    new = (number, *old[1:]) if isinstance(old, tuple) else number
    if old is None and "tuple" in str(typing.get_type_hints(type(part))[field]):
        new = (number, 1.0)
    dataclasses.replace(part, **{field: new})


def test_there_are_as_many_as_there_were() -> None:
    assert set(EXAMPLES) >= set(OURS) and len(NUMBERS) > 100


@pytest.mark.parametrize(("name", "field"), NUMBERS)
def test_a_number_has_its_range_where_it_is_declared(name: str, field: str) -> None:
    kinds = dict(fields(OURS[name]))[field]
    assert all(limits is not None for _, limits in kinds), f"{name}.{field}: give it a range"
    wrong: list[Any] = [math.nan, math.inf, -math.inf, 1e300, -1e300, "ab", True, {"a": 1}]
    wrong += [0.5] if all(kind is int for kind, _ in kinds) else []
    if all(limits is not None and limits.low >= 0 for _, limits in kinds):
        wrong += [-1, -0.1]
    for number in wrong:
        with pytest.raises(RecipeError) as refused:
            spoilt(EXAMPLES[name], field, number)
        said = str(refused.value)
        assert f"{name}: {field} cannot be " in said and "; give " in said and "\n" not in said


@pytest.mark.parametrize("name", OURS)
def test_a_part_of_another_type_is_refused(name: str) -> None:
    """As a damaged file has it: a text, a number or a list where a part or a word should be."""
    part = EXAMPLES[name]
    for field in dataclasses.fields(part):
        for wrong in (["x"], 7.5, {"a": 1}):
            if field.name in dict(fields(OURS[name])) or isinstance(
                getattr(part, field.name), tuple
            ):
                continue
            with pytest.raises(WarmstartError):
                dataclasses.replace(part, **{field.name: wrong})


@pytest.mark.parametrize(
    "change",
    [
        "finetune.learner.actor_optimiser.lr=nan",
        "finetune.learner.critic_optimiser.lr=inf",
        "finetune.learner.actor_optimiser.lr=-0.1",
        "pretrain.0.learner.tau=nan",
        "learner.tau=2",
        "nets.hidden=0",
        "finetune.learner.actor_optimiser.lr=1e300",
        "replay.capacity=99999999999",
    ],
)
def test_the_command_line_says_it_before_there_is_a_folder(
    change: str, capsys: pytest.CaptureFixture[str], tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "td3_bc", "jax-pointmass", "--set", change]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1 and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "wrong",
    [
        {"holdout": math.nan}, {"holdout": -0.1}, {"holdout": 1.0}, {"data_seed": -1},
        {"data_seed": 0.5}, {"steps": -1}, {"steps": 2**40}, {"pretrain_steps": 0},
        {"schedule": {"early": (-1,)}}, {"schedule": {"films": "yes"}},
    ],
)  # fmt: skip
def test_python_users_hear_it_too(wrong: dict[str, Any]) -> None:
    with pytest.raises((RunError, RecipeError), match=r"cannot be|cannot be used"):
        ws.declare("td3_bc", "jax-pointmass", **wrong)


def test_tasks_sources_of_data_and_schedules_hold_what_they_can() -> None:
    sound: list[tuple[Any, type[WarmstartError]]] = [
        (ws.custom_task("Pendulum-v1", horizon=5, reference=(0.0, 1.0)), TaskError),
        (DataSource(path="a"), TaskError),
        (RewardTransform(), TaskError),
        (Schedule(), RunError),
    ]  # fmt: skip
    for value, error in sound:
        for name, kinds in fields(type(value)):
            for number in (math.nan, math.inf, 1e300, -1):
                low = all(limits is not None and limits.low >= 0 for _, limits in kinds)
                if number == -1 and not low:
                    continue
                with pytest.raises(error):
                    spoilt(value, name, number)


def test_a_recipe_of_json_is_held_to_them_as_well() -> None:
    recipe = METHODS["td3_bc"].recipe("quick").to_json()
    recipe["finetune"]["learner"]["tau"] = "ab"
    with pytest.raises(RecipeError, match="ActorCritic: tau cannot be 'ab'; give a number from 0"):
        Recipe.from_json(recipe)
