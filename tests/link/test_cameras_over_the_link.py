"""A robot with a camera: its images arrive bit for bit, once each, whoever is killed or cut."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from fake_arm import TOKEN, killed, listening, robot, until
from gymnasium.spaces import Box, Dict

import warmstart as ws
from warmstart.agent import learner as learning
from warmstart.errors import RunError
from warmstart.link.frames import frame_at
from warmstart.link.steplog import StepLog
from warmstart.link.steps import as_step

SHAPE, PIXELS = (9, 8, 3), 9 * 8 * 3
CHANGES = {
    "nets.hidden": "[8]",
    "learner.encoder.filters": "[4]",
    "learner.encoder.bottleneck": "4",
    "learner.encoder.shift": "1",
    "learner.batch": "4",
    "replay.warmup.steps": "4",
    "replay.capacity": "200",
}


class Seeing(gymnasium.Env[Any, Any]):
    """An arm with a camera that is turned, and that writes into one buffer again and again.

    Attributes:
        done: of each step (the first image of its episode or None, the next image, the angle).
    """

    observation_space = Dict({"eye": Box(0, 255, SHAPE, np.uint8), "angle": Box(-9.0, 9.0, (1,))})
    action_space = Box(-1.0, 1.0, (1,))

    def __init__(self, episode: int = 6) -> None:
        self.episode = episode
        self.done: list[tuple[Any, np.ndarray, float]] = []
        self.rng = np.random.default_rng(0)
        self.eye = np.zeros(SHAPE[::-1], np.uint8).T  # in Fortran's order
        self.angle = np.zeros(1, np.float32)

    def _look(self) -> dict[str, np.ndarray]:
        self.eye[:] = self.rng.integers(0, 256, SHAPE)
        return {"eye": self.eye, "angle": self.angle}

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.t, self.angle[:] = 0, 0.0
        obs = self._look()
        self.first: Any = self.eye.copy()
        return obs, {}

    def step(self, action: Any) -> Any:
        self.t += 1
        self.angle += action
        obs = self._look()
        self.done.append((self.first, self.eye.copy(), float(self.angle[0])))
        self.first = None
        info = {"intervention": action} if self.t == 2 else {}
        return obs, float(action[0]), False, self.t == self.episode, info


def made(folder: Path) -> ws.Agent:
    return ws.Agent(
        "sac", Seeing(), horizon=6, steps=200, folder=folder, changes=CHANGES, progress=False
    )


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ws.Agent]:
    """One agent for the tests that leave it whole."""
    with made(tmp_path_factory.mktemp("seeing") / "learner") as agent:
        yield agent


def require_seen(agent: ws.Agent, done: list[Any], start: int = 0) -> None:
    """The agent's rows from `start` on name the images that the arm has shown, each once."""
    agent.learn()
    trainer, layout = agent._live.trainer, agent._live.stepper.online.layout
    assert agent.steps == start + len(done)
    rows = trainer.rows(0, agent.steps)[0]
    (count,) = trainer.counted(agent.steps)
    images = trainer.images(0, 0, count)
    before, after = (rows[start:, column].astype(int) for column in layout.frame_columns)
    np.testing.assert_array_equal(images[after], np.stack([d[1].reshape(-1) for d in done]))
    shown = [d[0] for d in done]
    for i, first in enumerate(shown):
        wanted = done[i - 1][1] if first is None else first
        np.testing.assert_array_equal(images[before[i]], wanted.reshape(-1))
    # Within an episode the image after a step is the one before the next: it stands once.
    new = sum(first is not None for first in shown)
    assert len({*before.tolist(), *after.tolist()}) == len(done) + new
    angles = layout.unpack(rows[start:]).next_obs[:, 0]
    np.testing.assert_array_equal(angles, np.array([d[2] for d in done], np.float32))


