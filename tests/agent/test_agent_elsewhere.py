"""In the tools of others: Stable-Baselines3's evaluation loop, Gymnasium's RecordVideo."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest
from driven import Reach, agent, ready
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import RecordVideo
from tiny import same_bits

import warmstart as ws

SEEDS: list[int | None] = [3, 8, 12]  # episodes of other lengths, so that they begin at other steps


def evaluate_policy(model: Any, deterministic: bool = True) -> list[float]:
    """`stable_baselines3.common.evaluation.evaluate_policy` calls a model so: returns of two
    episodes in each of the environments, one environment after the other."""
    envs = SyncVectorEnv([Reach] * len(SEEDS), autoreset_mode=AutoresetMode.SAME_STEP)
    observations, _ = envs.reset(seed=SEEDS)
    states, starts = None, np.ones(len(SEEDS), bool)
    now, done = np.zeros(len(SEEDS)), [[] for _ in SEEDS]
    while any(len(returns) < 2 for returns in done):
        actions, states = model.predict(
            observations, state=states, episode_start=starts, deterministic=deterministic
        )
        observations, rewards, terminated, truncated, _ = envs.step(actions)
        now, starts = now + rewards, terminated | truncated
        for i in np.flatnonzero(starts):
            done[i].append(now[i])
            now[i] = 0.0
    envs.close()
    return [total for returns in done for total in returns[:2]]


def alone(model: Any) -> list[float]:
    """The same episodes, each environment by itself."""
    totals = []
    for seed in SEEDS:
        env = Reach()
        for given in (seed, None):
            obs, state, start, total, over = env.reset(seed=given)[0], None, True, 0.0, False
            while not over:
                action, state = model.predict(obs, state, start)
                obs, reward, terminated, truncated, _ = env.step(action)
                start, over, total = False, terminated or truncated, total + reward
            totals.append(total)
    return totals


@pytest.mark.parametrize("method", ["rlpd", "rlpd_chunks"])
def test_stable_baselines3_evaluates_it(method: str, tmp_path: Path) -> None:
    """A policy that goes through a chunk has a state, which begins where an episode does."""
    learner = ready(method)
    before = learner._live.trainer.carry.host()
    policy = ws.load_policy(learner.save(tmp_path / "kept"))
    wanted = alone(learner)
    for model in (learner, policy):
        assert evaluate_policy(model) == pytest.approx(wanted, abs=1e-4)
    assert evaluate_policy(learner, deterministic=False) != pytest.approx(wanted, abs=1e-4)
    same_bits(learner._live.trainer.carry.host(), before)


class Seen(Reach):
    """It can be filmed."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}
    render_mode = "rgb_array"

    def render(self) -> Any:
        return np.full((16, 16, 3), 20 * self.t, np.uint8)


@pytest.fixture
def films(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What is filmed, (file, pictures): MoviePy, which would write it, asks for an older Pillow."""
    written: list[tuple[str, int]] = []

    class Clip:
        def __init__(self, frames: list[Any], fps: float) -> None:
            self.count = len(frames)

        def write_videofile(self, path: str, logger: Any) -> None:
            written.append((Path(path).name, self.count))

    names = ("moviepy", "moviepy.video", "moviepy.video.io", "moviepy.video.io.ImageSequenceClip")
    for name in names:
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys.modules[names[-1]], "ImageSequenceClip", Clip, raising=False)
    return written


def test_gymnasium_films_it(films: list[tuple[str, int]], tmp_path: Path) -> None:
    seen = Seen()
    env = RecordVideo(seen, str(tmp_path / "films"), episode_trigger=lambda number: True)
    learner = agent("sac", env)
    learner.hand_over()
    assert len(learner.evaluate(2)["returns"]) == 2
    policy = ws.load_policy(learner.save(tmp_path / "kept"))
    obs, _ = env.reset(seed=3)
    over = False
    while not over:
        obs, _, terminated, truncated, _ = env.step(policy(obs))
        over = terminated or truncated
    env.close()
    assert [name for name, _ in films] == [f"rl-video-episode-{k}.mp4" for k in range(3)]
    assert films[-1][1] == seen.t + 1  # the reset's picture, and one a step
