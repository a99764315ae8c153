"""A large number taken away before float32 rounds: logged, observed, recorded, acted on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import h5py
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from warmstart.api.in_words import task_words
from warmstart.commands.arguments import task_of
from warmstart.commands.options import Run
from warmstart.commands.parse import parse
from warmstart.data import export_minari, load, load_source, save_folder
from warmstart.data.checks import examine
from warmstart.data.recorder import Recorder
from warmstart.envs.interface import observations_of
from warmstart.envs.make import make_env
from warmstart.errors import DataError, TaskError
from warmstart.tasks import DataSource, Task, custom_task, get_task

NORTH = 4.5e6


class Surveyed(gymnasium.Env[Any, np.ndarray]):
    """Observes speed, and a place in metres north of the equator, in float64."""

    action_space = spaces.Box(-1, 1, (1,), np.float32)
    observation_space = spaces.Dict(
        {"speed": spaces.Box(-9, 9, (1,)), "utm": spaces.Box(0, 1e7, (1,), np.float64)}
    )

    def observed(self) -> dict[str, np.ndarray]:
        return {"speed": np.array([self.speed], np.float32), "utm": np.array([NORTH + self.at])}

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.at, self.speed = float(self.np_random.uniform(-0.05, 0.05)), 0.0
        return self.observed(), {}

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.speed = 0.01 * float(action[0])
        self.at += self.speed
        return self.observed(), -abs(self.at), False, False, {}


@pytest.fixture
def task() -> Iterator[Task]:
    gymnasium.register("Surveyed-v0", Surveyed, max_episode_steps=20)
    yield custom_task("Surveyed-v0")
    del gymnasium.registry["Surveyed-v0"]


def arrays() -> dict[str, np.ndarray]:
    """Logged in float64: 2,000 rows around the large number."""
    rng = np.random.default_rng(0)
    place = NORTH + rng.uniform(-0.05, 0.05, 2000)
    ends = np.tile(np.arange(20) == 19, 100)
    return {
        "obs/speed": rng.normal(0, 0.01, 2000),
        "obs/utm": place,
        "action": rng.uniform(-1, 1, (2000, 1)),
        "reward": -np.abs(place - NORTH),
        "terminated": np.zeros(2000, bool),
        "truncated": ends,
    }


def write(path: Path, kind: str) -> Path:
    columns = arrays()
    if kind == "h5":
        with h5py.File(path, "w") as file:
            for name, values in columns.items():
                file[name] = values
    elif kind == "npz":
        np.savez(path, **columns)
    else:
        lines = []
        for row in range(2000):
            held = {k: np.asarray(v)[row].tolist() for k, v in columns.items()}
            obs = {k.removeprefix("obs/"): held.pop(k) for k in ("obs/speed", "obs/utm")}
            lines.append(json.dumps({"obs": obs, **held}))
        path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("kind", ["h5", "npz", "jsonl"])
def test_what_float32_rounds_away_is_told_and_the_option_keeps_it(
    tmp_path: Path, kind: str, task: Task
) -> None:
    path = write(tmp_path / f"a.{kind}", kind)
    mapping = {"obs": "obs/speed+obs/utm"}
    lost = load(path, mapping=mapping)
    assert len(np.unique(lost.obs[:, 1])) == 1
    found = {f.name: f for f in examine(lost).findings}["precision-lost"]
    assert found.grade == "warning" and found.numbers["left"] == [1]
    assert found.numbers["different"][0] > 1_800 and found.numbers["axes"] == [1]
    option = re.search(r"--obs-offset=(\S+)", found.fix)
    assert option and option[1].startswith("0,4500000")
    words = ["--data", str(path), "--columns", "obs=obs/speed+obs/utm"]
    given = parse(["run", "td3_bc", "--env", "Surveyed-v0", *words, f"--obs-offset={option[1]}"])
    assert isinstance(given, Run)
    said = task_of(given)
    env = make_env(said)()
    kept = load_source(said.data or DataSource(), env)
    truth = arrays()["obs/utm"][~arrays()["truncated"]] - NORTH
    assert np.allclose(kept.obs[:, 1], truth, atol=1e-7)
    assert np.allclose(kept.obs[:, 0], arrays()["obs/speed"][~arrays()["truncated"]])
    assert "precision-lost" not in {f.name for f in examine(kept, env, said).findings}
    again = parse(["run", "td3_bc", *(task_words(said) or [])])  # what repeats the run
    assert isinstance(again, Run) and task_of(again).data == said.data
    env.close()


def with_offset(task: Task) -> Task:
    return replace(task, data=DataSource(path="unread", obs_offset=(0.0, NORTH)))


def test_the_environment_observes_and_a_policy_acts_on_the_same_numbers(task: Task) -> None:
    plain, env = make_env(task)(), make_env(with_offset(task))()
    for step in range(5):
        rows = [e.reset(3) if step == 0 else e.step(np.ones(1)).obs for e in (plain, env)]
        place = env.simulator.at
        assert rows[0][1] == np.float32(NORTH + place) and abs(rows[1][1] - place) < 1e-8
        assert rows[0][0] == rows[1][0]
        seen = observations_of(env.interface["observation"])
        assert np.array_equal(seen(env.simulator.observed())[0][0], rows[1])
    assert env.observation_box[1].tolist() == [9, 1e7 - NORTH]
    assert Task.from_json(with_offset(task).to_json()) == with_offset(task)


def test_a_folder_keeps_its_offset_and_wants_the_same(tmp_path: Path, task: Task) -> None:
    path, mapping = write(tmp_path / "a.h5", "h5"), {"obs": "obs/speed+obs/utm"}
    kept = save_folder(load(path, mapping=mapping, obs_offset=(0, NORTH)), tmp_path / "kept", {})
    with pytest.raises(DataError, match=r"give --obs-offset=0.0,4500000.0"):
        load(kept)
    assert abs(load(kept, obs_offset=(0, NORTH)).obs[:, 1]).max() < 0.06
    lost = save_folder(load(path, mapping=mapping), tmp_path / "lost", {})
    with pytest.raises(DataError, match="convert the original again"):
        load(lost, obs_offset=(0, NORTH))
    assert "Convert the original" in {
        f.name: f for f in examine(load(lost)).findings
    }["precision-lost"].fix  # fmt: skip
    with pytest.raises(DataError, match="without --obs-offset"):
        export_minari(load(kept, obs_offset=(0, NORTH)), "a/b-v0", tmp_path)


def test_the_recorder_takes_it_away_too(tmp_path: Path) -> None:
    envs = SyncVectorEnv([partial(Surveyed)], autoreset_mode=AutoresetMode.SAME_STEP)
    recorder, action = Recorder(envs, obs_offset=(0, NORTH)), np.ones((1, 1), np.float32)
    recorder.reset(envs.reset(seed=0)[0])
    for _ in range(3):
        recorder.step(action, *envs.step(action))
    data = load(recorder.save(tmp_path / "r"), obs_offset=(0, NORTH))
    assert np.allclose(np.diff(data.obs[:, 1]), 0.01, atol=1e-6)
    assert np.array_equal(data.next_obs[:-1], data.obs[1:])
    with pytest.raises(DataError, match="observes 2 numbers"):
        Recorder(envs, obs_offset=(0,))
    envs.close()


def test_offsets_that_do_not_fit_are_refused(tmp_path: Path, task: Task) -> None:
    path = write(tmp_path / "a.npz", "npz")
    with pytest.raises(DataError, match="give one for each"):
        load(path, obs_offset=(1, 2, 3))
    with pytest.raises(TaskError, match="observes 2 numbers"):
        make_env(replace(task, data=DataSource(path="a", obs_offset=(1.0,))))()
    with pytest.raises(TaskError, match="finite numbers"):
        DataSource(path="a", obs_offset=("x",))  # type: ignore[arg-type]
    with pytest.raises(TaskError, match="JAX program"):
        make_env(replace(get_task("jax-pointmass"), data=DataSource(path="a", obs_offset=(0.0,))))()


def test_numbers_that_float32_holds_are_left_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    near = rng.normal(size=2000)
    for place in (
        near,
        near * 1e6,
        near + 1000,
        np.full(2000, 4.5e6),  # constant
        1 + 1e-9 * near,  # a simulator's noise
        np.cos(1e-3 * near),
        np.round(near * 10) + 1_000_000,  # whole numbers
    ):
        np.savez(tmp_path / "a.npz", **{**arrays(), "obs/utm": place})
        data = load(tmp_path / "a.npz", mapping={"obs": "obs/speed+obs/utm"})
        assert "precision-lost" not in {f.name for f in examine(data).findings}
    for place in (47.1234 + 1e-5 * near, 1.7e9 + np.arange(2000) / 10, NORTH + 50 * near):
        np.savez(tmp_path / "a.npz", **{**arrays(), "obs/utm": place})
        data = load(tmp_path / "a.npz", mapping={"obs": "obs/speed+obs/utm"})
        named = "precision-lost" in {f.name for f in examine(data).findings}
        assert named == (place[0] < 1e6 or place[0] > 1e9)
