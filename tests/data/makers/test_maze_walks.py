"""Navigate, stitch and noisy walks; sparse and dense rows; many goals; OGBench's mazes."""

import glob
import os
import tempfile
from dataclasses import replace

import numpy as np
import pytest

from warmstart.data import load, read_manifest
from warmstart.data.checks import examine
from warmstart.data.makers import make, make_maze_walks, make_point_maze
from warmstart.envs.make import make_env
from warmstart.errors import TaskError
from warmstart.tasks import DataSource, custom_task, get_maze, get_task


@pytest.fixture(scope="module")
def umaze():
    env = make_env(replace(get_task("pointmaze-umaze"), start_cells=()))()
    yield env
    env.close()


@pytest.fixture(scope="module")
def medium():
    env = make_env(replace(get_task("pointmaze-medium-navigate"), start_cells=()))()
    yield env
    env.close()


@pytest.mark.parametrize("kind", ["navigate", "stitch", "noisy"])
def test_walks_tell_the_truth_about_one_goal(umaze, kind):
    data = make_maze_walks(umaze, 0, 8, kind=kind)
    near = np.linalg.norm(data.next_obs[:, :2] - [-1.0, 1.0], axis=1) <= 0.45
    assert near.any() and np.array_equal(near, data.rewards == 1)
    assert np.array_equal(near, data.terminated)
    assert np.linalg.norm(data.obs[:, :2] - [-1.0, 1.0], axis=1).min() > 0.45
    assert len(data.info["successes"]) == len(data.episodes()) > 3
    assert not examine(data, umaze, get_task("pointmaze-umaze")).of("error", "warning")


def test_navigation_crosses_the_maze_and_stitching_does_not(medium):
    maze = get_maze("medium")
    far = {}
    for kind in ("navigate", "stitch"):
        data = make_maze_walks(medium, 0, 6, kind=kind)
        far[kind] = 0
        for start, stop in data.episodes():
            way = maze.distances(maze.cell(*data.obs[start, :2]))
            cells = [maze.cell(*xy) for xy in data.obs[start:stop, :2]]
            far[kind] = max(far[kind], *(way[cell] for cell in cells))
    # Between two targets, each within 4 cells of the start, a walk may stray a little farther.
    assert far["navigate"] > 8 >= far["stitch"]


def test_noisy_walks_are_mostly_random_and_still_arrive(medium):
    calm, wild = (make_maze_walks(medium, 0, 4, kind=kind) for kind in ("navigate", "noisy"))

    def turns(data):
        return np.mean(data.actions[1:] * data.actions[:-1] < 0)

    assert turns(wild) > 0.35 > 0.25 > turns(calm)
    assert any(wild.info["successes"])


def test_walks_are_made_in_parts_to_the_same_rows(medium):
    whole, part = (make_maze_walks(medium, 3, which, kind="stitch") for which in (4, range(2, 4)))
    assert np.array_equal(whole.obs[-len(part) :], part.obs)


def test_the_jax_maze_has_walks_too():
    env = make_env(replace(get_task("jax-pointmaze-umaze"), start_cells=()))()
    data = make_maze_walks(env, 0, 2, kind="stitch")
    assert not examine(data, env).of("error", "warning")


@pytest.mark.parametrize("name", ["pointmaze-umaze", "pointmaze-umaze-navigate"])
def test_sparse_and_dense_data_are_the_same_rows(tmp_path, name):
    sparse, dense = (
        load(make(get_task(f"{name}{tail}"), tmp_path, size=3)) for tail in ("", "-dense")
    )
    assert np.array_equal(sparse.obs, dense.obs) and np.array_equal(sparse.actions, dense.actions)
    assert np.array_equal(sparse.terminated, dense.terminated)
    distance = np.linalg.norm(dense.next_obs[:, :2] - [-1.0, 1.0], axis=1)
    assert np.allclose(dense.rewards, np.exp(-distance), atol=1e-5)


def test_dense_reward_is_what_the_environment_pays():
    task = get_task("pointmaze-umaze-dense")
    env = make_env(task)()
    obs = env.reset(0)
    step = env.step(np.zeros(2))
    assert step.reward == pytest.approx(np.exp(-np.linalg.norm(step.obs[:2] - [-1.0, 1.0])))
    assert task.reward(step.reward) < 0 and obs.shape == (4,)
    env.close()


def test_in_the_diverse_maze_the_goal_is_observed_and_reached():
    task = get_task("pointmaze-large-diverse")
    env = make_env(task)()
    data = make_point_maze(env, 0, 6, maze="large", noise=0.5, goal_share=1.0)
    starts = [start for start, _ in data.episodes()]
    assert len({tuple(np.round(data.obs[start, 2:4])) for start in starts}) > 2
    assert np.array_equal(data.obs[:, :2], data.obs[:, 4:6])
    reached = np.linalg.norm(data.next_obs[:, :2] - data.next_obs[:, 2:4], axis=1) <= 0.45
    assert np.array_equal(reached, data.terminated)
    assert data.info["success_rate"] == 1.0
    env.close()


