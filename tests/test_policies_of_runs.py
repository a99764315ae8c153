"""A run's policies: written at checkpoints, and enough to act, wherever the data have gone."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import pytest

import warmstart as ws
from warmstart.api.run import evaluate, finetune, resume
from warmstart.engine.episodes import EVALUATE, episode_seed
from warmstart.errors import DataError, RunError
from warmstart.runs.records import read
from warmstart.user_code.load import register_own
from warmstart.user_code.trust import name_code

CODE = '''
import gymnasium
import numpy as np
from gymnasium import spaces

class Arm(gymnasium.Env):
    """Pays for where an action lies in its box, which is centred on nothing."""

    def __init__(self):
        self.observation_space = spaces.Dict({
            "speed": spaces.Box(-9.0, 9.0, (2,), np.float64),
            "angle": spaces.Box(-9.0, 9.0, (1,), np.float32),
        })
        low, high = np.array([-2.0, 0.0]), np.array([4.0, 10.0])
        self.action_space = spaces.Box(low, high, dtype=np.float64)

    def observe(self):
        return {"speed": self.at, "angle": np.array([self.age / 10], np.float32)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at, self.age = self.np_random.normal(size=2), 0
        return self.observe(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.age += 1
        reward = float(action[0] + self.at[0] * action[1])
        self.at = 0.9 * self.at + 0.1 * action[::-1] - 0.2
        return self.observe(), reward, False, False, {}

    def close(self):
        raise RuntimeError("the bus is gone")

gymnasium.register("PolicyArm-v0", entry_point=Arm, max_episode_steps=8)
'''
SEEDS = (4, 5)


class Done(NamedTuple):
    run: ws.Run
    logged: list[str]
    home: Path


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """A run that was declared with relative paths, whose data have since gone."""
    home, before = tmp_path_factory.mktemp("home"), Path.cwd()
    logged: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())
    logging.getLogger("warmstart").addHandler(handler)
    os.chdir(home)
    try:
        Path("policy_arm.py").write_text(CODE)
        task = ws.custom_task("policy_arm.py:PolicyArm-v0", data_path="logged", preset="quick")
        name_code(["policy_arm.py"])
        register_own(task.env_id or "")
        envs = gymnasium.make_vec("PolicyArm-v0", 2, vectorization_mode="sync")
        recorder = ws.Recorder(envs)
        recorder.reset(envs.reset(seed=0)[0])
        envs.action_space.seed(0)
        for _ in range(50):
            actions = envs.action_space.sample()
            recorder.step(actions, *envs.step(actions))
        recorder.save("logged")
        run = ws.run(
            "td3_bc", task, seeds=SEEDS, changes={"nets.hidden": "8"}, pretrain_steps=20, steps=16,
            schedule={"episodes": 2, "fixed_episodes": 2, "offline_every": 0, "online_every": 8,
                      "early": (0,), "films": False},
            root="runs", name="run",
        )  # fmt: skip
        folder = (home / run.folder).resolve()
        (home / "logged").rename(home / "elsewhere")
        os.chdir(tmp_path_factory.mktemp("away"))
        yield Done(ws.Run(folder, run.declared, run.summary, run.report), logged, home)
    finally:
        logging.getLogger("warmstart").removeHandler(handler)
        os.chdir(before)


def final(folder: Path, seed: int) -> dict[str, Any]:
    lines = [r for r in read(folder) if r["kind"] == "eval" and r.get("tag") == "final"]
    return next(line["values"] for line in lines if line["seed"] == seed)


def test_an_environment_that_fails_in_close_costs_no_run(done: Done) -> None:
    assert (done.run.folder / "finished.json").exists()
    assert (done.run.folder / "report.html").exists()
    told = [line for line in done.logged if "close" in line]
    assert len(told) == 1 and "PolicyArm-v0 failed in close" in told[0]
    assert "the bus is gone" in told[0] and "\n" not in told[0]


def test_paths_are_stored_in_full(done: Done) -> None:
    task = json.loads((done.run.folder / "run.json").read_text())["task_facts"]
    assert task["data"]["path"] == str(done.home.resolve() / "logged")
    assert task["env_id"] == f"{done.home.resolve() / 'policy_arm.py'}:PolicyArm-v0"


def test_evaluation_needs_the_environment_alone(done: Done) -> None:
    scores = evaluate(done.run.folder, episodes=2)
    for seed in SEEDS:
        assert scores[seed]["returns"] == final(done.run.folder, seed)["returns"]
    assert set(evaluate(done.run.folder, episodes=1, which="best")) == set(SEEDS)


def test_the_actor_plays_the_evaluation_again_in_the_environments_units(done: Done) -> None:
    """The loop of docs/data.md: what `env.reset` and `env.step` give and take, nothing else."""
    env = gymnasium.make("PolicyArm-v0")
    for seed in SEEDS:
        actor = ws.actor(done.run.folder, seed)
        assert actor.card["method"] == "td3_bc" and actor.card["seed"] == seed
        assert actor.card["step"]["env_steps"] == 16
        wanted = final(done.run.folder, seed)
        assert actor.card["score"] == wanted["score"]
        for number, sum_ in enumerate(wanted["returns"]):
            obs, _ = env.reset(seed=episode_seed(seed, EVALUATE, number))
            total, over = 0.0, False
            while not over:
                obs, reward, _, over, _ = env.step(actor(obs))
                total += float(reward)
            assert total == pytest.approx(sum_, abs=1e-3)
    first = ws.actor(done.run.folder)
    assert first.card["seed"] == 4
    assert np.array_equal(first(obs), ws.actor(done.run.folder / "policies/seed-4/latest")(obs))
    assert not np.allclose(first(obs), ws.actor(done.run.folder, 5)(obs))


def test_the_best_policy_is_that_of_the_best_checkpoint(done: Done) -> None:
    lines = [r for r in read(done.run.folder) if r["kind"] == "eval" and r["phase"] == "online"]
    curve: dict[int, list[float]] = {}
    for line in lines:
        if line.get("tag") != "frozen":
            curve.setdefault(line["env_steps"], []).append(line["values"]["score"])
    best = ws.actor(done.run.folder, 4, "best").card
    offline = [r for r in read(done.run.folder) if r.get("tag") == "pretrained"]
    everywhere = [*curve.values(), [r["values"]["score"] for r in offline]]
    assert best["score"] in max(everywhere, key=np.mean)


def test_going_on_needs_the_data_and_says_so(done: Done) -> None:
    with pytest.raises(DataError, match=r"no longer at '.*logged'; put them back"):
        finetune("td3", done.run.folder, steps=5, root=done.home / "runs")
    finished = done.run.folder / "finished.json"
    kept = finished.read_bytes()
    finished.unlink()
    try:
        with pytest.raises(DataError, match=r"no longer at '.*logged'; put them back"):
            resume(done.run.folder)
    finally:
        finished.write_bytes(kept)


def test_what_a_kill_left_unwritten_is_there_when_the_run_goes_on(done: Done) -> None:
    folder, data = done.run.folder, done.home / "logged"
    finished = folder / "finished.json"
    kept, card = finished.read_bytes(), ws.actor(folder, 4).card
    finished.unlink()
    shutil.rmtree(folder / "policies/seed-5/latest")
    (done.home / "elsewhere").rename(data)
    try:
        resume(folder)
    finally:
        finished.write_bytes(kept)
        data.rename(done.home / "elsewhere")
    assert ws.actor(folder, 4).card == card
    assert ws.actor(folder, 5).card["step"] == card["step"]
    assert evaluate(folder, episodes=2)[5]["returns"] == final(folder, 5)["returns"]


def test_seeds_and_policies_that_are_not_there(done: Done, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no seed 9"):
        ws.actor(done.run.folder, 9)
    (tmp_path / "run.json").write_bytes((done.run.folder / "run.json").read_bytes())
    with pytest.raises(RunError, match="no policy of seed 4 yet"):
        ws.actor(tmp_path)
    with pytest.raises(RunError, match="no policy of seed 4 yet"):
        evaluate(tmp_path)


def test_policies_of_two_checkpoints_are_not_evaluated_as_one(done: Done, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(done.run.folder, copy)
    shutil.rmtree(copy / "policies/seed-5/latest")
    shutil.copytree(copy / "policies/seed-5/best", copy / "policies/seed-5/latest")
    card = ws.actor(copy, 5).card["step"]
    if card == ws.actor(copy, 4).card["step"]:
        pytest.fail("the best checkpoint is the last one: choose other numbers")
    with pytest.raises(RunError, match="not all of one checkpoint"):
        evaluate(copy)
