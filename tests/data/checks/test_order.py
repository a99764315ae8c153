"""Vectors in another order than the environment's: seen, and fixed by the command that is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import h5py
import numpy as np
import pytest
from gymnasium import spaces

from warmstart.data import load, load_source, parse_columns, save_folder
from warmstart.data.checks import examine
from warmstart.data.checks.order import blocks_of, by_names
from warmstart.envs.make import make_env
from warmstart.tasks import DataSource, Task, custom_task
from warmstart.types import Dataset, HostEnv, Spec

pa: Any = __import__("pyarrow")
pq: Any = __import__("pyarrow.parquet", fromlist=["parquet"])
NAME = "other-observation-order"


class Pusher(gymnasium.Env[Any, np.ndarray]):
    """Observes where the agent is (2 numbers), and four that say where a block lies."""

    action_space = spaces.Box(-1, 1, (1,), np.float32)
    observation_space = spaces.Dict(
        {
            "agent_pos": spaces.Box(-np.inf, np.inf, (2,), np.float32),
            "environment_state": spaces.Box(-np.inf, np.inf, (4,), np.float32),
        }
    )

    def observed(self) -> dict[str, np.ndarray]:
        return {
            "agent_pos": self.at.astype(np.float32),
            "environment_state": np.array([9.0, 8.0, 7.0, 6.0], np.float32) + self.block,
        }

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.at, self.block = self.np_random.uniform(0, 1, 2), self.np_random.uniform(0, 0.3)
        return self.observed(), {}

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.at = self.at + 0.1 * float(action[0])
        return self.observed(), -1.0, False, False, {}


@pytest.fixture
def pusher() -> Iterator[tuple[Task, HostEnv]]:
    gymnasium.register("Pusher-v0", Pusher, max_episode_steps=12)
    task = custom_task("Pusher-v0")
    env = make_env(task)()
    yield task, env
    env.close()
    del gymnasium.registry["Pusher-v0"]


def episodes(env: HostEnv, count: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """obs [N, 6] in the environment's order, actions [N, 1], episode [N]."""
    rng, obs, actions = np.random.default_rng(0), [], []
    for episode in range(count):
        obs.append(env.reset(100 + episode))
        for _ in range(11):
            actions.append(rng.uniform(-1, 1, 1))
            obs.append(env.step(actions[-1]).obs)
        actions.append(np.zeros(1))
    return np.array(obs), np.array(actions, np.float32), np.repeat(np.arange(count), 12)


def lerobot(root: Path, env: HostEnv) -> Path:
    import json

    obs, actions, episode = episodes(env)
    columns = {
        "observation.state": obs[:, :2].tolist(),
        "observation.environment_state": obs[:, 2:].tolist(),
        "action": actions.tolist(),
        "episode_index": episode,
        "frame_index": np.tile(np.arange(12), 5),
        "next.reward": np.full(60, -1.0, np.float32),
    }
    features = {name: {"dtype": "float32", "shape": [2]} for name in columns}
    (root / "meta").mkdir(parents=True)
    (root / "meta" / "info.json").write_text(json.dumps({"features": features}))
    (root / "data").mkdir()
    pq.write_table(pa.table(columns), root / "data" / "file.parquet")
    return root


def warned(data: Dataset, env: HostEnv, task: Task, short: bool = True) -> str:
    """The fix, or nothing."""
    found = {f.name: f for f in examine(data, env, task, short).findings}
    if NAME not in found:
        return ""
    assert found[NAME].grade == "warning"
    return found[NAME].fix


def fixed(path: Path, env: HostEnv, fix: str, **how: Any) -> Dataset:
    """The data as the fix says that they be read."""
    option = re.search(r"--columns '(.+?)'", fix)
    assert option, fix
    source = DataSource(path=str(path), columns=parse_columns(option[1]), **how)
    return load_source(source, env)


def test_lerobots_state_is_the_agents_place(pusher: tuple[Task, HostEnv], tmp_path: Path) -> None:
    task, env = pusher
    path = lerobot(tmp_path / "pusht", env)
    fix = warned(load(path), env, task)
    data = fixed(path, env, fix)
    truth = episodes(env)[0].reshape(5, 12, 6)[:, :-1].reshape(-1, 6)
    assert np.array_equal(data.obs, truth) and not warned(data, env, task)
    folder = save_folder(load(path), tmp_path / "converted", {})
    assert "Convert the file again, with --columns 'obs=" in warned(load(folder), env, task)


