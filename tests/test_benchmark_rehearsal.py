"""The rehearsal with a small fake arm: both sides over a socket, in real time and on a clock."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from driven import ID, WORDS, logged, recipe

import warmstart as ws
from benchmarks import rehearsal
from benchmarks.delayed_arm import DelayedArm, actor_side, reset_seed, spread
from warmstart.engine.episodes import TRAIN, episode_seed

STEPS = 40
LIMITS = ([0.2, -2.5], [1.8, 4.5])


def few(*numbers: float) -> np.ndarray:
    """Float32, as actions are."""
    return np.array(numbers, np.float32)


def arm(clock: Any = None, delay: tuple[float, float] = (0.002, 0.004)) -> DelayedArm:
    return DelayedArm(gymnasium.make(ID), 3, delay=delay, period=0.004, clock=clock, pays=False)


def learner(folder: Path) -> ws.Agent:
    made = ws.Agent(recipe("wsrl", steps=STEPS), ID, data=logged(), folder=folder, seed=1, **WORDS)
    made.pretrain()
    made.hand_over()
    return made


class Inner(gymnasium.Env[Any, Any]):
    """Shows the action that reached it, and is done by the third step."""

    observation_space = gymnasium.spaces.Box(-9.0, 9.0, (2,))
    action_space = gymnasium.spaces.Box(few(-1.0, 1.0), few(1.0, 3.0))

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.t = 0
        return few(seed or 0, 0) / 2**31, {}

    def step(self, action: Any) -> Any:
        self.t += 1
        return np.array(action), 7.0, False, False, {"success": float(self.t == 3)}


def test_a_command_reaches_the_arm_late_and_success_ends_the_episode() -> None:
    clock = rehearsal.Standing()
    late = DelayedArm(Inner(), 5, delay=(0.05, 0.1), period=0.1, clock=clock)
    before, seen = few(0.0, 1.0), []  # at rest, as near to zero as the box lets it
    late.reset()
    for t in range(3):
        action = few(0.5 - t, 2.0 + t / 4)
        obs, reward, terminated, _, _ = late.step(action)
        share = late.delays[-1] / 0.1
        np.testing.assert_allclose(obs, share * before + (1 - share) * action, atol=1e-6)
        assert 0.5 <= share <= 1.0
        before = action
        seen.append((reward, terminated))
    assert seen == [(-1.0, False), (-1.0, False), (0.0, True)]
    again = DelayedArm(Inner(), 5, delay=(0.05, 0.1), period=0.1, clock=clock)
    again.reset()
    again.step(few(0.5, 2.0))
    assert again.delays == late.delays[:1]
    with pytest.raises(ValueError, match="does not lie within a period"):
        DelayedArm(Inner(), 5, delay=(0.05, 0.2), period=0.1)
    assert [reset_seed(4, n) for n in range(3)] == [episode_seed(4, TRAIN, n) for n in range(3)]


def test_in_real_time_every_step_is_made_logged_and_learnt_from(tmp_path: Path) -> None:
    made, told = arm(), {}
    address: list[str] = []
    listens = threading.Event()

    def say(at: str) -> None:
        address.append(at)
        listens.set()

    def learn() -> None:
        told["learner"] = rehearsal.learner_side(learner(tmp_path / "learner"), STEPS, say)

    thread = threading.Thread(target=learn)
    thread.start()
    assert listens.wait(120)
    told["actor"] = actor_side(made, address[0], tmp_path / "actor", STEPS, LIMITS)
    thread.join(60)
    found = rehearsal.summary(json.loads(json.dumps(told)))
    assert found["good"] and found["made"] == found["logged"] == found["learnt"] == STEPS
    assert found["doubled"] == 0 and found["updates"] > 0 and found["limited"] > 0
    # The first action of an episode waits for nothing.
    assert STEPS - found["ticks"] - found["episodes"] in (0, 1)
    assert found["missed"] <= found["ticks"]
    assert 0.0 < found["had_ms"]["median"] <= found["had_ms"]["largest"]
    assert 2.0 <= found["delay_ms"]["median"] <= 4.0
    lost = {**told, "learner": {**told["learner"], "steps": STEPS - 1}}
    assert not rehearsal.summary(lost)["good"]


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Any, np.ndarray]]]:
    """What the same rehearsal on a virtual clock told, and its rows, two times."""
    yield [on_a_clock(tmp_path_factory.mktemp("clock"), 0.003, 0.001) for _ in range(2)]


def on_a_clock(folder: Path, lesson: float, link: float) -> tuple[Any, np.ndarray]:
    agent = learner(folder / "learner")
    told = rehearsal.on_a_virtual_clock(
        agent, arm, folder / "actor", STEPS, lesson, link, LIMITS, publish_every=6
    )
    return told, agent._live.trainer.rows(0, STEPS)[0]


def test_on_a_virtual_clock_the_same_happens_each_time(twice: list[Any]) -> None:
    (told, rows), (again, those) = twice
    assert told == again and told["missed"] == 0 and told["steps"] == STEPS
    np.testing.assert_array_equal(rows, those)


def test_without_a_link_as_much_is_learnt(twice: list[Any], tmp_path: Path) -> None:
    agent = learner(tmp_path / "learner")
    told = rehearsal.in_one_process(agent, arm(rehearsal.Standing()), STEPS, LIMITS)
    wanted = {name: twice[0][0][name] for name in ("steps", "updates", "episodes")}
    assert told == wanted


def test_a_learner_that_takes_longer_is_acted_for_by_older_weights(
    twice: list[Any], tmp_path: Path
) -> None:
    slow, _ = on_a_clock(tmp_path, 0.008, 0.001)
    assert slow["updates"] == twice[0][0]["updates"]
    assert slow["weights_age_steps"] > twice[0][0]["weights_age_steps"] + 3


def test_what_is_done_is_not_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, did = tmp_path / "kept.json", []

    def part(name: str) -> Callable[[Path], Any]:
        def what(folder: Path) -> dict[str, Any]:
            assert not folder.exists()
            did.append(name)
            return {arm: {"success": 50.0 + len(did), "length": 9.0} for arm in ("plain", "late")}

        return what

    study = rehearsal.Study(path, tmp_path / "runs", {"steps": 4})
    study.folder(0, "two_processes").mkdir(parents=True)  # a part that was broken off
    study.part(0, "pretrained", part("pretrained"))
    study.part(0, "two_processes", part("two_processes"))
    study = rehearsal.Study(path, tmp_path / "runs", {"steps": 4})
    study.part(0, "pretrained", part("pretrained"))
    study.part(1, "pretrained", part("again"))
    assert did == ["pretrained", "two_processes", "again"]
    assert "| pretrained | 52 (51, 53) | 52 (51, 53) |" in rehearsal.table(study.done)
    with pytest.raises(SystemExit, match="other settings"):
        rehearsal.Study(path, tmp_path / "runs", {"steps": 5})
    assert spread([]) == {} and spread([0.001, 0.003])["median"] == 2.0


def test_what_is_typed_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(rehearsal, "virtually", lambda study, seeds: seen.append((study, seeds)))
    words = ["--virtual", "--seeds", "4,5", "--json", str(tmp_path / "a.json"), "--steps", "70"]
    for more in ([], ["--set", "warmup=50", "--set", "ratio=1"]):
        monkeypatch.setattr("sys.argv", ["rehearsal", *words, *more])
        rehearsal.main()
    (plain, seeds), (changed, _) = seen
    assert seeds == [4, 5] and plain.settings["steps"] == 70 and "set" not in plain.settings
    assert changed.settings["set"] == {"warmup": "50", "ratio": "1"}
    assert "the late arm" in capsys.readouterr().out


def test_an_evaluation_plays_whole_episodes_on_the_late_arm() -> None:
    late = DelayedArm(Inner(), 5, delay=(0.05, 0.1), period=0.1, clock=rehearsal.Standing())
    found = rehearsal.played(lambda obs: few(9, 9), late, 0, 2, (-0.5, 1.5))
    assert found == {"success": 100.0, "length": 3.0}
