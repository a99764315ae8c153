"""Tasks, their JSON form, reward transforms and scores."""

import json
import re

import numpy as np
import pytest

from warmstart.errors import TaskError
from warmstart.tasks import (
    D4RL_REFERENCES,
    DEFAULT_TASK,
    TASKS,
    RewardTransform,
    Task,
    custom_task,
    d4rl_reference,
    get_task,
    normalised_score,
    package_of,
)
from warmstart.tasks.jax_envs import JAX_ENVS, make_jax_env


@pytest.mark.parametrize("name", sorted(TASKS))
def test_every_task_survives_json(name):
    task = get_task(name)
    assert task.name == name
    assert Task.from_json(task.to_json()) == task


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda t: t.name)
def test_every_task_says_what_it_is(task):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", task.name)
    assert task.description.endswith(".") and task.domain and task.size_note
    assert 0 < task.discount < 1 and task.horizon >= 0


def test_the_mazes_end_at_the_goal_and_reward_by_minus_one_a_step():
    mazes = [task for task in TASKS.values() if task.domain == "navigation"]
    for task in (task for task in mazes if not task.name.startswith("maze2d")):
        assert task.success and task.discount == (0.98 if task.name == "two-rooms" else 0.995)
        if task.env_id and task.env_id.startswith(("PointMaze", "AntMaze")):
            assert task.env_kwargs["continuing_task"] is False
            many = task.name == "pointmaze-large-diverse"
            assert bool(task.start_cells) is not many
            assert (task.reward(0.0), task.reward(1.0)) == (-1.0, 0.0)
        assert task.return_rule == ("infinite" if task.name.endswith("-dense") else "sparse")


def test_packages_know_their_environments():
    assert package_of("PointMaze_Large-v3").extra == "mazes"
    assert package_of("pointmaze-giant-singletask-task1-v0").module == "ogbench"
    assert package_of("Hopper-v5") is None


def test_default_task_is_in_the_catalogue():
    assert get_task(DEFAULT_TASK).success


@pytest.mark.parametrize("task", [t for t in TASKS.values() if t.jax_env], ids=lambda t: t.name)
def test_jax_tasks_name_simulators_that_exist(task):
    assert make_jax_env(task.jax_env).spec.horizon == task.horizon


def test_twins_differ_by_their_simulator_alone():
    twin, other = get_task("jax-pointmaze-large"), get_task("pointmaze-large")
    assert (twin.reward, twin.data, twin.horizon) == (other.reward, other.data, other.horizon)


def test_wrong_names_get_a_hint():
    with pytest.raises(TaskError, match="Did you mean 'hopper'"):
        get_task("hoper")
    with pytest.raises(TaskError, match="'point-maze-large'"):
        make_jax_env("point-maze-larg")
    with pytest.raises(TaskError, match="maze2d-large"):
        d4rl_reference("maze2d-larg")


def test_custom_task_keeps_what_it_was_told():
    task = custom_task("Pendulum-v1", {"g": 9.0}, "data.npz", reward_scale=0.1, reward_bias=1.0)
    assert task.reward(10.0) == pytest.approx(2.0)
    assert task.data is not None and task.data.path == "data.npz"
    assert Task.from_json(task.to_json()) == task


def test_a_task_needs_exactly_one_simulator():
    with pytest.raises(TaskError, match="exactly one simulator"):
        Task("x", "d", "", "quick", 10)
    with pytest.raises(TaskError, match="exactly one simulator"):
        Task("x", "d", "", "quick", 10, env_id="A-v0", jax_env="point-mass")


def test_unknown_return_rule_and_field():
    with pytest.raises(TaskError, match="finite"):
        custom_task("A-v0", return_rule="finit")
    values = json.loads(get_task("hopper").to_json()) | {"horizn": 3}
    with pytest.raises(TaskError, match="Did you mean 'horizon'"):
        Task.from_json(json.dumps(values))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"data": {"makr": "noisy"}}, "DataSource has no field 'makr'. Did you mean 'maker'"),
        ({"reward": {"scal": 2.0}}, "RewardTransform has no field 'scal'. Did you mean 'scale'"),
        ({"horizon": None}, "Task needs the field 'horizon'"),
    ],
)
def test_what_is_no_task_is_refused_by_name(change, says):
    values = json.loads(get_task("hopper").to_json()) | change
    text = json.dumps({key: value for key, value in values.items() if value is not None})
    with pytest.raises(TaskError, match=says):
        Task.from_json(text)


@pytest.mark.parametrize("text", ["{", "3", '"hopper"'])
def test_text_that_is_no_task_is_refused(text):
    with pytest.raises(TaskError, match="give what to_json wrote"):
        Task.from_json(text)


def test_reward_transform_is_affine():
    assert np.allclose(RewardTransform(10.0, -5.0)(np.array([0.0, 1.0])), [-5.0, 5.0])


def test_scores():
    low, high = D4RL_REFERENCES["hopper"]
    assert normalised_score(low, (low, high)) == 0.0
    assert normalised_score(np.array([high]), (low, high)).tolist() == [100.0]
    with pytest.raises(TaskError, match="different numbers"):
        normalised_score(1.0, (2.0, 2.0))


def test_every_simulator_can_be_made():
    assert all(make_jax_env(name).spec.obs_dim > 0 for name in JAX_ENVS)
