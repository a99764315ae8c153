"""The recipes of docs/data.md, typed as they are printed."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from warmstart.api import declare
from warmstart.commands.arguments import task_of
from warmstart.commands.options import Run
from warmstart.commands.parse import parse

Call = Callable[..., tuple[int, str, str]]
PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
MY_ENV = '''
import gymnasium
import numpy as np


class MyArm(gymnasium.Env):
    """Two joints: angles, speeds, and a torque that turns the first."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (4,), np.float32)
    action_space = gymnasium.spaces.Box(-2, 2, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = self.np_random.normal(0, 0.1, 4)
        return self.state.astype(np.float32), {}

    def step(self, action):
        self.state[2:] += 0.1 * float(action[0])
        self.state[:2] += 0.05 * self.state[2:]
        return self.state.astype(np.float32), 0.0, False, False, {}


gymnasium.register("MyArm-v0", entry_point=MyArm, max_episode_steps=200)
'''


def commands() -> list[list[str]]:
    """The lines of the first block, with $C in its place."""
    block = PAGE.split("```")[1]
    chosen = re.search(r"^C='(.+)'$", block, re.M)
    assert chosen
    lines = [line.split("  #")[0] for line in block.splitlines() if line.startswith("warmstart ")]
    return [shlex.split(line.replace("$C", chosen[1]))[1:] for line in lines]


def write_logs(folder: Path, reward: Callable[[int, int], float]) -> None:
    """Six logs of an arm that nearly stands still, with a header as the page describes it."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for episode in range(6):
        steps = 14 + episode
        lines = ["time,q[0],q[1],dq[0],dq[1],torque[0],torque[1],reward,operator"]
        state = rng.normal(0, 0.1, 4)
        for t in range(steps):
            torque = rng.uniform(-2, 2)
            numbers = [t / 20, *state, torque, torque, reward(t, steps)]
            lines.append(",".join(f"{x:.6f}" for x in numbers) + ",anna")
            state[2:] += 0.1 * torque
            state[:2] += 0.05 * state[2:]
        (folder / f"run_{episode}.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture
def arm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "my_env", raising=False)  # another test's file
    two = MY_ENV.replace("(1,)", "(2,)")
    (tmp_path / "my_env.py").write_text(two)


def test_the_first_recipe_runs_as_it_is_printed(call: Call, tmp_path: Path, arm: None) -> None:
    write_logs(tmp_path / "logs", lambda t, steps: -((t - 7) ** 2) / 50)
    info, check, convert, run = commands()
    code, out, _ = call(*info)
    assert code == 0 and "q[0], q[1], dq[0], dq[1]" in out
    code, out, _ = call(*check)
    assert code == 0, out
    assert "rewards-dropped" not in out and "other-observation-order" not in out
    code, out, _ = call(*convert)
    assert code == 0 and (tmp_path / "arm-data" / "data.npz").is_file()
    given = parse(run)
    assert isinstance(given, Run)
    task = task_of(given)
    assert task.data and Path(task.data.path or "").resolve() == (tmp_path / "arm-data").resolve()
    assert declare(given.method, task, preset=given.preset).recipe.name == "cal_ql"


def test_a_reward_on_the_last_row_is_lost_by_never_and_kept_by_last(
    call: Call, tmp_path: Path, arm: None
) -> None:
    """As the page says of this recipe, and as the finding says how to fix it."""
    write_logs(tmp_path / "logs", lambda t, steps: float(t == steps - 1))
    _, check, _, _ = commands()
    code, out, said = call(*check)
    assert code == 1, said + out
    assert "rewards-dropped" in out and "done=last" in out
    assert "done=never" in PAGE and "`rewards-dropped`" in PAGE
    code, out, _ = call(*(word.replace("done=never", "done=last") for word in check))
    assert code == 0 and "rewards-dropped" not in out
