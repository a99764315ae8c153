"""The shipped policies: what their records say, and the rows that they make."""

from __future__ import annotations

import functools
import hashlib
import signal
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from warmstart.api import Interrupted
from warmstart.api import train_behaviour as training
from warmstart.cli import main
from warmstart.data.diversity import diversity
from warmstart.data.load import load
from warmstart.data.makers import make
from warmstart.data.makers import shipped_policies as maker
from warmstart.data.makers.ant_walks import WALKER
from warmstart.envs.make import make_env
from warmstart.errors import TaskError
from warmstart.tasks import TASKS, Task, get_task
from warmstart.tasks.behaviour import EXPERT, MEDIUM, Behaviour, Level, behaviour, behaviours
from warmstart.tasks.task import DataSource
from warmstart.types import Dataset
from warmstart.values import from_json

KNOWN = behaviours()
ROBOTS = [robot for robot in KNOWN if robot != WALKER]  # whose own data it makes


@pytest.mark.parametrize("robot", KNOWN)
def test_a_record_keeps_what_it_says(robot: str) -> None:
    known = behaviour(robot)
    assert known.levels["medium"].score >= MEDIUM
    assert all(
        score < MEDIUM for steps, score in known.curve if steps < known.levels["medium"].steps
    )
    with np.load(known.weights, allow_pickle=False) as file:
        assert {name.partition("/")[0] for name in file.files} == set(known.levels)
        assert all(file[name].dtype == np.float16 for name in file.files)
    assert known.weights.stat().st_size < 250_000 * len(known.levels)
    if robot == WALKER:
        return
    if known.best is not None:
        drawn = known.levels[known.best].drawn
        assert drawn is not None and (drawn >= EXPERT) == (known.best == "expert")
    tiers = {"random", "medium", "medium-replay", "medium-mix", "narrow-50"}
    tiers |= {known.best, f"medium-{known.best}"} if known.best else set()
    assert {f"{robot}-{tier}" for tier in tiers} <= set(TASKS)


@pytest.mark.parametrize("robot", KNOWN)
def test_the_numpy_policy_is_the_network(robot: str) -> None:
    known = behaviour(robot)
    env = make_env(get_task(robot))()
    fast = maker.load_policy(robot, "medium", env.spec)
    network: Any = from_json(known.policy)
    net = network.build(jax.random.PRNGKey(0), env.spec.obs_dim, env.spec.action_dim)
    with np.load(known.weights, allow_pickle=False) as file:
        leaves, structure = jax.tree_util.tree_flatten_with_path(net)
        named = [file[f"medium/{jax.tree_util.keystr(path)}"] for path, _ in leaves]
    slow = structure.unflatten([np.asarray(leaf, np.float32) for leaf in named])
    for seed in range(5):
        obs = env.reset(seed)
        mean, log_std = slow(obs)
        np.testing.assert_allclose(fast(obs), np.tanh(mean), rtol=1e-4, atol=2e-5)
        noise = np.random.default_rng(seed).standard_normal(env.spec.action_dim, np.float32)
        drawn = np.tanh(mean + np.exp(log_std) * noise)
        np.testing.assert_allclose(
            fast.sample(obs, np.random.default_rng(seed)), drawn, rtol=1e-4, atol=2e-5
        )


@pytest.mark.parametrize("robot", ROBOTS)
def test_the_medium_policy_still_runs(robot: str, tmp_path: Path) -> None:
    """Drawn actions cost something against the mode, and one episode may fall."""
    data = load(make(get_task(f"{robot}-medium"), tmp_path, size=4))
    low, high = TASKS[robot].reference or (0.0, 1.0)
    returns = [float(np.sum(data.rewards[a:b])) for a, b in data.episodes()]
    score = 100.0 * (np.mean(returns) - low) / (high - low)
    assert score > 0.5 * behaviour(robot).levels["medium"].score


def test_processes_change_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    robot = ROBOTS[0]
    env = make_env(get_task(robot))()
    made = []
    for cores in ({0, 1}, {0}):
        monkeypatch.setattr(maker.os, "sched_getaffinity", lambda pid, cores=cores: cores)
        told: list[tuple[int, int]] = []
        data = maker.make_behaviour(
            env, 3, range(2, 7), lambda a, b, told=told: told.append((a, b)),
            robot=robot, levels=["step-10000", "medium"],
        )  # fmt: skip
        assert told[-1] == (5, 5)
        made.append(data)
    for name in ("obs", "actions", "rewards", "terminated", "truncated", "next_obs"):
        np.testing.assert_array_equal(getattr(made[0], name), getattr(made[1], name))


def test_a_killed_helper_is_told_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = type("Pool", (), {"map": lambda *_: (_ for _ in ()).throw(BrokenProcessPool())})
    helpers = functools.cache(lambda count: broken())
    helpers(2)
    monkeypatch.setattr(maker, "_helpers", helpers)
    monkeypatch.setattr(maker, "_cores", lambda: 2)
    env = make_env(get_task(ROBOTS[0]))()
    with pytest.raises(TaskError, match="killed"):
        maker.make_behaviour(env, 0, 4, robot=ROBOTS[0], levels=["medium"])
    assert helpers.cache_info().currsize == 0


