"""Walks of the ant: the walker is told the way, and the rows are the task's own."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from warmstart.data.makers import ant_walks
from warmstart.envs.make import make_env
from warmstart.errors import TaskError
from warmstart.tasks import get_task


class Told:
    """A walker that stands still and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[np.ndarray] = []

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        self.asked.append(obs)
        return np.zeros(8, np.float32)


def _walk(
    monkeypatch: pytest.MonkeyPatch, kind: str, episodes: Any, task: str = "ogbench-antmaze-medium"
) -> tuple[Any, Told]:
    told = Told()
    record: Any = type("Record", (), {"best": None})
    monkeypatch.setattr(ant_walks, "behaviour", lambda name: record)
    monkeypatch.setattr(ant_walks, "load_policy", lambda *args: told)
    env = make_env(get_task(task))()
    data = ant_walks.make_ant_walks(env, 4, episodes, kind=kind)
    env.close()
    return data, told


def test_the_walker_is_told_a_direction_and_the_rows_are_the_tasks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, told = _walk(monkeypatch, "stitch", 2)
    assert data.obs.shape == (400, 29) and data.actions.shape == (400, 8)
    assert np.flatnonzero(data.ends).tolist() == [199, 399]
    asked = np.array(told.asked)
    np.testing.assert_allclose(np.linalg.norm(asked[:, -2:], axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(asked[:, :27], data.obs[:, 2:], atol=1e-5)
    assert set(np.unique(data.rewards)) <= {-1.0, 0.0}
    assert 0.15 < np.std(data.actions) < 0.25
    again, _ = _walk(monkeypatch, "stitch", range(1, 2))
    np.testing.assert_array_equal(again.obs, data.obs[200:])


def test_the_stronger_ant_takes_a_fifth_of_each_action_and_its_own_reward(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, told = _walk(monkeypatch, "navigate", 1, "antmaze-umaze")
    assert data.obs.shape == (700, 29) and 0.03 < np.std(data.actions) < 0.05
    assert np.abs(data.actions).max() <= 0.2
    np.testing.assert_allclose(np.array(told.asked)[:, :27], data.obs[:, 2:], atol=1e-5)
    assert set(np.unique(data.rewards)) <= {0.0, 1.0}
    assert data.obs[:, 2].min() > 0.3 and np.abs(data.obs[:, :2]).max() < 6.0


def test_the_shipped_walker_walks() -> None:
    env = make_env(get_task("ogbench-antmaze-medium"))()
    data = ant_walks.make_ant_walks(env, 0, 1, kind="stitch")
    env.close()
    steps = np.linalg.norm(data.next_obs[:, :2] - data.obs[:, :2], axis=1)
    assert steps.mean() > 0.08  # metres in a tenth of a second


def test_other_environments_and_kinds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TaskError, match="Did you mean 'stitch'"):
        _walk(monkeypatch, "stich", 1)
    env = make_env(get_task("ogbench-pointmaze-medium-navigate"))()
    with pytest.raises(TaskError, match="ogbench-antmaze"):
        ant_walks.make_ant_walks(env, 0, 1)


def test_another_walker_is_another_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("warmstart.data.makers.make")
    monkeypatch.setattr(module, "weights_hash", lambda *of: repr(of).encode())
    hashes = set()
    for level in ("medium", "good"):
        monkeypatch.setattr(module, "walker_level", lambda level=level: level)
        hashes.add(module._policy_hash(ant_walks.make_ant_walks, {"kind": "stitch"}))
    assert len(hashes) == 2
