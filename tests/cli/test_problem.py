"""From options to a task and to the arguments of `declare`."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from warmstart.api import declare
from warmstart.commands.parse import parse
from warmstart.commands.problem import declared, pairs, task_of
from warmstart.errors import WarmstartError
from warmstart.tasks import get_task


def test_data_replace_the_data_of_a_task(pendulum: Callable[..., str]) -> None:
    path = Path(pendulum()).name
    task = task_of(parse(["run", "iql", "hopper", "--data", path]))
    assert task.data is not None and task.data.path == str(Path(path).resolve())
    assert task.name == "hopper" and task.reference == get_task("hopper").reference


def test_how_many_simulators_are_open_is_the_users_choice() -> None:
    assert task_of(parse(["run", "iql", "hopper"])).at_once == 20
    assert task_of(parse(["run", "iql", "hopper", "--at-once", "3"])).at_once == 3
    assert task_of(parse(["run", "iql", "--env", "Pendulum-v1", "--at-once", "1"])).at_once == 1


def test_an_own_environment_becomes_a_task() -> None:
    line = (
        "run iql --env Pendulum-v1 --data some/minari-v0 --env-arg g=9.5 --env-arg name=moon "
        "--env-arg flag=true --reward-scale 0.1 --discount 0.9 --reference=-1000,0 --horizon 5"
    )
    task = task_of(parse(line.split()))
    assert dict(task.env_kwargs) == {"g": 9.5, "name": "moon", "flag": True}
    assert (task.reward.scale, task.reward.bias, task.discount) == (0.1, 0.0, 0.9)
    assert (task.reference, task.horizon) == ((-1000.0, 0.0), 5)
    assert task.data is not None and task.data.path == "some/minari-v0"


def test_only_what_was_given_is_passed_on() -> None:
    line = "run td3_bc hopper --set finetune.steps=7 --episodes 2 --frozen --online-every 0"
    given = parse(line.split())
    wanted = declared(given)
    assert wanted["schedule"] == {"episodes": 2, "frozen": True, "online_every": 0}
    assert wanted["changes"] == {"finetune.steps": "7"}
    assert wanted["seeds"] == (0,) and wanted["steps"] is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("run iql", "--env"),
        ("run iql hopper --env Hopper-v5", "leave one of them away"),
        ("run iql hopper --discount 0.9", "--discount describes"),
        ("run iql hopper --env-arg a=1", "--env-arg describes"),
        ("run iql hopper --success", "--success describes"),
        ("run iql --env E-v0 --discount 2", "(0, 1]"),
        ("run iql --env E-v0 --reference 3", "the lower first"),
        ("run iql --env E-v0 --reference 3,1", "the lower first"),
        ("run iql --env E-v0 --env-arg a", "--env-arg name=value"),
        ("run iql hopper --set finetune.steps", "--set name=value"),
        ("run iql hopper --seeds a", "--seeds 0,1,2"),
        ("run iql hopper --holdout 1", "[0, 1)"),
        ("run iql hopper --steps -1", "0 or more"),
        ("run iql hopper --episodes 0", "1 or more"),
        ("run iql hopper --at-once 0", "1 or more"),
    ],
)
def test_what_cannot_be_is_refused(line: str, says: str) -> None:
    with pytest.raises(WarmstartError) as error:
        given = parse(line.split())
        task_of(given)
        declared(given)
    assert says in str(error.value)


@over(st.text(st.characters(exclude_categories=["Cs", "Z", "C"]), min_size=1))
def test_a_pair_splits_at_its_first_equals_sign(value: str) -> None:
    assert pairs([f"name={value}"], "--set") == [("name", value)]


@pytest.mark.parametrize(
    "line",
    [
        "run td3_bc hopper --seeds 0,3 --set finetune.steps=7",
        "run iql --env Pendulum-v1 --env-arg g=9.5 --reward-scale 0.1 --reward-bias -1 "
        "--discount 0.9 --return-rule sparse --reference=-1000,0 --horizon 5 --success",
        "run wsrl jax-pointmass --family paper --holdout 0.2 --steps 30 --pretrain-steps 20",
    ],
)
def test_a_run_remembers_the_line_that_repeats_it(line: str) -> None:
    given = parse(line.split())
    first = declare(given.method, task_of(given), **declared(given))
    words = shlex.split(first.command())
    assert words[0] == "warmstart"
    again = parse(words[1:])
    second = declare(again.method, task_of(again), **declared(again))
    assert (second.recipe, second.task, second.seeds) == (first.recipe, first.task, first.seeds)
    assert second.holdout == first.holdout
