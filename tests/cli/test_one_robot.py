"""`--physical`: one robot from the command line, opened once at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from warmstart.errors import TaskError
from warmstart.tasks import custom_task

Called = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]
LINE = (
    *("run", "iql", "--env", "OnlyArm-v0", "--physical", "--preset", "quick"),
    *("--pretrain-steps", "6", "--steps", "12", "--set", "nets.hidden=8,8"),
    *("--set", "learner.batch=4", "--name", "arm"),
)


class OnlyArm(gymnasium.Env):
    """Its port can be opened once; it stands still before its first reset."""

    observation_space = spaces.Box(-2.0, 2.0, (3,))
    action_space = spaces.Box(-1.0, 1.0, (2,))
    held = False
    resets, fails_at = 0, 0

    def __init__(self) -> None:
        assert not OnlyArm.held, "the port is taken"
        OnlyArm.held = True

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        OnlyArm.resets += 1
        if OnlyArm.resets == OnlyArm.fails_at:
            raise ConnectionError("no home")
        return np.zeros(3, np.float32), {}

    def step(self, action):
        return np.ones(3, np.float32), 1.0, False, False, {}

    def close(self) -> None:
        OnlyArm.held = False


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[str]:
    OnlyArm.held, OnlyArm.resets, OnlyArm.fails_at = False, 0, 0
    gymnasium.register("OnlyArm-v0", entry_point=OnlyArm, max_episode_steps=5)
    rows = np.arange(40)
    np.savez(
        tmp_path / "logs.npz",
        observations=np.random.default_rng(0).normal(size=(40, 3)),
        actions=np.random.default_rng(1).uniform(-0.9, 0.9, size=(40, 2)),
        rewards=np.ones(40),
        terminals=np.zeros(40, bool),
        timeouts=rows % 5 == 4,
    )
    yield str(tmp_path / "logs.npz")
    gymnasium.registry.pop("OnlyArm-v0", None)


def test_it_learns_and_is_evaluated_in_turn(logs: str, call: Called, tmp_path: Path) -> None:
    code, out, err = call(*LINE, "--data", logs, "--fixed-episodes", "2", "--online-every", "6")
    assert code == 0, err
    assert not OnlyArm.held
    # Three evaluations, three episodes begun in twelve steps, and none before the run begins.
    assert OnlyArm.resets == 3 * 2 + 3
    assert "cannot draw" not in out + err
    folder = tmp_path / "runs" / "arm"
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    evals = [(r["tag"], r["values"]["episodes"]) for r in lines if r["kind"] == "eval"]
    assert evals == [("pretrained", 2), ("switch", 2), ("curve", 1), ("final", 2)]
    assert "One robot: the points on the way" in (folder / "report.html").read_text()
    assert "--physical" in json.loads((folder / "run.json").read_text())["command"]
    code, out, err = call("evaluate", str(folder), "--episodes", "3", "--json")
    assert code == 0, err
    assert not OnlyArm.held
    resets = OnlyArm.resets
    code, out, err = call("evaluate", str(folder))
    assert code == 0, err
    assert "10 episodes" in " ".join(out.split())
    assert OnlyArm.resets == resets + 10


def test_it_may_go_without_an_evaluation(logs: str, call: Called, tmp_path: Path) -> None:
    code, _, err = call(*LINE, "--data", logs, "--fixed-episodes", "0")
    assert code == 0, err
    page = (tmp_path / "runs" / "arm" / "report.html").read_text()
    assert "Before the switch nothing was evaluated. It ended at 5.0." in page
    code, _, err = call("report", "runs/arm", "runs/arm", "--out", "both")
    assert code == 0, err
    both = Path("both/report.html").read_text()
    assert "Means of the seeds." in both
    assert "One robot: the points on the way" in both


def test_looking_at_its_logs_does_not_move_it(logs: str, call: Called, refused: Refused) -> None:
    code, _, err = call("data", "check", logs, "--env", "OnlyArm-v0", "--physical", "--json")
    assert code == 0, err
    assert OnlyArm.resets == 0
    assert not OnlyArm.held
    call("data", "check", logs, "--env", "OnlyArm-v0", "--json")
    assert OnlyArm.resets > 0
    told = refused("data", "check", "pointmaze-umaze", "--physical")
    assert "--physical describes an environment of your own" in told


def test_a_reset_that_fails_loses_no_row(logs: str, call: Called) -> None:
    OnlyArm.fails_at = 2
    code, _, told = call(*LINE, "--data", logs, "--fixed-episodes", "0")
    assert code == 2
    assert "failed in reset (ConnectionError: no home" in told
    assert told.rstrip().endswith("Then: warmstart resume runs/arm")
    assert not OnlyArm.held
    (stored,) = Path("runs/arm/replay").iterdir()
    assert stored.name.startswith("rows-000000000000-000000000005-")
    code, _, err = call("resume", "runs/arm")
    assert code == 0, err
    assert OnlyArm.resets == 4  # once in vain


def test_where_the_first_reset_fails_no_folder_is_left(call: Called, logs: str) -> None:
    OnlyArm.fails_at = 1
    line = ("run", "rlpd", *LINE[2:], "--data", logs, "--fixed-episodes", "0")
    line = (*line, "--set", "replay.warmup.steps=2")
    code, _, told = call(*(word for word in line if word not in ("--pretrain-steps", "6")))
    assert code == 2
    assert told.rstrip().endswith("fix the environment.")
    assert not list(Path("runs").iterdir())


def test_what_one_robot_cannot_do(logs: str, refused: Refused) -> None:
    told = refused(*LINE, "--data", logs, "--seeds", "0,1")
    assert "learns for one seed at a time, not for 2" in told
    word: Any = "no"
    with pytest.raises(TaskError, match="physical='no': give True"):
        custom_task("OnlyArm-v0", physical=word)
    told = refused("run", "sac", "pointmaze-umaze", "--physical")
    assert "--physical describes an environment of your own" in told
    told = refused("run", "sac", "pointmaze-umaze", "--fixed-episodes", "0")
    assert "fixed_episodes=0 is for a robot alone" in told
