"""Data made on this machine: what the rows say, and that they are made once and whole."""

import inspect
import json
from dataclasses import replace

import numpy as np
import pytest

from warmstart.data import load, read_folder
from warmstart.data.checks import examine
from warmstart.data.makers import MAKERS, data_root, dataset_for, make, make_noisy, make_point_maze
from warmstart.envs.make import make_env
from warmstart.errors import TaskError
from warmstart.tasks import TASKS, DataSource, custom_task, get_task


@pytest.fixture(scope="module", params=["pointmaze-umaze", "jax-pointmaze-umaze"])
def maze_env(request):
    env = make_env(get_task(request.param))()
    yield env
    env.close()


def test_maze_rows_tell_the_truth(maze_env):
    dataset = make_point_maze(maze_env, 0, 12, maze="umaze")
    assert len(dataset.episodes()) == 12
    near = np.linalg.norm(dataset.next_obs[:, :2] - [-1.0, 1.0], axis=1) <= 0.45
    assert np.array_equal(near, dataset.rewards == 1)
    assert np.array_equal(near, dataset.terminated)
    assert np.abs(dataset.actions).max() <= 1 and dataset.obs.dtype == np.float32
    assert dataset.info["success_rate"] == pytest.approx(dataset.rewards.sum() / 12)
    assert not examine(dataset, maze_env).of("error", "warning")


def test_controller_finds_the_goal_when_it_heads_there(maze_env):
    dataset = make_point_maze(maze_env, 0, 8, maze="umaze", goal_share=1.0, noise=0.0)
    assert dataset.info["success_rate"] == 1.0
    assert len(dataset) / 8 < 150


def test_a_longer_log_begins_like_a_shorter(maze_env):
    short = make_point_maze(maze_env, 5, 2, maze="umaze")
    long = make_point_maze(maze_env, 5, 3, maze="umaze")
    assert np.array_equal(long.obs[: len(short)], short.obs)


def test_controller_crosses_the_large_maze():
    env = make_env(get_task("jax-pointmaze-large"))()
    dataset = make_point_maze(env, 0, 4, maze="large", goal_share=1.0, noise=0.5)
    assert dataset.info["success_rate"] == 1.0


def test_maker_refuses_what_it_cannot_steer(maze_env):
    toy = make_env(custom_task("Pendulum-v1"))()
    with pytest.raises(TaskError, match="pointmaze task"):
        make_point_maze(toy, 0, 1)
    with pytest.raises(TaskError, match="between 0 and 1"):
        make_point_maze(maze_env, 0, 1, goal_share=1.5)
    with pytest.raises(TaskError, match="1 or more"):
        make_point_maze(maze_env, 0, 0)


def test_noisy_policy_on_a_robot():
    env = make_env(get_task("hopper"))()
    seen = []
    dataset = make_noisy(env, 0, 3, lambda *done: seen.append(done), noise=0.1)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert dataset.obs.shape[1] == 11 and dataset.terminated.sum() == 3
    env.close()


def test_made_once_then_recognised(tmp_path):
    task, calls = get_task("jax-pointmass"), []
    folder = make(task, tmp_path, seed=1, size=3, progress=lambda *done: calls.append(done))
    again = make(task, tmp_path, seed=1, size=3, progress=lambda *done: calls.append(done))
    assert again == folder and len(calls) == 3
    assert make(task, tmp_path, seed=2, size=3) != folder
    assert read_folder(folder).info["name"] == "jax-pointmass"
    loaded = load(folder)
    assert len(loaded) == 150 and np.abs(loaded.actions).max() < 1
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["recipe"]["seed"] == 1 and manifest["statistics"]["episodes"] == 3
    assert {"mujoco", "gymnasium", "jax"} <= set(manifest["packages"])


def test_the_users_file_is_rescaled_from_the_environments_box(tmp_path):
    file, n = tmp_path / "mine.npz", 201
    np.savez(
        file,
        obs=np.zeros((n, 3)),
        actions=np.full((n, 1), 1.0),
        rewards=np.zeros(n),
        terminated=np.zeros(n),
    )
    data = dataset_for(custom_task("Pendulum-v1", data_path=str(file)))
    assert np.allclose(data.actions, 0.5)  # torque 1 of at most 2
    assert [stop - start for start, stop in data.episodes()] == [199]  # its limit is 200 steps


def test_a_made_dataset_comes_by_the_same_door(tmp_path):
    data = dataset_for(get_task("jax-pointmass"), tmp_path, size=2)
    assert len(data) == 100 and len(list(tmp_path.iterdir())) == 1


def test_an_environment_without_a_time_limit_is_refused():
    from warmstart.data.makers import roll
    from warmstart.types import Spec

    class Endless:
        spec = Spec(1, 1)

    with pytest.raises(TaskError, match="no time limit"):
        roll(Endless(), lambda rng: lambda obs: obs, 0, 1)


def test_tasks_without_a_maker_say_what_to_do():
    with pytest.raises(TaskError, match="dataset of your own"):
        make(get_task("hopper"))
    with pytest.raises(TaskError, match="'point_maze'"):
        make(replace(get_task("jax-pointmass"), data=DataSource(maker="point_maz")))


def test_data_root_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("WARMSTART_DATA", str(tmp_path))
    assert data_root() == tmp_path
    monkeypatch.delenv("WARMSTART_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_root() == tmp_path / "cache" / "warmstart"


MADE = [t for t in TASKS.values() if t.data and t.data.maker in MAKERS]


def test_only_a_training_repeated_has_no_maker_of_its_own():
    assert {t.data.maker for t in TASKS.values() if t.data and t not in MADE} <= {"training"}


@pytest.mark.parametrize("task", MADE, ids=lambda t: t.name)
def test_every_maker_of_the_catalogue_takes_what_the_task_gives_it(task):
    maker = MAKERS[task.data.maker]
    taken = inspect.signature(maker).parameters
    assert list(taken)[:4] == ["env", "seed", "episodes", "progress"]
    assert set(task.data.kwargs) <= set(taken)
    assert isinstance(taken["episodes"].default, int) and task.size_note