def first_cells(folder, maze):
    data = load(folder)
    return {maze.cell(*data.obs[start, :2]) for start, _ in data.episodes()}


def test_walks_start_anywhere_and_trips_where_the_task_starts(tmp_path):
    maze = get_maze("medium")
    walks, trips = (
        first_cells(make(get_task(name), tmp_path, size=12), maze)
        for name in ("pointmaze-medium-stitch", "pointmaze-medium")
    )
    assert len(walks) > 6 and trips == set(maze.start_cells)


def test_other_starts_are_other_data(tmp_path):
    task = get_task("jax-pointmaze-umaze")
    older = replace(task, start_cells=())
    new, old = (make(which, tmp_path, size=2) for which in (task, older))
    assert new != old and read_manifest(new)["recipe"]["start_cells"] == [[3, 1]]
    assert "start_cells" not in read_manifest(old)["recipe"]


def test_walks_need_a_maze_with_one_goal():
    with pytest.raises(TaskError, match="point maze with one goal"):
        make_maze_walks(make_env(custom_task("Pendulum-v1"))(), 0, 1)
    with pytest.raises(TaskError, match="point maze with one goal"):
        make_maze_walks(make_env(get_task("pointmaze-large-diverse"))(), 0, 1)
    with pytest.raises(TaskError, match="Did you mean 'stitch'"):
        make_maze_walks(make_env(get_task("pointmaze-umaze"))(), 0, 1, kind="stich")


def test_size_by_rows_and_the_same_hash_again(tmp_path):
    task = get_task("pointmaze-umaze-stitch")
    one, two = (read_manifest(make(task, tmp_path / x, rows=1000)) for x in "ab")
    assert one["sha256"] == two["sha256"] and 1000 <= one["statistics"]["rows"] < 1200
    assert one["recipe"]["rows"] == 1000 and len(one["recipe"]["policy"]) == 64


@pytest.fixture(scope="module")
def theirs():
    pytest.importorskip("ogbench")
    before = set(glob.glob(os.path.join(tempfile.gettempdir(), "*.xml")))
    env = make_env(get_task("ogbench-pointmaze-medium-navigate"))()
    assert set(glob.glob(os.path.join(tempfile.gettempdir(), "*.xml"))) <= before
    yield env
    env.close()


def test_ogbench_starts_are_a_function_of_the_seed(theirs):
    assert np.array_equal(theirs.reset(4), theirs.reset(4))
    assert not np.array_equal(theirs.reset(4), theirs.reset(5))
    np.random.seed(7)
    want = np.random.random()
    np.random.seed(7)
    theirs.reset(1)
    assert np.random.random() == want  # the user's generator is left as it was


def test_ogbench_walks_agree_with_the_environments_reward(theirs):
    data = make_maze_walks(theirs, 0, 5, kind="stitch")
    bare = theirs.simulator
    task = get_task("ogbench-pointmaze-medium-stitch")
    assert not examine(data, theirs, task).of("error")
    rng = np.random.default_rng(0)
    for row in [*rng.choice(len(data), 20), *np.flatnonzero(data.terminated)[:3]]:
        theirs.reset(0)
        bare.set_xy(data.obs[row])
        step = theirs.step(data.actions[row])
        assert (step.reward, step.terminated) == (data.rewards[row], data.terminated[row])
        assert np.allclose(step.obs, data.next_obs[row], atol=1e-4)


def test_ogbench_walks_start_anywhere_and_reach_the_goal(theirs):
    data = make_maze_walks(theirs, 1, 8, kind="navigate")
    starts = data.obs[[start for start, _ in data.episodes()]]
    assert np.ptp(starts, axis=0).min() > 8
    assert any(data.info["successes"])


@pytest.mark.parametrize(
    ("name", "width"),
    [("antmaze-umaze", 29), ("antmaze-large", 29), ("ogbench-antmaze-medium", 29)],
)
def test_ant_mazes_are_tasks_without_data(name, width):
    if name.startswith("ogbench"):
        pytest.importorskip("ogbench")
    task = get_task(name)
    env = make_env(task)()
    assert (env.spec.obs_dim, env.spec.action_dim, env.spec.horizon) == (29, 8, task.horizon)
    obs = env.reset(2)
    assert np.array_equal(obs, env.reset(2))
    step = env.step(np.zeros(8))
    assert not step.success and np.linalg.norm(step.obs[:2] - obs[:2]) < 0.5
    if task.goal_cell is not None:
        goal = env.simulator.goal
        assert np.allclose(goal, env.simulator.maze.cell_rowcol_to_xy(np.array(task.goal_cell)))
    with pytest.raises(TaskError, match="dataset of your own"):
        make(task)
    env.close()


def test_a_task_whose_maker_is_unknown_names_the_nearest():
    task = replace(get_task("pointmaze-umaze"), data=DataSource(maker="maze_walk"))
    with pytest.raises(TaskError, match="'maze_walks'"):
        make(task)