def test_wrong_names_are_refused() -> None:
    robot = ROBOTS[0]
    env = make_env(get_task(robot))()
    with pytest.raises(TaskError, match="choose among"):
        maker.make_behaviour(env, 0, 1, robot=robot, levels=["mediums"])
    with pytest.raises(TaskError, match="No behaviour policy"):
        maker.make_behaviour(env, 0, 1, robot="halfcheeta", levels=["medium"])
    other = make_env(get_task("hopper" if robot != "hopper" else "ant"))()
    with pytest.raises(TaskError, match="use its own robot"):
        maker.make_behaviour(other, 0, 1, robot=robot, levels=["medium"])


def test_diversity_is_none_of_one_policy_and_one_of_none() -> None:
    rng = np.random.default_rng(0)
    obs = rng.normal(size=(3_000, 2)).astype(np.float32)
    ends = np.arange(3_000) % 50 == 49
    mine = np.tanh(obs @ rng.normal(size=(2, 2))).astype(np.float32)

    def of(actions: np.ndarray) -> float | None:
        return diversity(
            Dataset(obs, actions, np.zeros(3_000, np.float32), ends & False, ends, obs)
        )

    alike, half, apart = (
        of(a.astype(np.float32))
        for a in (
            mine,
            np.where(rng.random((3_000, 1)) < 0.5, mine, rng.uniform(-1, 1, (3_000, 2))),
            rng.uniform(-1, 1, (3_000, 2)),
        )
    )
    assert alike is not None and half is not None and apart is not None
    assert alike < 0.01 < half < apart and apart == pytest.approx(1.0, abs=0.1)


class Killed(Exception):
    """The process is gone."""


def test_a_replay_set_is_the_buffer_of_a_training_that_may_be_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Behaviour("hopper", "sac", 5, 60, {"medium": Level(40, 33.4)}, {}, {}, ())
    monkeypatch.setattr(training, "behaviour", lambda robot: known)
    monkeypatch.setattr("warmstart.data.makers.trained.behaviour", lambda robot: known)
    monkeypatch.setattr(training, "EVERY", 20)
    small = {"finetune.learner.batch": 4, "nets.hidden": "8", "replay.warmup.steps": 10}
    whole = training.declare

    def declare(*args: Any, changes: Any, **more: Any) -> Any:
        more["schedule"] = {**more["schedule"], "episodes": 1, "fixed_episodes": 1}
        return whole(*args, changes={**changes, **small}, **more)

    monkeypatch.setattr(training, "declare", declare)
    task = Task(**{**vars(get_task("hopper")), "name": "hopper-medium-replay"})
    task = Task(**{**vars(task), "data": training_data()})
    with pytest.raises(TaskError, match="warmstart data make hopper-medium-replay"):
        make(task, tmp_path / "a")
    first = training.make_replay(task, tmp_path / "a")
    (tmp_path / "a" / f".{first.name}.training" / "replay").mkdir(parents=True)
    assert make(task, tmp_path / "a") == first == training.make_replay(task, tmp_path / "a")
    assert [path.name for path in (tmp_path / "a").iterdir()] == [first.name]

    def kill(event: Any) -> None:
        if event.kind == "eval" and event.env_steps == 20:
            raise Killed

    with pytest.raises(Killed):
        training.make_replay(task, tmp_path / "b", kill)
    second = training.make_replay(task, tmp_path / "b")
    digests = [hashlib.sha256((f / "data.npz").read_bytes()).hexdigest() for f in (first, second)]
    assert digests[0] == digests[1]
    seen: list[int] = []

    def ask_to_stop(event: Any) -> None:
        if event.kind == "progress":
            seen.append(event.values["total"])
        if event.kind == "eval" and event.env_steps == 20:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Interrupted, match="go on with: warmstart data make hopper-medium-replay"):
        training.make_replay(task, tmp_path / "c", ask_to_stop)
    assert set(seen) == {40}, "the end is where the medium policy stopped"
    monkeypatch.setenv("WARMSTART_DATA", str(tmp_path / "d"))
    monkeypatch.setattr("warmstart.commands.data.get_task", lambda name: task)
    monkeypatch.setattr(
        "warmstart.api.watch.Watcher.__call__", lambda self, event: ask_to_stop(event)
    )
    assert main(["data", "make", "hopper-medium-replay"]) == 130
    data = load(first)
    assert len(data) == 40 and data.ends[-1] and not np.any(data.terminated & data.truncated)
    assert [p.name for p in (tmp_path / "b").iterdir()] == [second.name]


def training_data() -> Any:
    """Where the replay set comes from."""
    return DataSource(maker="training", kwargs={"robot": "hopper", "steps": 40})


def test_the_recipe_knows_the_weights_of_its_levels():
    robot = ROBOTS[0]
    one, other = list(KNOWN[robot].levels)[:2]
    assert maker.weights_hash(robot, [one]) == maker.weights_hash(robot, [one])
    assert maker.weights_hash(robot, [one]) != maker.weights_hash(robot, [other])
