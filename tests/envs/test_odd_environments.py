"""Environments of strangers: what they return in their own ways is read right, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box

from warmstart.envs.interface import from_box
from warmstart.envs.make import GymEnv, make_env
from warmstart.errors import TaskError
from warmstart.tasks import custom_task
from warmstart.types import HostEnv


class Own(gymnasium.Env):
    """Moves by its action, and returns the very array that it goes on to write into."""

    def __init__(self, how: str = "", obs_shape: tuple[int, ...] = (2,), box: Box | None = None):
        self.how, self.at = how, np.zeros(obs_shape, np.float32)
        self.observation_space = Box(-9, 9, obs_shape, np.float32)
        if how != "no actions":
            self.action_space = Box(-1, 1, (1,), np.float32) if box is None else box

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at[...] = 0
        return self.at if self.how == "old reset" else (self.at, {})

    def step(self, action):
        self.last = action
        self.at += 1
        return self.at, 0.0, False, False, {}


@pytest.fixture(autouse=True, scope="module")
def registered() -> Iterator[None]:
    entry_point: Any = Own
    gymnasium.register("Own-v0", entry_point=entry_point, max_episode_steps=7)
    yield
    del gymnasium.registry["Own-v0"]


def opened(**kwargs: object) -> HostEnv:
    return make_env(custom_task("Own-v0", kwargs))()


def test_an_array_that_the_environment_writes_into_is_copied() -> None:
    env = opened()
    first = env.reset(0)
    second = env.step(np.zeros(1, np.float32)).obs
    env.step(np.zeros(1, np.float32))
    assert first.tolist() == [0, 0] and second.tolist() == [1, 1]


def test_whole_numbers_of_an_action_are_the_nearest() -> None:
    env = opened(box=Box(0, 100, (1,), np.int32))
    assert isinstance(env, GymEnv)
    env.reset(0)
    for logged in range(101):
        unit = from_box(np.array([logged], np.float32), *env.action_box).astype(np.float32)
        env.step(unit * np.float32(1 - 1e-5))
        assert env.simulator.last.tolist() == [logged] and env.simulator.last.dtype == np.int32


FLOATS = np.finfo(np.float32)


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"box": Box(FLOATS.min, FLOATS.max, (1,))}, "unbounded action box"),
        ({"box": Box(-1, 1, (0,))}, "takes no numbers as an action"),
        ({"obs_shape": (0,)}, "observes no numbers"),
        ({"how": "no actions"}, "has no attribute 'action_space'.*set self.observation_space and"),
    ],
)
def test_spaces_that_do_not_fit_are_refused(kwargs: dict[str, object], says: str) -> None:
    with pytest.raises(TaskError, match=says):
        opened(**kwargs)


def test_a_reset_of_old_is_refused() -> None:
    env = opened(how="old reset")
    with pytest.raises(TaskError, match="return observation, info"):
        env.reset(0)


def test_one_that_cannot_draw_says_so_shortly() -> None:
    with pytest.raises(TaskError, match=r"^Own-v0 opens without pictures only: .*render_mode"):
        make_env(custom_task("Own-v0"), render=True)()
