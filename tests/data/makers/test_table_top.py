"""OGBench's table tops: streams that are labelled afterwards, and demonstrations."""

import importlib
import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from warmstart.data import content_hash, read_manifest
from warmstart.data.makers import make, make_table_top
from warmstart.data.makers.table_top import labels, streams
from warmstart.data.makers.table_top.subtasks import next_subtask
from warmstart.envs.make import make_env
from warmstart.errors import TaskError
from warmstart.tasks import TASKS, custom_task, get_task

make_module = importlib.import_module("warmstart.data.makers.make")
_CENTRE = np.array([0.425, 0.0, 0.0])  # of OGBench's observations, which are ten times metres


@pytest.fixture(scope="module")
def cube():
    env = make_env(replace(get_task("cube-single-play-task1"), horizon=100))()
    yield env
    env.close()


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(streams, "STREAM", 130)


def _is_home(obs):
    where = obs[:, 19:22] / 10.0 + _CENTRE
    return np.linalg.norm(where - [0.425, -0.1, 0.02], axis=1) <= 0.04


def test_demonstration_ends_at_the_goal(cube):
    data = make_table_top(cube, 0, 1, kind="demos")
    assert data.info["success_rate"] == 1.0 and len(data) < 100
    assert data.terminated[-1] and data.terminated.sum() == 1
    assert np.array_equal(data.rewards, _is_home(data.obs) - 1.0)
    assert np.array_equal(data.terminated, _is_home(data.obs))


def test_streams_are_labelled_by_the_state_before_the_action_and_cut_at_the_limit(cube, short):
    before = np.random.get_state()[1].copy()
    data = make_table_top(cube, 3, 2, kind="noisy")
    assert np.array_equal(before, np.random.get_state()[1])  # the global generator is put back
    assert len(data) == 260 and np.abs(data.actions).max() <= 1
    assert np.array_equal(data.rewards, _is_home(data.obs) - 1.0)
    assert np.array_equal(data.terminated, data.rewards == 0)
    assert all(stop - start <= 100 for start, stop in data.episodes())
    joined = np.flatnonzero(~data.ends)
    assert np.array_equal(data.next_obs[joined], data.obs[joined + 1])
    assert len(data.info["successes"]) == len(data.episodes())


def test_parts_equal_the_whole(cube, short):
    whole = make_table_top(cube, 1, 3, kind="play", demo_every=2)
    parts = [make_table_top(cube, 1, range(i, i + 1), kind="play", demo_every=2) for i in range(3)]
    assert np.array_equal(whole.obs, np.concatenate([part.obs for part in parts]))
    assert content_hash(whole) == content_hash(
        make_table_top(cube, 1, 3, kind="play", demo_every=2)
    )
    assert parts[1].info["successes"] == [True]  # the demonstration
    assert len(parts[0]) == len(parts[2]) == 130


def test_goal_rows_behind_the_first_are_episodes_of_one_row(cube, monkeypatch):
    def label(name, env, rows):
        assert name == "cube-single-singletask-task1-v0"
        rows |= {"rewards": np.array([-1, 0, 0, -1.0]), "masks": np.array([1, 0, 0, 1.0])}

    monkeypatch.setattr("ogbench.relabel_utils.relabel_dataset", label)
    obs, actions = np.zeros((5, 28), np.float32), np.zeros((4, 5), np.float32)
    data = labels.labelled(cube.simulator, obs, actions, horizon=100, stream=4)
    assert data.episodes() == [(0, 2), (2, 3), (3, 4)]
    assert data.info["successes"] == [True, False, False]
    assert data.truncated.tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    "scene",
    [
        "cube-double",
        pytest.param("scene", marks=pytest.mark.laws),
        pytest.param("puzzle-3x3", marks=pytest.mark.laws),
    ],
)
def test_streams_of_one_task_serve_another_of_its_scene(scene, tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "STREAM", 60)
    monkeypatch.setattr(make_module, "relabel", lambda env, data: labels.relabel(env, data, 60))
    first, second = (get_task(f"{scene}-noisy-task{n}") for n in (1, 2))
    make(first, tmp_path / "both", size=2)
    again = read_manifest(make(second, tmp_path / "alone", size=2))
    with monkeypatch.context() as patch:
        patch.setattr(streams, "_wander", None)  # nobody wanders again
        taken = read_manifest(make(second, tmp_path / "both", size=2))
    assert (taken["recipe"], taken["sha256"]) == (again["recipe"], again["sha256"])
    assert taken["statistics"] == again["statistics"]
    demos = {**taken["recipe"], "kwargs": {"kind": "demos"}}
    assert not labels.same_streams(demos, {**demos, "task": "other"})
    assert not labels.same_streams(taken["recipe"], {**taken["recipe"], "seed": 1})


def test_episode_is_a_function_of_its_seed(cube):
    def episode():
        rows = [cube.reset(7)]
        actions = np.random.default_rng(0).uniform(-1, 1, (20, 5))
        return np.array(rows + [cube.step(action).obs for action in actions])

    first = episode()
    cube.reset(8)
    assert np.array_equal(first, episode())


def test_what_it_cannot_do_is_refused(cube):
    with pytest.raises(TaskError, match="Did you mean 'noisy'"):
        make_table_top(cube, 0, 1, kind="noisi")
    with pytest.raises(TaskError, match="between 0 and 1"):
        make_table_top(cube, 0, 1, random_share=2.0)
    with pytest.raises(TaskError, match="cube, scene or puzzle task"):
        make_table_top(make_env(custom_task("Pendulum-v1"))(), 0, 1)


def test_every_position_of_the_puzzle_is_solved_by_its_errands():
    cells = list(itertools.product(range(3), range(3)))
    for position in np.random.default_rng(0).integers(0, 2, (20, 9)):
        bare = SimpleNamespace(
            _num_rows=3,
            _num_cols=3,
            _cur_button_states=position.copy(),
            _target_button_states=np.ones(9, int),
            _data=SimpleNamespace(site_xpos=np.zeros((9, 3))),
            _button_site_ids=list(range(9)),
        )
        for _ in range(10):
            if np.array_equal(bare._cur_button_states, bare._target_button_states):
                break
            info = {
                f"privileged/button_{i}_state": s for i, s in enumerate(bare._cur_button_states)
            }
            subtask = next_subtask(bare, info, np.random.default_rng(0))
            pressed = cells[subtask.told["privileged/target_button"]]
            for i, (row, column) in enumerate(cells):
                if abs(row - pressed[0]) + abs(column - pressed[1]) <= 1:
                    bare._cur_button_states[i] ^= 1
        assert np.array_equal(bare._cur_button_states, bare._target_button_states)


@pytest.mark.parametrize("scene", ["scene", "puzzle-3x3"])
def test_demonstrations_are_paid_as_streams_are_labelled(scene):
    env = make_env(get_task(f"{scene}-demos-task1"))()
    data = make_table_top(env, 0, 1, kind="demos")
    again = labels.relabel(env, data, stream=len(data))
    env.close()
    assert data.terminated[-1] and data.rewards[-1] == 0 and len(set(data.rewards.tolist())) == 3
    assert np.array_equal(data.rewards, again.rewards)
    assert np.array_equal(data.terminated, again.terminated)


@pytest.mark.laws
@pytest.mark.parametrize("name", sorted(name for name in TASKS if "-demos-" in name))
def test_demonstrations_of_every_task(name):
    env = make_env(get_task(name))()
    data = make_table_top(env, 0, 4, kind="demos")
    env.close()
    assert data.info["success_rate"] >= 0.75
