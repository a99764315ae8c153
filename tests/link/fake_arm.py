"""A fake arm that notes what really happened to it, and a learner for it in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from driven import Reach, agent, logged, recipe

import warmstart as ws
from warmstart.recipe import Recipe

TOKEN = "a-token-of-a-fair-length"


class Arm(Reach):
    """`Reach`, which notes each step: (begins, obs before, action, reward, obs after, over).

    Attributes:
        nasty: called with the number of the step; what it returns takes the answer's place.
        idle: set while nobody steps it.
    """

    def __init__(self) -> None:
        self.done: list[tuple[bool, Any, Any, float, Any, bool]] = []
        self.nasty: Callable[[int, Any], Any] = lambda number, answer: answer
        self.resets = 0
        self.idle = threading.Event()
        self.idle.set()

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.resets += 1
        self.shown, info = super().reset(seed=self.resets)
        self.begins = True
        return self.shown, info

    def step(self, action: Any) -> Any:
        self.idle.clear()
        answer = self.nasty(len(self.done), super().step(action))
        obs, reward, terminated, truncated, info = answer
        done = info.get("intervention")
        done = action if done is None or done is False else done
        note = (self.begins, self.shown, np.array(done), reward, obs, terminated or truncated)
        self.done.append(note)
        self.begins, self.shown = False, obs
        self.idle.set()
        return answer


def flat(obs: Any) -> np.ndarray:
    """As a row has it: keys in sorted order."""
    return np.concatenate([np.asarray(obs[key], np.float32) for key in sorted(obs)])


def rows_of(learner: ws.Agent) -> np.ndarray:
    """All online rows of an agent [n, W], when all is learnt."""
    learner.learn()
    return learner._live.trainer.rows(0, learner.steps)[0]


def require_same(learner: ws.Agent, done: list[Any], start: int = 0) -> None:
    """The agent's rows from `start` on are what the arm has done, one for one."""
    rows, layout = rows_of(learner)[start:], learner._live.stepper.online.layout
    assert len(rows) == len(done), (len(rows), len(done))
    low, high = Reach.action_space.low, Reach.action_space.high
    seen = layout.unpack(rows)
    np.testing.assert_array_equal(seen.obs, np.stack([flat(note[1]) for note in done]))
    np.testing.assert_array_equal(seen.next_obs, np.stack([flat(note[4]) for note in done]))
    unit = np.stack([2 * (note[2] - low) / (high - low) - 1 for note in done])
    np.testing.assert_allclose(seen.action, unit, atol=2e-5)
    np.testing.assert_array_equal(seen.reward, np.float32([note[3] for note in done]))
    np.testing.assert_array_equal(seen.t == 0, [note[0] for note in done])


def handed_over(folder: Path, made: Recipe | None = None, **more: Any) -> ws.Agent:
    """An agent that keeps a folder, ready to learn online."""
    learner = agent(made or recipe("wsrl", steps=400, warmup=4), folder=folder, **more)
    learner.pretrain()
    learner.hand_over()
    return learner


def killed(listens: ws.Learner) -> None:
    """What a SIGKILL of the learner does: nothing is saved, and its lock is free."""
    listens._door.close()
    listens.agent._live._open.close()


def opened_again(folder: Path) -> ws.Agent:
    """The learner's agent after that."""
    return ws.Agent.open(folder, data=logged(), progress=False, goes_on=True)


@contextmanager
def listening(learner: ws.Agent, **more: Any) -> Iterator[ws.Learner]:
    """A learner that runs in a thread; what ends it is raised at the end."""
    told = {"listen": "127.0.0.1:0", "token": TOKEN, "publish_every": 2, **more}
    failed: list[BaseException] = []
    with ws.Learner(learner, **told) as listens:

        def run() -> None:
            try:
                listens.run()
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield listens
        finally:
            listens.stop()
            thread.join(300)
    if failed:
        raise failed[0]


def until(true: Callable[[], bool], seconds: float = 300.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never was so"
        time.sleep(0.005)


def robot(env: Any, listens: ws.Learner | str, folder: Path, **more: Any) -> ws.Actor:
    """An actor that waits for nobody."""
    address = listens if isinstance(listens, str) else listens.address
    told: dict[str, Any] = {"token": TOKEN, "hz": 1000.0, "timeout": None, **more}
    return ws.Actor(env, address, folder=folder, **told)
