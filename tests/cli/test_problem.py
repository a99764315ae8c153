"""From options to a task and to the arguments of `declare`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from warmstart.api import declare
from warmstart.api.declare import Declared, declare_finetune
from warmstart.commands.arguments import declared, pairs, task_of
from warmstart.commands.options import Finetune, Pretrain, Run
from warmstart.commands.parse import parse
from warmstart.errors import RecipeError, WarmstartError
from warmstart.methods import cql
from warmstart.recipe import Stage
from warmstart.replay import Mixed
from warmstart.tasks import custom_task, get_task


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
        ("run iql hopper --env Hopper-v5", "leave one of them out"),
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
        ("run iql hopper --log-every 0", "1 or more"),
        ("run iql hopper --early 0,x", "--early 0,100,1000"),
        ("run iql hopper --early=-5", "--early 0,100,1000"),
        ("run iql hopper --set learner.batch=3 --set learner.batch=4", "give it once"),
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


def _repeated(first: Declared, until: Any = "done", before: Declared | None = None) -> Declared:
    """What the command of a declared run declares."""
    words = shlex.split(first.command(until) or "")
    again = parse(words[1:])
    if isinstance(again, Finetune):
        assert before is not None
        return declare_finetune(again.method, before, str(again.source), **declared(again))
    assert isinstance(again, Run if until == "done" else Pretrain)
    return declare(again.method, task_of(again), **declared(again))


@pytest.mark.parametrize(
    "line",
    [
        "run td3_bc hopper --seeds 0,3 --set finetune.steps=7",
        "run iql --env Pendulum-v1 --env-arg g=9.5 --reward-scale 0.1 --reward-bias -1 "
        "--discount 0.9 --return-rule sparse --reference=-1000,0 --horizon 5 --success",
        "run wsrl jax-pointmass --preset paper --holdout 0.2 --steps 30 --pretrain-steps 20",
        "run iql hopper --offline-every 7 --online-every 11 --episodes 3 --fixed-episodes 4",
        "run cal_ql hopper --early 0,7,90 --log-every 13 --frozen --no-films --no-compare "
        "--online-every 0",
        "run bc hopper --early= --offline-every 0",
        "run wsrl pointmaze-large --set pretrain=iql --set handover.critic=fresh --data-seed 4",
        "run iql --env Pendulum-v1 --data /a/x.csv --columns obs=x --action-box=-1:0.1234567",
        "run sac --env Pendulum-v1 --physical --fixed-episodes 0 --at-once 3",
        "run iql hopper --at-once 2 --ignore rewards-constant --ignore not-finite",
        "run mopo jax-pointmass --steps 100000 --log-every 1000 --preset quick",
        "pretrain iql hopper --episodes 2 --offline-every 5 --log-every 9 --seeds 2",
    ],
)
def test_a_run_remembers_the_line_that_repeats_it(line: str) -> None:
    given = parse(line.split())
    first = declare(given.method, task_of(given), **declared(given))
    until = "pretrained" if line.startswith("pretrain") else "done"
    assert _repeated(first, until).to_json(until) == first.to_json(until)


@pytest.mark.parametrize(
    ("method", "how"),
    [
        ("iql", {"changes": {"replay.source": Mixed(0.25), "replay.preload.kind": "none"}}),
        (
            "wsrl",
            {"changes": {"nets.hidden": (8, 8), "learner.batch": 64, "nets.layer_norm": True}},
        ),
        ("cal_ql", {"changes": {"pretrain.0": Stage(cql.learner(hidden=(128, 128), batch=9), 5)}}),
        ("rlpd", {"changes": {"finetune.learner.actor_optimiser.clip": None}, "data_seed": 5}),
        ("iql", {"schedule": {"early": [0, 3], "films": False, "log_every": 5}, "seeds": [4, 2]}),
        ("iql", {"changes": {"finetune.steps": "20_000"}, "steps": 20_000}),
    ],
)
def test_what_python_says_is_said_by_the_command_too(method: str, how: dict[str, Any]) -> None:
    first = declare(method, "jax-pointmass", preset="quick", **how)
    again = _repeated(first)
    assert json.dumps(again.to_json()) == json.dumps(first.to_json())
    assert again.recipe == first.recipe


def test_an_arm_remembers_its_line_too() -> None:
    before = declare("wsrl", "hopper", preset="locomotion", seeds=(3, 4), holdout=0.2)
    looks = {"online_every": 3, "log_every": 9, "episodes": 2, "fixed_episodes": 5, "early": (1,)}
    for method, preset in (("wsrl", None), ("wsrl", "locomotion")):
        arm = declare_finetune(
            method, before, "runs/x", preset=preset, schedule=looks, steps=77,
            )  # fmt: skip
        assert _repeated(arm, before=before).to_json() == arm.to_json()


def test_a_task_that_no_option_describes_has_no_line() -> None:
    assert declare("iql", custom_task("Pendulum-v1", name="mine")).command() is None
    assert declare("iql", custom_task("Pendulum-v1", at_once=3)).command() is not None


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"steps": 5, "changes": {"finetune.steps": 6}}, "contradict each other"),
        ({"pretrain_steps": 5, "changes": {"pretrain.0.updates": "6"}}, "contradict each other"),
    ],
)
def test_two_words_for_one_number_must_agree(how: dict[str, Any], says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        declare("iql", "hopper", **how)
    with pytest.raises(RecipeError, match="has no pre-training"):
        declare("sac", "hopper", pretrain_steps=5)
