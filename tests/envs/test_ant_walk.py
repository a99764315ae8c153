"""The walker's environment: an episode is a function of its seed, the reward a displacement."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from warmstart.envs.make import make_env
from warmstart.errors import TaskError
from warmstart.tasks import get_task


def _walk(seed: int, steps: int) -> tuple[np.ndarray, list[float]]:
    env: Any = make_env(get_task("ant-walk"))()
    rng, seen, rewards = np.random.default_rng(1), [env.reset(seed)], []
    for _ in range(steps):
        before = env.simulator.data.qpos[:2].copy()
        way = seen[-1][-2:]
        out = env.step(rng.uniform(-1, 1, 8))
        moved = env.simulator.data.qpos[:2] - before
        assert out.reward == pytest.approx(float(moved @ way), abs=1e-6)
        seen.append(out.obs)
        rewards.append(out.reward)
    env.close()
    return np.array(seen), rewards


def test_an_episode_is_a_function_of_its_seed() -> None:
    first, second, other = _walk(5, 205), _walk(5, 205), _walk(6, 3)
    np.testing.assert_array_equal(first[0], second[0])
    assert first[1] == second[1] and not np.array_equal(first[0][:3], other[0][:3])
    ways = first[0][:, -2:]
    turns = np.flatnonzero(np.any(np.diff(ways, axis=0) != 0, axis=1)) + 1
    assert turns.tolist() == [100, 200]
    np.testing.assert_allclose(np.linalg.norm(ways, axis=1), 1.0, rtol=1e-6)


def test_without_ogbench_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ogbench.online_locomotion.ant", None)
    with pytest.raises(TaskError, match=r"warmstart\[manipulation\]"):
        make_env(get_task("ant-walk"))()
