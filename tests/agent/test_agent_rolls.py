"""An agent whose simulator is a JAX program, rolled inside the compiled loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from driven import recipe

import warmstart as ws
from warmstart.errors import RunError
from warmstart.policy.folder import read_policy

TASK = "jax-pointmass"


def made(folder: Path | None = None) -> ws.Agent:
    agent = ws.Agent(recipe(), TASK, seed=5, folder=folder, holdout=0.0, progress=False)
    agent.pretrain()
    return agent


def tensors(folder: Path) -> dict[str, np.ndarray]:
    return read_policy(folder).tensors


def assert_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert tensor.tobytes() == other[name].tobytes(), name


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ws.Run:
    quiet = {"episodes": 1, "fixed_episodes": 1, "offline_every": 0, "online_every": 0, "early": ()}
    return ws.run(
        recipe(),
        TASK,
        seeds=[5],
        holdout=0.0,
        root=tmp_path_factory.mktemp("runs"),
        progress=False,
        schedule={**quiet, "films": False, "compare": False},
    )


def test_rolled_it_learns_to_the_bits_of_a_run_also_when_saved_on_the_way(
    run: ws.Run, tmp_path: Path
) -> None:
    agent = made()
    assert agent.roll(3) is None  # a warm-up
    metrics = agent.roll(9)
    assert metrics is not None and np.isfinite(metrics["critic_loss"])
    assert agent.steps == 12 and agent.learn() is None
    agent.save(tmp_path / "way")
    again = ws.Agent.load(tmp_path / "way")
    for one in (agent, again):
        one.roll(18)
        one.save(tmp_path / f"end-{one is agent}")
    theirs = tensors(run.folder / "policies" / "seed-5" / "latest")
    assert_same(tensors(tmp_path / "end-True"), theirs)
    assert_same(tensors(tmp_path / "end-False"), theirs)
    obs = np.zeros(agent._live.problem.spec.obs_dim, np.float32)
    np.testing.assert_array_equal(agent.predict(obs)[0], ws.actor(tmp_path / "end-True")(obs))
    assert agent.evaluate(2)["episodes"] == 2


def test_with_a_folder_it_goes_on_from_there(run: ws.Run, tmp_path: Path) -> None:
    agent = made(tmp_path / "kept")
    agent.roll(12)
    agent.close()
    again = ws.Agent.open(tmp_path / "kept", progress=False)
    assert again.steps == 12
    again.roll(18)
    again.close()
    kept = tmp_path / "kept" / "policies" / "seed-5" / "latest"
    assert_same(tensors(kept), tensors(run.folder / "policies" / "seed-5" / "latest"))


def test_it_is_rolled_or_stepped_and_not_both() -> None:
    agent = made()
    agent.roll(2)
    with pytest.raises(RunError, match="rolls its simulator"):
        agent.begin(np.zeros(4))
    with pytest.raises(RunError, match="begin"):
        agent.act()
    with pytest.raises(RunError, match="1 step or more"):
        agent.roll(0)
    stepped = made()
    stepped.hand_over()
    stepped.begin(np.zeros(stepped._live.problem.spec.obs_dim))
    with pytest.raises(RunError, match="stepped from outside"):
        stepped.roll(2)


def test_a_simulator_that_is_no_jax_program_is_refused() -> None:
    agent = ws.Agent(recipe("sac"), "Pendulum-v1", progress=False)
    with pytest.raises(RunError, match="no JAX program"):
        agent.roll(5)
