"""What counts as a success: what `info` says, or a rule of the user's; never a fall."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from warmstart.api.in_words import task_words
from warmstart.commands.arguments import task_of
from warmstart.commands.parse import parse
from warmstart.envs.make import GymEnv
from warmstart.envs.trial import try_out
from warmstart.errors import TaskError
from warmstart.tasks import Task, custom_task
from warmstart.tasks.success import SuccessRule, read_success_rule


class Pole(gymnasium.Env):
    """Pays 1 a step, and falls at the fourth; `info` is what a test wants."""

    observation_space = spaces.Box(-1.0, 1.0, (2,))
    action_space = spaces.Box(-1.0, 1.0, (1,))

    def __init__(self, info: dict[str, Any] | None = None, falls: bool = True) -> None:
        self.info, self.falls = info or {}, falls

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.t += 1
        fell = self.falls and self.t == 4
        return np.zeros(2, np.float32), float(self.t), fell, False, dict(self.info)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    gymnasium.register("Pole-v0", entry_point=Pole, max_episode_steps=6)
    yield
    gymnasium.registry.pop("Pole-v0", None)


def episode(task: Task) -> list[bool]:
    """Whether each step was a success."""
    env, out = GymEnv(task), None
    env.reset(0)
    steps = []
    while out is None or not (out.terminated or out.truncated):
        out = env.step(np.zeros(1, np.float32))
        steps.append(out.success)
    env.close()
    return steps


def test_falling_is_no_success_and_is_refused_with_the_way_out() -> None:
    task = custom_task("Pole-v0", success=True)
    says = r"Pole-v0 is scored by success and never says what that is: its info holds nothing"
    with pytest.raises(TaskError, match=says + r".*--success-when terminated, truncated, reward"):
        episode(task)
    env = GymEnv(task)
    with pytest.raises(TaskError, match="never says what that is"):
        try_out(env, task)  # before hours of learning
    assert not any(episode(custom_task("Pole-v0")))  # scored by return, nobody asks
    env.close()


@pytest.mark.parametrize(
    ("rule", "falls", "wanted"),
    [
        ("terminated", True, [False, False, False, True]),
        ("truncated", True, [False] * 4),
        ("truncated", False, [False] * 5 + [True]),
        ("reward>=3", True, [False, False, True, True]),
        ("terminated and reward >= 5", True, [False] * 4),
        ("info:lit", True, [True] * 4),
        ("info:lit and terminated", True, [False, False, False, True]),
        ("info:dark", True, [False] * 4),
    ],
)
def test_a_rule_of_the_users_own(rule: str, falls: bool, wanted: list[bool]) -> None:
    kwargs = {"info": {"lit": 1, "dark": False}, "falls": falls}
    task = custom_task("Pole-v0", kwargs, success_when=rule)
    assert task.success and episode(task) == wanted
    # The rule is part of the task, and of the command that repeats it.
    assert Task.from_json(task.to_json()).success_when == rule
    words = task_words(custom_task("Pole-v0", success_when=rule))
    assert task_of(parse(["run", "sac", *words])).success_when == rule


def test_what_info_says_counts_without_a_rule() -> None:
    assert (
        episode(custom_task("Pole-v0", {"info": {"is_success": True}}, success=True)) == [True] * 4
    )
    task = custom_task("Pole-v0", {"info": {"success": False}}, success=True)
    assert episode(task) == [False] * 4
    env = GymEnv(task)
    try_out(env, task)
    assert env.knows_success


def test_a_key_that_never_comes_is_named() -> None:
    task = custom_task("Pole-v0", {"info": {"lit": True}}, success_when="info:light")
    with pytest.raises(TaskError, match="its info holds lit, and not 'light'"):
        episode(task)


@pytest.mark.parametrize("text", ["", "done", "reward>3", "reward>=much", "info:", "reward>=nan"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(TaskError, match=r"is no rule of success; give terminated"):
        read_success_rule(text)


def test_a_rule_is_read() -> None:
    wanted = SuccessRule(True, False, -1.5, ("a", "b c"))
    assert read_success_rule("terminated and reward>=-1.5 and info:a and info:b c") == wanted


def test_it_describes_ones_own_environment() -> None:
    with pytest.raises(TaskError, match="--success-when describes an environment of your own"):
        task_of(parse(["run", "sac", "hopper", "--success-when", "terminated"]))
