"""D4RL's maze2d, made here: what is paid, where it starts, and how the stream is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from warmstart.data import load, read_manifest
from warmstart.data.makers import make, make_maze2d, maze2d
from warmstart.envs.make import make_env
from warmstart.errors import TaskError
from warmstart.tasks import MAZES, get_task
from warmstart.types import Dataset

GOAL = np.array([-1.0, 1.0])


@pytest.fixture(scope="module")
def umaze() -> Any:
    pytest.importorskip("gymnasium_robotics")
    env = make_env(get_task("maze2d-umaze"))()
    yield env
    env.close()


@pytest.fixture(scope="module")
def rows(umaze: Any) -> Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maze2d, "STREAM", 3_000)
        return make_maze2d(umaze, 0, 2)


@pytest.mark.parametrize("size", sorted(MAZES))
def test_the_tasks_are_d4rls(size: str) -> None:
    task = get_task(f"maze2d-{size}")
    limit, reference = {
        "umaze": (300, (23.85, 161.86)),
        "medium": (600, (13.13, 277.39)),
        "large": (800, (6.7, 273.99)),
    }[size]
    assert (task.horizon, task.reference, task.success) == (limit, reference, False)
    assert (task.reward(1.0), task.discount, task.return_rule) == (1.0, 0.99, "finite")
    assert task.data is not None and task.data.rows == 1_000_000


def test_staying_at_the_goal_pays_until_the_time_is_up(umaze: Any) -> None:
    umaze.reset(0)
    umaze.simulator.point_env.set_state(GOAL + np.array([0.0, -0.35]), np.zeros(2))
    steps = [umaze.step(np.zeros(2, np.float32)) for _ in range(300)]
    assert all(step.reward == 1.0 and not step.terminated for step in steps)
    assert [step.truncated for step in steps] == [False] * 299 + [True]
    assert steps[0].obs.shape == (4,)
    umaze.reset(0)
    for away, paid in ((0.49, 1.0), (0.51, 0.0)):  # to the right, where no wall is
        umaze.simulator.point_env.set_state(GOAL + np.array([away, 0.0]), np.zeros(2))
        assert umaze.step(np.zeros(2, np.float32)).reward == paid


def test_episodes_start_in_any_cell_the_goals_included(umaze: Any) -> None:
    starts = np.array([umaze.reset(seed) for seed in range(150)])
    maze = MAZES["umaze"]
    assert {maze.cell(*xy) for xy in starts[:, :2]} == set(map(tuple, maze.free.tolist()))
    middle = np.array([maze.centre(np.array(maze.cell(*xy))) for xy in starts[:, :2]])
    assert 0.08 < np.abs(starts[:, :2] - middle).max() <= 0.1
    assert starts[:, 2:].std() == pytest.approx(0.1, rel=0.2)
    assert np.array_equal(umaze.reset(3), umaze.reset(3))


def test_the_stream_goes_on_behind_a_cut_and_nothing_ends(rows: Dataset) -> None:
    assert len(rows) == 6_000 and not rows.terminated.any()
    inside = np.ones(len(rows), bool)
    inside[[2_999, 5_999]] = False  # where the ball starts again
    assert np.array_equal(rows.obs[1:][inside[:-1]], rows.next_obs[:-1][inside[:-1]])
    near = np.linalg.norm(rows.next_obs[:, :2] - GOAL, axis=1) <= 0.5
    assert np.array_equal(rows.rewards == 1.0, near) and 0.02 < near.mean() < 0.3
    assert np.isin(rows.rewards, (0.0, 1.0)).all()


def test_a_trip_ends_at_the_middle_of_a_cell_or_with_the_time(rows: Dataset) -> None:
    maze = MAZES["umaze"]
    episodes = rows.episodes()
    lengths = np.array([stop - start for start, stop in episodes])
    assert lengths.max() <= 300 and 30 < lengths.mean() < 150
    ends = rows.obs[[stop - 1 for _, stop in episodes if stop % 3_000], :2]
    middles = np.array([maze.centre(np.array(maze.cell(*xy))) for xy in ends])
    assert np.linalg.norm(ends - middles, axis=1).max() < 0.1
    assert rows.info["success_rate"] == np.mean(
        [rows.rewards[start:stop].any() for start, stop in episodes]
    )


def test_a_trip_that_does_not_arrive_is_cut_after_the_time_limit() -> None:
    way = maze2d.Waypoints(MAZES["umaze"], np.random.default_rng(0))
    for _ in range(650):
        way(np.array([1.0, 0.3, 0.0, 0.0]))  # held fast
    assert way.cuts == [300, 600]


def test_it_is_made_in_parts_to_the_same_rows(
    umaze: Any, rows: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maze2d, "STREAM", 3_000)
    part = make_maze2d(umaze, 0, range(1, 2))
    assert np.array_equal(part.obs, rows.obs[3_000:])
    assert np.array_equal(part.truncated, rows.truncated[3_000:])


def test_made_as_a_task_and_read_again(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maze2d, "STREAM", 1_000)
    folder = make(get_task("maze2d-umaze"), tmp_path, rows=1_500)
    data, recipe = load(folder), read_manifest(folder)["recipe"]
    assert 1_500 <= len(data) < 1_800 and data.truncated[-1] and not data.terminated.any()
    assert "gymnasium-robotics" in recipe["packages"] and recipe["maker"] == "maze2d"


def test_other_environments_are_refused() -> None:
    env = make_env(get_task("jax-pointmaze-umaze"))()
    with pytest.raises(TaskError, match="needs a maze2d task"):
        make_maze2d(env, 0, 1)
