"""A run that diverges, from the command line: what is said, kept, and how it goes on."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from warmstart.runs.records import read

Called = Callable[..., tuple[int, str, str]]
LINE = (
    *("run", "iql", "--env", "Spied-v0", "--physical", "--preset", "quick", "--name", "arm"),
    *("--pretrain-steps", "6", "--steps", "12", "--set", "nets.hidden=8,8"),
    *("--set", "learner.batch=4", "--fixed-episodes", "1"),
)
HIGH = ("--set", "finetune.learner.actor_optimiser.lr=1e30")


class Spied(gymnasium.Env):
    """A robot that writes down its commands."""

    observation_space = spaces.Box(-2.0, 2.0, (3,))
    action_space = spaces.Box(-1.0, 1.0, (2,))
    actions: ClassVar[list[np.ndarray]] = []
    wild: ClassVar[int] = 0  # from this command on its second sensor is mad; 0: it never is

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(3, np.float32), {}

    def step(self, action):
        Spied.actions.append(np.array(action))
        mad = 1e17 if 0 < Spied.wild <= len(Spied.actions) else 1.0
        return np.float32([1.0, mad, 1.0]), 1.0, False, False, {}


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[str]:
    Spied.actions, Spied.wild = [], 0
    gymnasium.register("Spied-v0", entry_point=Spied, max_episode_steps=5)
    rng, path = np.random.default_rng(0), tmp_path / "logs.npz"
    np.savez(
        path,
        observations=rng.normal(size=(40, 3)),
        actions=rng.uniform(-0.9, 0.9, size=(40, 2)),
        rewards=np.ones(40),
        terminals=np.zeros(40, bool),
        timeouts=np.arange(40) % 5 == 4,
    )
    yield str(path)
    gymnasium.registry.pop("Spied-v0", None)
    assert all(np.isfinite(action).all() for action in Spied.actions)


def test_it_stops_before_the_robot_moves_and_keeps_what_was_good(logs: str, call: Called) -> None:
    code, _, said = call(*LINE, *HIGH, "--data", logs)
    assert code == 2
    found = re.search(r"seed 0: .* is not a finite number .*?environment step (\d)", said)
    assert found is not None, said
    steps = int(found[1])
    assert 1 <= steps <= 2  # one update is enough, and the next may be the first to see it
    assert "The learning rate is 1e+30: try --set learner.actor_optimiser.lr=0.0003." in said
    assert "The last good checkpoint, of environment step 0, is kept" in said
    folder = Path("runs/arm")
    assert not (folder / "finished.json").exists()
    assert len(Spied.actions) == 2 * 5 + steps  # two evaluations, and the steps before
    (stored,) = (folder / "replay").glob(f"rows-000000000000-00000000000{steps}-*.npy")
    rows = np.load(stored)
    assert rows.shape[:2] == (1, steps)  # what the robot did is there
    last = read(folder)[-1]
    assert (last["kind"], last["values"]["name"]) == ("warning", "diverged")
    assert last["values"]["text"] in said
    assert all(None not in line["values"].values() for line in read(folder))
    assert "is not a finite number" in (folder / "report.html").read_text()
    again = call("resume", "runs/arm")
    assert again[0] == 2 and again[2] == said
    # What it says is what helps.
    words = shlex.split(said.partition("go on: warmstart ")[2])
    code, _, said = call(*words, "--name", "on", "--fixed-episodes", "1")
    assert code == 0, said
    assert json.loads(Path("runs/on/finished.json").read_text())["score_final"] == 5.0


def test_an_environment_that_goes_mad_is_named_and_no_learning_rate(
    logs: str, call: Called
) -> None:
    Spied.wild = 2 * 5 + 3  # behind two evaluations, the third step of training
    code, _, said = call(*LINE, "--data", logs)
    assert code == 2 and "is not a finite number" in said
    want = "The environment's observation number 1 reaches 1e+17 in step 3: mend what it shows"
    assert want in said and "learning rate" not in said, said
    Spied.wild = 0
    words = shlex.split(said.partition("go on: warmstart ")[2])
    code, _, said = call(*words, "--name", "on", "--fixed-episodes", "1")
    assert code == 0, said
