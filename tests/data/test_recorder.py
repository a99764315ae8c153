"""Steps of vector environments become transitions, and nothing that a reset invented does."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from warmstart.data import ACTION_LIMIT, load
from warmstart.data.recorder import Recorder
from warmstart.errors import DataError, TaskError

Pair = dict[str, np.ndarray]


class Counter(gymnasium.Env[Any, np.ndarray]):
    """Observes (episode, step); terminates or is cut after `length` steps; rewards the step."""

    action_space = spaces.Box(-2.0, 2.0, (1,), np.float32)

    def __init__(self, length: int, dies: bool, nested: bool = False) -> None:
        self.length, self.dies, self.nested = length, dies, nested
        flat = spaces.Box(-np.inf, np.inf, (2,), np.float32)
        self.observation_space = spaces.Dict({"b": flat, "a": flat}) if nested else flat
        self.episode, self.now = -1, 0

    def observed(self) -> Any:
        flat = np.array([self.episode, self.now], np.float32)
        return {"a": flat, "b": flat + 100} if self.nested else flat

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.episode, self.now = self.episode + 1, 0
        return self.observed(), {"success": False}

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.now += 1
        end = self.now == self.length
        info = {"success": end and self.dies}
        return self.observed(), float(self.now), end and self.dies, end and not self.dies, info


def recorded(mode: AutoresetMode, steps: int, nested: bool = False) -> Recorder:
    makers = [partial(Counter, 3, True, nested), partial(Counter, 4, False, nested)]
    envs = SyncVectorEnv(makers, autoreset_mode=mode)
    recorder = Recorder(envs)
    obs, _ = envs.reset(seed=0)
    recorder.reset(obs)
    for _ in range(steps):
        actions = np.array([[1.0], [-2.0]], np.float32)
        step = envs.step(actions)
        recorder.step(actions, *step)
        ended = step[2] | step[3]
        if mode is AutoresetMode.DISABLED and ended.any():
            obs, _ = envs.reset(options={"reset_mask": ended})
            recorder.reset(obs, ended)
    envs.close()
    return recorder


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_every_row_is_a_step_that_was_taken(mode: AutoresetMode) -> None:
    data = recorded(mode, 13).dataset()
    assert np.array_equal(data.obs[:, 0], data.next_obs[:, 0])  # never from one episode to the next
    assert np.array_equal(data.next_obs[:, 1], data.obs[:, 1] + 1)
    assert np.array_equal(data.rewards, data.next_obs[:, 1])
    ended = data.next_obs[data.terminated | data.truncated]
    assert set(data.next_obs[data.terminated][:, 1]) == {3.0}  # the true last observation
    assert 4.0 in ended[:, 1]
    assert data.success is not None and np.array_equal(data.success, data.terminated)
    for start, stop in data.episodes():
        assert np.array_equal(data.obs[start:stop, 1], np.arange(stop - start))
    # NEXT_STEP spends a call on every reset: 13 calls are 10 and 11 steps.
    assert len(data) == (21 if mode is AutoresetMode.NEXT_STEP else 26)


def test_arrays_that_the_caller_fills_again_keep_their_rows() -> None:
    envs = SyncVectorEnv([partial(Counter, 2, True)], autoreset_mode=AutoresetMode.SAME_STEP)
    recorder = Recorder(envs)
    recorder.reset(envs.reset(seed=0)[0])
    actions, last = np.zeros((1, 1), np.float32), np.zeros(2, np.float32)
    for number in range(4):
        actions[:] = number / 2
        obs, rewards, terminated, truncated, info = envs.step(actions)
        if terminated[0]:
            last[:] = info["final_obs"][0]
            info = {"final_obs": np.array([last, None], object)}
        recorder.step(actions, obs, rewards, terminated, truncated, info)
    data = recorder.dataset()
    assert np.allclose(data.actions[:, 0], [0, 0.25, 0.5, 0.75])
    assert data.next_obs.tolist() == [[0, 1], [0, 2], [1, 1], [1, 2]]


def test_actions_are_in_the_unit_box_and_dicts_are_joined_by_key() -> None:
    data = recorded(AutoresetMode.SAME_STEP, 5, nested=True).dataset()
    assert set(data.actions[:, 0]) == {np.float32(0.5), np.float32(-ACTION_LIMIT)}
    assert data.obs.shape == (10, 4)
    assert np.array_equal(data.obs[:, 2:], data.obs[:, :2] + 100)
    assert np.array_equal(data.next_obs[:, 2:], data.next_obs[:, :2] + 100)


def test_what_was_recorded_can_be_saved_and_opened(tmp_path: Path) -> None:
    recorder = recorded(AutoresetMode.NEXT_STEP, 9)
    data, back = recorder.dataset(), load(recorder.save(tmp_path / "logged"))
    assert len(recorder) == len(data) == len(back)
    for name in ("obs", "actions", "rewards", "terminated", "truncated", "next_obs", "success"):
        assert np.array_equal(getattr(back, name), getattr(data, name)), name
    assert back.info["manifest"]["statistics"]["success_rate"] > 0


def test_environments_made_by_an_id_are_named() -> None:
    envs = gymnasium.make_vec("Pendulum-v1", 2, vectorization_mode="sync", g=9.0)
    recorder, actions = Recorder(envs), np.zeros((2, 1), np.float32)
    recorder.reset(envs.reset(seed=0)[0])
    recorder.step(actions, *envs.step(actions))
    envs.close()
    info = recorder.dataset().info
    assert info["env_id"] == "Pendulum-v1" and info["env_kwargs"]["g"] == 9.0
    assert "env_id" not in recorded(AutoresetMode.SAME_STEP, 1).dataset().info


def test_what_cannot_be_recorded_is_refused() -> None:
    envs = SyncVectorEnv([partial(Counter, 2, True)], autoreset_mode=AutoresetMode.SAME_STEP)
    recorder, action = Recorder(envs), np.zeros((1, 1), np.float32)
    with pytest.raises(DataError, match="was not reset"):
        recorder.step(action, *envs.step(action)) if envs.reset() else None
    with pytest.raises(DataError, match="Nothing was recorded"):
        recorder.dataset()
    recorder.reset(envs.reset()[0])
    recorder.step(action, *envs.step(action))
    with pytest.raises(DataError, match="final_obs"):
        recorder.step(action, *envs.step(action)[:4])
    with pytest.raises(DataError, match=r"shape \(1, 1\)"):
        recorder.reset(np.zeros((1, 1)))
    envs.metadata["autoreset_mode"] = None
    with pytest.raises(DataError, match="does not say how it resets"):
        Recorder(envs)
    envs.single_action_space = spaces.Discrete(2)
    with pytest.raises(TaskError, match="continuous"):
        Recorder(envs)


def test_a_step_after_an_end_without_a_reset_is_refused() -> None:
    envs = SyncVectorEnv([partial(Counter, 1, True)], autoreset_mode=AutoresetMode.DISABLED)
    recorder, action = Recorder(envs), np.zeros((1, 1), np.float32)
    recorder.reset(envs.reset()[0])
    step = envs.step(action)
    recorder.step(action, *step)
    with pytest.raises(DataError, match="was not reset"):
        recorder.step(action, *step)


def test_what_is_no_vector_environment_or_has_other_rows_is_refused() -> None:
    single: Any = Counter(3, True)
    with pytest.raises(TaskError, match="make_vec"):
        Recorder(single)
    envs = SyncVectorEnv([partial(Counter, 3, True)] * 2)
    recorder, (obs, _) = Recorder(envs), envs.reset(seed=0)
    recorder.reset(obs)
    with pytest.raises(DataError, match="2 environments"):
        recorder.step(np.zeros(1), obs, [0, 0], [0, 0], [0, 0])
    assert len(recorder) == 0


class Telling(Counter):
    """Says whether it succeeded only where it ends, and only if it `tells` at all."""

    def __init__(self, length: int, dies: bool, tells: bool) -> None:
        super().__init__(length, dies)
        self.tells = tells

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        *answer, info = super().step(action)
        over = answer[2] or answer[3]
        return *answer, (info if over and self.tells else {})  # type: ignore[return-value]

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        return super().reset(seed=seed)[0], {}


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
@pytest.mark.parametrize("tells", [True, False])
def test_what_an_environment_did_not_say_is_no_success(mode: AutoresetMode, tells: bool) -> None:
    """Gymnasium fills `success` for all environments and marks in `_success` who said it."""
    makers = [partial(Telling, 3, True, True), partial(Telling, 4, False, tells)]
    envs = SyncVectorEnv(makers, autoreset_mode=mode)
    recorder, actions = Recorder(envs), np.zeros((2, 1), np.float32)
    recorder.reset(envs.reset(seed=0)[0])
    for _ in range(13):  # both have an open episode at the end
        obs, rewards, terminated, truncated, info = envs.step(actions)
        for told in (info, info.get("final_info", {})):
            if "_success" in told:
                told["success"] = np.where(told["_success"], told["success"], True)
        recorder.step(actions, obs, rewards, terminated, truncated, info)
    data = recorder.dataset()
    if tells:
        assert data.success is not None and np.array_equal(data.success, data.terminated)
    else:
        partly = data.info["success_partly"]
        whole = int(np.sum(data.terminated))
        assert data.success is None and partly["told"] == partly["succeeded"] == whole
        assert partly["episodes"] == len(data.episodes())


def test_tables_of_numbers_are_recorded_flat() -> None:
    class Table(Counter):
        observation_space = spaces.Box(-np.inf, np.inf, (4, 3), np.float32)

        def __init__(self) -> None:
            super().__init__(3, True)
            self.observation_space = Table.observation_space

        def observed(self) -> Any:
            return np.arange(12, dtype=np.float32).reshape(4, 3) + self.now

    envs = SyncVectorEnv([Table], autoreset_mode=AutoresetMode.SAME_STEP)
    recorder, action = Recorder(envs), np.zeros((1, 1), np.float32)
    recorder.reset(envs.reset(seed=0)[0])
    recorder.step(action, *envs.step(action))
    assert recorder.dataset().obs.tolist() == [list(range(12))]
    assert recorder.dataset().next_obs[0, 0] == 1
