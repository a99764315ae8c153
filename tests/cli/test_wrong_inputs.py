"""Whatever is wrong: one sentence, exit code 2, no traceback, and nothing half-written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from warmstart.api import actor, evaluate, finetune, report, resume, run
from warmstart.api.declare import declare
from warmstart.api.run import finished
from warmstart.errors import RecipeError, RunError, TaskError
from warmstart.tasks import DataSource, custom_task

Refused = Callable[..., str]
Pendulum = Callable[..., str]
UNIT = spaces.Box(-1.0, 1.0, (2,), np.float32)
FLAT = spaces.Box(-np.inf, np.inf, (3,), np.float32)
SPACES = {
    "Unbounded": (FLAT, spaces.Box(-np.inf, np.inf, (2,), np.float32)),
}


class Still(gymnasium.Env[Any, Any]):
    """An environment of which only the spaces are looked at."""

    def __init__(self, observation_space: spaces.Space, action_space: spaces.Space) -> None:
        self.observation_space, self.action_space = observation_space, action_space


@pytest.fixture(autouse=True)
def odd_environments() -> Iterator[None]:
    """Registered as a user's package would."""
    for name, (observations, actions) in SPACES.items():
        kwargs = {"observation_space": observations, "action_space": actions}
        gymnasium.register(f"{name}-v0", Still, max_episode_steps=5, kwargs=kwargs)
    yield
    for name in SPACES:
        del gymnasium.registry[f"{name}-v0"]


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ("CartPole-v1", "continuous actions"),
        ("Unbounded-v0", "unbounded action box"),
        ("Pendulm-v1", "'Pendulum-v1'"),
        ("nowhere_at_all:Pendulum-v1", "no module 'nowhere_at_all'"),
        ("nowhere.py:Pendulum-v1", "there is no file"),
        ("gymnasium:Pendulm-v1", "'Pendulum-v1'"),
    ],
)
def test_environments_that_do_not_fit(
    env: str, says: str, refused: Refused, pendulum: Pendulum
) -> None:
    assert says in refused("run", "td3_bc", "--env", env, "--data", pendulum())
    assert says in refused("data", "check", pendulum(), "--env", env)


def test_keyword_arguments_that_the_environment_does_not_have(
    refused: Refused, pendulum: Pendulum
) -> None:
    line = ("run", "iql", "--env", "Pendulum-v1", "--env-arg", "gravity=1", "--data", pendulum())
    assert "gravity" in refused(*line)


def nan(rows: int) -> np.ndarray:
    """Rewards [rows] with one NaN."""
    return np.where(np.arange(rows) == 3, np.nan, 0.0).astype(np.float32)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"rewards": nan(40)}, "NaN"),
        ({"actions": np.full((40, 1), 5.0, np.float32)}, "leave the action box"),
        ({"actions": np.zeros((40, 2), np.float32)}, "actions"),
        ({"observations": np.zeros((40, 4)), "next_observations": np.zeros((40, 4))}, "4 numbers"),
        ({"rewards": np.zeros(39)}, "39 of rewards"),
        ({"rewards": np.zeros((40, 2))}, "(40, 2)"),
        ({"observations": np.zeros(40)}, ""),
        ({"actions": np.zeros((39, 1))}, "39 of actions"),
        ({"actions": None}, "actions"),
        ({"next_observations": np.zeros((40, 4))}, "(40, 4)"),
        ({"actions": np.array([["a"]] * 40)}, "no table of numbers"),
        ({k: np.zeros((0, 3)) for k in ("observations", "next_observations")}, "0 rows"),
    ],
)
def test_data_that_cannot_be_learnt_from(
    changed: dict[str, Any], says: str, refused: Refused, pendulum: Pendulum
) -> None:
    path = pendulum("wrong", **changed)
    assert says in refused("run", "td3_bc", "--env", "Pendulum-v1", "--data", path)


