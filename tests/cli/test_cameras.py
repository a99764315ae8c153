"""A task with a camera from the first step to a policy that leaves, in a folder and in a loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest
from tiny import same_bits

import warmstart as ws
from warmstart.api.reread import Images
from warmstart.data.makers.pixel_reach import make_pixel_reach
from warmstart.envs.make import make_env
from warmstart.envs.pixel_reach import PixelReach, goal_in
from warmstart.errors import DataError, RecipeError, RunError, TaskError
from warmstart.policy.describe import stored_learner
from warmstart.policy.folder import read_policy
from warmstart.policy.parity import trials
from warmstart.tasks import get_task
from warmstart.tasks.task import DataSource

SMALL: dict[str, Any] = {
    "changes": {
        "nets.hidden": "[8]",
        "learner.encoder.filters": "[4,4]",
        "learner.encoder.bottleneck": "4",
        "learner.batch": "4",
        "replay.capacity": "20",
        "replay.warmup.steps": "4",
    },
    "schedule": {
        "episodes": 1,
        "fixed_episodes": 1,
        "online_every": 0,
        "early": (),
        "films": False,
    },
    "progress": False,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ws.Run:
    """40 steps with a ring of 20 rows."""
    root = tmp_path_factory.mktemp("runs")
    return ws.run("sac", "pixel-reach", root=root, name="whole", steps=40, **SMALL)


def acts(run: ws.Run) -> tuple[Any, Mapping[str, np.ndarray]]:
    """Card and tensors of its final policy."""
    stored = read_policy(run.folder / "policies" / "seed-0" / "latest")
    return stored.card, stored.tensors


def test_a_run_goes_on_from_its_folder_to_the_same_bits(whole: ws.Run, tmp_path: Path) -> None:
    part = ws.run("sac", "pixel-reach", root=tmp_path, name="part", steps=25, **SMALL)
    assert sorted((part.folder / "images" / "0").glob("*.npy"))
    longer = ws.resume(part.folder, steps=40)
    same_bits(acts(longer)[1], acts(whole)[1])


def test_a_checkpoint_from_before_the_first_image_is_taken_up(tmp_path: Path) -> None:
    """As one at the end of pre-training is."""
    images = Images(tmp_path, (0, 1))
    carries = SimpleNamespace(room_for_images=lambda: 9, layout=SimpleNamespace(pixels=6))
    trainer: Any = SimpleNamespace(carries=carries)
    meta = images.meta()
    assert meta["images"] == [0, 0]
    read = images.read(meta, trainer)
    assert [(first, held.shape) for first, held in read] == [(0, (0, 6))] * 2


def test_its_policy_sees_in_numpy_what_it_saw_in_jax(whole: ws.Run, tmp_path: Path) -> None:
    policy, env = ws.load_policy(whole.folder / "policies" / "seed-0" / "latest"), PixelReach()
    obs, _ = env.reset(seed=3)
    card, tensors = acts(whole)
    learner, state = stored_learner(card, dict(tensors))
    flat: Any = np.concatenate([obs["hand"], obs["camera"].reshape(-1)]).astype(np.float32)
    wanted = learner.view(state).policy(flat[None]).mode()[0]
    np.testing.assert_allclose(policy(obs), wanted, atol=1e-5)
    other = policy({**obs, "camera": np.roll(obs["camera"], 9, axis=0)})
    assert not np.allclose(policy(obs), other)
    leaves = ws.export(whole.folder, tmp_path / "leaves")
    np.testing.assert_array_equal(ws.load_policy(leaves.folder)(obs), policy(obs))
    told = leaves.card["exported"]["parity"]
    assert told["observations"] == sum(map(len, trials(policy))) == 1000
    assert 0 < told["numpy"] < 1e-5
    with pytest.raises(TaskError, match="an image of float64, this policy sees uint8"):
        policy({**obs, "camera": obs["camera"] / 255.0})


def test_an_agent_is_kept_with_its_images(tmp_path: Path) -> None:
    env = PixelReach()
    agent = ws.Agent(
        "sac", env, horizon=30, steps=40, **{k: SMALL[k] for k in ("changes", "progress")}
    )
    obs, _ = env.reset(seed=agent.reset_seed())
    agent.begin(obs)
    for t in range(12):
        obs, reward, terminated, truncated, info = env.step(agent.act())
        agent.observe(obs, reward, terminated, truncated, info)
        if t != 10:
            agent.learn()  # one step waits when it is saved
    agent.save(tmp_path / "kept")
    again = ws.Agent.load(tmp_path / "kept")
    for one in (agent, again):
        one.learn()
    rings = [one._live.trainer.carry.items[0].ring for one in (agent, again)]
    same_bits(*(jax.tree.map(np.asarray, ring) for ring in rings))
    np.testing.assert_array_equal(agent.predict(obs)[0], again.predict(obs)[0])


def test_the_camera_alone_tells_where_the_goal_is() -> None:
    env = PixelReach()
    for seed in range(20):
        obs, _ = env.reset(seed=seed)
        if np.linalg.norm(env.hand - env.goal) > 0.4:
            assert np.abs(goal_in(obs["camera"]) - env.goal).max() < 0.02
    opened = make_env(get_task("pixel-reach"))()
    data = make_pixel_reach(opened, 0, 3)
    assert data.obs.shape == (90, 2) and data.frames is not None
    assert data.frames.shape == (93, 32 * 32 * 3)
    few = make_pixel_reach(opened, 0, range(1, 3))
    assert few.frames is not None and few.frame is not None and data.frame is not None
    np.testing.assert_array_equal(few.frames[few.frame], data.frames[data.frame[30:]])


def test_what_cannot_be_learnt_is_refused_before_there_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"

    def refused(method: str, error: type[Exception], says: str, **more: Any) -> None:
        changes = {**SMALL["changes"], **more.pop("changes", {})}
        with pytest.raises(error, match=says):
            ws.run(method, "pixel-reach", root=runs, **{**SMALL, "changes": changes, **more})

    deep = {"learner.encoder.filters": "[4,4,4,4,4]"}
    refused("sac", RecipeError, r"32 x 32 pixels, .*filters=\[4,4,4,4\]", changes=deep)
    with pytest.raises(RecipeError, match="does not look at images"):
        ws.run("dt", "pixel-reach", root=runs, progress=False)
    rows = {"obs": np.zeros((6, 2)), "actions": np.zeros((6, 2)), "rewards": np.arange(6.0)}
    lacks = {**rows, "terminated": np.zeros(6), "truncated": np.array([0, 0, 1, 0, 0, 1])}
    refused("bc", DataError, "shows camera .*, and the data have no image", data=lacks)
    monkeypatch.setattr("warmstart.api.images.free_memory", lambda: 1_000_000)
    refused("sac", RunError, "would take 0.1 GB of memory .* give fewer --steps", steps=20_000,
            changes={"replay.capacity": "20000"})  # fmt: skip
    assert not runs.exists()
    away = DataSource(path="a", obs_offset=(0.0,))
    with pytest.raises(TaskError, match="shows images, from which no offset"):
        make_env(dataclasses.replace(get_task("pixel-reach"), data=away))()