@pytest.mark.parametrize("names", [("agent_pos", "environment_state"), ("a", "b"), ("state", "z")])
@pytest.mark.parametrize("swap", [True, False])
def test_groups_of_hdf5_by_names_or_by_where_episodes_start(
    pusher: tuple[Task, HostEnv], tmp_path: Path, names: tuple[str, str], swap: bool
) -> None:
    """Whatever they are called; and nothing is said of those in order."""
    task, env = pusher
    obs, actions, episode = episodes(env)
    arrays = {f"obs/{names[0]}": obs[:, :2], f"obs/{names[1]}": obs[:, 2:]}
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, values in arrays.items():
            file[name] = values
        file["actions"], file["r"] = actions, np.full(60, -1.0)
        file["episode"] = episode
    order = "+".join(reversed(arrays)) if swap else "+".join(arrays)
    mapping = {"obs": order, "reward": "r", "done": "never"}
    fix = warned(load(tmp_path / "a.h5", mapping=mapping), env, task)
    assert bool(fix) == swap
    if swap:
        assert "reward=r,done=never" in fix
        data = fixed(tmp_path / "a.h5", env, fix)
        assert np.array_equal(data.obs[0], obs[0]) and not warned(data, env, task)


def test_columns_for_each_number_are_vectors(pusher: tuple[Task, HostEnv], tmp_path: Path) -> None:
    task, env = pusher
    obs, actions, episode = episodes(env)
    names = ["q[0]", "q[1]", *(f"block_{i}" for i in range(4))]
    columns = [*obs.T, actions[:, 0], np.full(60, -1.0), episode]
    lines = [",".join([*names, "u", "r", "run"])]
    lines += [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    mapping = {"obs": "block_*+q[*]", "action": "u", "reward": "r", "done": "never"}
    mapping["episode"] = "run"
    fix = warned(load(tmp_path / "a.csv", mapping=mapping), env, task)
    assert "obs=q[0]+q[1]+block_0+block_1+block_2+block_3" in fix
    assert not warned(fixed(tmp_path / "a.csv", env, fix), env, task)


def test_numbers_that_start_elsewhere_in_every_order_are_not_shuffled(
    pusher: tuple[Task, HostEnv],
) -> None:
    """Another task's starts are no other order; nor are those of a robot looked at."""
    task, env = pusher
    obs, actions, _ = episodes(env)
    end = np.tile(np.arange(12) == 11, 5)
    rewards = np.zeros(60, np.float32)
    there = obs + 100
    shuffled = obs[:, [2, 3, 4, 5, 0, 1]]
    data = Dataset(there, actions, rewards, end, np.zeros(60, bool), there)
    assert not warned(data, env, task)
    turned = replace(data, obs=shuffled, next_obs=shuffled)
    assert "in the order in which" in warned(turned, env, task)  # without names: no command
    assert not warned(turned, env, replace(task, physical=True))


def test_names_are_matched_as_far_as_they_are_sure() -> None:
    theirs = (("agent_pos", 2), ("environment_state", 4))
    assert by_names([("observation.environment_state", 4), ("observation.state", 2)], theirs) == [
        1,
        0,
    ]
    assert by_names([("obs/agent_pos", 2), ("obs/x", 4)], theirs) == [0, 1]
    assert by_names([("a", 2), ("b", 4)], theirs) is None  # nothing is called alike
    assert by_names([("agent_pos", 4), ("environment_state", 2)], theirs) is None
    assert by_names([("block", 4), ("arm", 2)], theirs) == [1, 0]  # no name, but the sizes tell
    assert by_names([("block", 3), ("arm", 3)], theirs) is None
    three = (("x", 3), ("y", 3), ("z", 1))
    assert by_names([("obs_z", 1), ("a", 3), ("b", 3)], three) is None  # which is which?
    info = {"columns": {"obs": ["q[2]", "q[10]", "dq_1", "dq_2", "f"]}, "widths": [1, 1, 1, 1, 3]}
    assert blocks_of(info) == [("q", 2), ("dq", 2), ("f", 3)]


def test_environments_without_parts_are_looked_at_by_their_starts() -> None:
    """As JAX simulators are."""
    rng = np.random.default_rng(0)
    env: Any = SimpleNamespace(
        spec=Spec(2, 1), reset=lambda seed: np.array([0.0, 3.0 + seed / 9], np.float32)
    )
    walk = rng.normal(0, 0.01, (40, 2)).astype(np.float32) + np.array([3, 0], np.float32)
    end = np.tile(np.arange(8) == 7, 5)
    data = Dataset(
        walk, np.zeros((40, 1), np.float32), np.zeros(40, np.float32), end, end & False, walk
    )
    assert warned(data, env, custom_task("A-v0"))
    right = replace(data, obs=walk[:, ::-1], next_obs=walk[:, ::-1])
    assert not warned(right, env, custom_task("A-v0"))