@pytest.mark.parametrize("name", ["gone.npz", "gone.hdf5", "some/minari-v0", "text.npz", "text.h5"])
def test_files_that_are_none(name: str, refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no numbers")
    (tmp_path / "text.h5").write_text("no numbers")
    assert Path(name).name in refused("run", "iql", "--env", "Pendulum-v1", "--data", name)
    assert Path(name).name in refused("data", "info", name)


def test_a_method_that_needs_data_asks_for_them(refused: Refused) -> None:
    assert "--data" in refused("run", "iql", "hopper")
    assert "give it a dataset of your own" in refused("data", "make", "hopper")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("run wrsl jax-pointmass", "'wsrl'"),
        ("run iql jax-pointmas", "'jax-pointmass'"),
        ("run iql jax-pointmass --preset quik", "'quick'"),
        ("run iql jax-pointmass --set finetune.step=1", "'steps'"),
        ("run iql jax-pointmass --set finetune.steps=soon", "cannot be 'soon'"),
        ("run iql jax-pointmass --seeds 1,1", "--seeds 0,1,2"),
        ("run iql jax-pointmass --threads 0", "1 or more"),
        ("run iql jax-pointmass --set nets.hidden=[8.5]", "NetSpec: hidden cannot be"),
        ("run iql jax-pointmass --set pretrain.0.updates=-5", "give a whole number from 1"),
        ("run iql jax-pointmass --set replay.capacity=0", "give a whole number from 1"),
        ("run iql --env Pendulum-v1 --data x --reward-scale nan", "finite scale"),
        ("run iql --env Pendulum-v1 --data x --reward-bias inf", "finite bias"),
        ("run iql --env Pendulum-v1 --data x --reward-scale 0", "other than 0"),
        ("run iql --env Pendulum-v1 --data x --reference 1,inf", "two returns"),
        ("pretrain sac jax-pointmass", "no pre-training"),
        ("finetune iql --from nowhere", "nowhere"),
        ("resume nowhere", "nowhere"),
        ("evaluate nowhere", "nowhere"),
        ("evaluate nowhere --episodes 0", "1 or more"),
        ("report nowhere", "nowhere"),
        ("report", "no run is named"),
        ("show wrsl", "'wsrl'"),
        ("show wsrl --preset quik", "'quick'"),
        ("data make jax-pointmas", "'jax-pointmass'"),
        ("data make jax-pointmass --episodes 0", "1 or more"),
        ("data check x --env a --task b", "leave one of them out"),
    ],
)
def test_names_and_numbers(line: str, says: str, refused: Refused) -> None:
    assert says in refused(*line.split())


def test_a_folder_that_cannot_be_written(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    line = ("run", "td3_bc", "jax-pointmass", "--root", "file/runs")
    assert "Cannot write" in refused(*line)


def test_a_disk_that_is_too_small(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warmstart.files.machine.disk_free", lambda path: 1000)
    assert "MB are free" in refused("run", "td3_bc", "jax-pointmass", "--steps", "10")


@pytest.mark.parametrize("seeds", [3, "0,1", [0.5], None])
def test_seeds_from_python_that_are_none(seeds: Any) -> None:
    with pytest.raises(RunError, match="whole numbers"):
        declare("iql", "jax-pointmass", seeds=seeds)


def test_methods_and_tasks_from_python_that_are_none() -> None:
    nothing: Any = None
    with pytest.raises(RecipeError, match="a method is a name"):
        declare(nothing, "jax-pointmass")
    with pytest.raises(TaskError, match="an environment is an id, a task's name"):
        declare("iql", nothing)


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ({"episode": 3}, "'episodes'"),
        ({"episodes": "x"}, "whole number"),
        ({"log_every": 0}, "1 on"),
    ],
)
def test_schedules_from_python_that_are_none(schedule: dict[str, Any], says: str) -> None:
    with pytest.raises(RunError, match=says):
        declare("iql", "jax-pointmass", schedule=schedule)


@pytest.mark.parametrize("wrong", [["finetune.steps=5"], "finetune.steps=5", {1: 5}])
def test_changes_and_schedules_from_python_that_are_no_dict(wrong: Any) -> None:
    with pytest.raises(RecipeError, match=r"give changes=\{"):
        declare("iql", "jax-pointmass", changes=wrong)
    with pytest.raises(RecipeError, match="values by name"):
        run("iql", "jax-pointmass", changes=wrong)
    with pytest.raises(RunError, match=r"give schedule=\{"):
        declare("iql", "jax-pointmass", schedule=wrong)


@pytest.mark.parametrize("folder", [None, 3])
def test_folders_from_python_that_are_none(folder: Any) -> None:
    for call in (resume, evaluate, report, finished, actor, partial(finetune, "iql")):
        with pytest.raises(RunError, match="the folder of a run is a path"):
            call(folder)


def test_own_tasks_from_python_that_are_none() -> None:
    nothing: Any = None
    odd: Any = [1]
    for wrong in ({"env_id": nothing}, {"env_id": "A-v0", "env_kwargs": ["gravity=1"]}):
        with pytest.raises(TaskError, match="give"):
            custom_task(**wrong)
    with pytest.raises(TaskError, match="a path or a Minari id"):
        custom_task("A-v0", data_path=odd)


def test_paths_and_boxes_from_python() -> None:
    path: Any = Path("logs") / "a.npz"
    box: Any = (-1, 1)
    assert DataSource(path=path).path == "logs/a.npz"
    with pytest.raises(TaskError, match="for all actions"):
        DataSource(action_box=box)
    with pytest.raises(RunError, match="no run is named"):
        report([])
    with pytest.raises(RunError, match="'nowhere' does not exist"):
        report("nowhere")