def test_a_learner_learns_from_a_robot_that_sees(tmp_path: Path, learner: ws.Agent) -> None:
    arm, start = Seeing(), learner.steps
    with listening(learner) as listens:
        told = robot(arm, listens, tmp_path / "arm").run(27, go=True)
        until(lambda: listens.report()["steps"] == start + 27)
        assert listens.report()["updates"] > 0
        again = robot(arm, listens, tmp_path / "arm").run(9, go=True)
        until(lambda: listens.report()["steps"] == start + 36)
        require_seen(learner, arm.done, start)
    assert again["weights"] > told["weights"] and again["refused_weights"] == 0
    assert told["interventions"] == 5
    # An image goes along once, as bytes: with each step the next one, and an episode's first.
    log = StepLog(tmp_path / "arm")
    frames = [frame_at(held, 0)[0] for held in log.read(start, 10**9)]
    log.close()
    eyes = [a for frame in frames for a in frame.arrays.values() if a.dtype == np.uint8]
    assert len(eyes) == 36 + sum(note[0] is not None for note in arm.done)
    for frame, note in zip(frames, arm.done, strict=True):
        step = as_step(frame)
        np.testing.assert_array_equal(step.next_obs["eye"], note[1])
        assert (step.obs is None) == (note[0] is None)
        if step.obs is not None:
            np.testing.assert_array_equal(step.obs["eye"], note[0])


def test_killed_and_begun_again_no_image_is_lost_and_none_doubled(tmp_path: Path) -> None:
    arm, folder, home = Seeing(), tmp_path / "learner", tmp_path / "arm"
    agent = made(folder)
    listens = ws.Learner(agent, "127.0.0.1:0", token=TOKEN, publish_every=5)
    port = listens.address
    for life in range(3):
        thread = threading.Thread(target=listens.run, daemon=True)
        thread.start()
        robot(arm, port, home).run(8, go=True)  # in the middle of an episode
        if life == 1:
            with listens.agent._live.lesson:
                listens.agent._live.keep(boundary=True)
            robot(arm, port, home).run(5, go=True)
        listens.stop()
        thread.join(60)
        killed(listens)
        agent = ws.Agent.open(folder, Seeing(), progress=False, goes_on=True)
        assert agent.steps <= len(arm.done)
        listens = ws.Learner(agent, port, token=TOKEN, publish_every=5)
    with agent, listens:
        robot(arm, listens, home).run(4, go=True)
        listens.run(steps=33, seconds=60)
        require_seen(agent, arm.done)
        assert len(arm.done) == 33 and listens.report()["steps"] == 33


def test_another_camera_and_steps_too_large_are_refused_before_anything_moves(
    tmp_path: Path, learner: ws.Agent
) -> None:
    arm = Seeing()
    with listening(learner) as listens:
        turned = Seeing()
        turned.observation_space = Dict(
            {"eye": Box(0, 255, (8, 9, 3), np.uint8), "angle": Box(-9.0, 9.0, (1,))}
        )
        with pytest.raises(RunError, match=r"eye: image of bytes, shape \[9, 8, 3\] here, image"):
            robot(turned, listens, tmp_path / "turned").run(1, go=True)
        blind = Seeing()
        blind.observation_space = Dict(
            {"eye": Box(0, 255, SHAPE, np.float32), "angle": Box(-9.0, 9.0, (1,))}
        )
        with pytest.raises(RunError, match=r"eye: image of bytes.* here, numbers, shape"):
            robot(blind, listens, tmp_path / "blind").run(1, go=True)
    with (
        listening(learner, limit=66_000) as listens,
        pytest.raises(RunError, match=r"up to 67,00\d bytes, .* messages of 66,000; give the"),
    ):
        robot(arm, listens, tmp_path / "large").run(1, go=True)
    assert not (arm.done or turned.done or blind.done)


def test_images_that_wait_to_be_learnt_from_are_few(
    learner: ws.Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more steps are taken from the actor than their bytes allow, until some are learnt from."""
    arm = Seeing()
    if learner._live.is_open:
        learner.break_off()
    learner.learn()
    monkeypatch.setattr(learning, "MOST_WAITING", 2 * PIXELS * 5)
    with ws.Learner(learner, "127.0.0.1:0", token=TOKEN) as listens:
        first = arm.reset()[0]
        for t in range(5):
            assert not listens.busy
            action = np.zeros(1, np.float32)
            learner.take(first if t == 0 else None, action, *arm.step(action))
        assert listens.busy
        learner.learn(1)
        assert not listens.busy
