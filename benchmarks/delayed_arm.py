"""An arm that does late what it is told, and what it takes to drive one: no JAX.

At 10 Hz a real arm is told something new before it does what it was told last. Here each command
reaches the arm after a delay of its own, drawn evenly from 50 to 100 ms and seeded; until then the
arm goes on with the command before (a zero-order hold). The simulator moves once a period, by the
mean of the two commands weighted by their time: for the position commands of Meta-World's hand
that is what holding each of them amounts to. `step` answers when the command is in effect, so that
of a period of 100 ms the actor has 0 to 50 ms for everything else. What it answers is what the arm
shows at the end of the period, in which nobody can tell it anything more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from warmstart.envs.registry import open_gymnasium
from warmstart.envs.seeded import seeded
from warmstart.link.actor import Actor
from warmstart.link.pacing import Clock, RealClock
from warmstart.tasks import get_task

HZ, DELAY = 10.0, (0.05, 0.1)
TOKEN = "a-token-for-a-rehearsal"
LIMITS = (-0.9, 0.9)
"""Of actions, inside the arm's own -1 to 1."""


class DelayedArm(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment whose actions take effect late, and which ends and pays as a task of success.

    Args:
        env: the arm.
        seed: of delays and resets; episode i is reset as the training episode i of a run.
        delay: (least, most) seconds, within a period.
        period: seconds.
        clock: where `step` passes its time.
        pays: whether the reward is success - 1 and success ends the episode, as in Meta-World's
            tasks of the catalogue.

    Attributes:
        answered: when each step was, by the clock.
        delays: of each step.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        seed: int,
        *,
        delay: tuple[float, float] = DELAY,
        period: float = 1.0 / HZ,
        clock: Clock | None = None,
        pays: bool = True,
    ) -> None:
        super().__init__(env)
        if not 0.0 <= delay[0] <= delay[1] <= period:
            raise ValueError(f"a delay of {delay} does not lie within a period of {period}")
        self.period: float = period
        self.clock: Clock = clock or RealClock()
        self.answered: list[float] = []
        self.delays: list[float] = []
        self._seed, self._delay, self._pays = seed, delay, pays
        self._draws = np.random.default_rng([seed, 12])
        self._number = 0
        self._before: Any = None

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """The next episode, at rest; another one where a seed is given."""
        if seed is None:
            seed = reset_seed(self._seed, self._number)
            self._number += 1
        space: Any = self.action_space
        self._before = np.clip(np.zeros_like(space.low), space.low, space.high)
        with seeded(self.env, seed):
            return self.env.reset(seed=seed)

    def step(self, action: Any) -> Any:
        """A period, and the answer after its delay."""
        delay = float(self._draws.uniform(*self._delay))
        until, share = self.clock.now() + delay, delay / self.period
        done = share * self._before + (1.0 - share) * action
        self._before = np.array(action)
        obs, reward, terminated, truncated, info = self.env.step(done.astype(action.dtype))
        if self._pays:
            success = bool(info["success"])
            reward, terminated = float(success) - 1.0, terminated or success
        self.clock.sleep_until(until)
        self.delays.append(delay)
        self.answered.append(self.clock.now())
        return obs, reward, terminated, truncated, info


def reset_seed(seed: int, number: int) -> int:
    """Of a run's training episode, as `engine.episodes.episode_seed` has it."""
    return int(np.random.SeedSequence([seed, 1, number]).generate_state(1)[0] >> 1)


def opened(name: str, seed: int, **more: Any) -> DelayedArm:
    """The arm of a task of the catalogue, which names a Gymnasium environment."""
    task = get_task(name)
    assert task.env_id is not None
    kwargs = {**task.env_kwargs, "max_episode_steps": task.horizon}
    env = open_gymnasium(task.env_id, kwargs)
    return DelayedArm(env, seed, pays=task.success_reward, **more)


class Watched(RealClock):
    """The machine's clock, which notes what a tick took beside the arm's own answer.

    Attributes:
        own: seconds of each tick that was in time: choosing, safety, the log, waking up late.
    """

    def __init__(self, arm: DelayedArm) -> None:
        self._arm = arm
        self.own: list[float] = []

    def sleep_until(self, moment: float) -> None:
        """Come back at this moment, or at once where it is over."""
        self.own.append(self._arm.period - (moment - self.now()) - self._arm.delays[-1])
        super().sleep_until(moment)


class Trips:
    """When the learner had each step, and when it had learnt from it, as the actor hears it."""

    def __init__(self, actor: Actor, arm: DelayedArm) -> None:
        self._actor, self._arm = actor, arm
        self.had: list[float] = []
        self.learnt: list[float] = []

    def look(self) -> None:
        """What is new."""
        session, now = self._actor._session, time.monotonic()
        if session is None:
            return
        for until, seconds in ((session.has, self.had), (session.learnt, self.learnt)):
            made = self._arm.answered
            while len(seconds) < min(until, len(made)):
                seconds.append(now - made[len(seconds)])


@contextmanager
def watching(trips: Trips) -> Iterator[None]:
    """Look every few milliseconds, in a thread."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.004):
            trips.look()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        trips.look()


def actor_side(
    arm: DelayedArm, address: str, folder: Path, steps: int, limits: Any = LIMITS
) -> dict[str, Any]:
    """The robot's process, at the arm's period; its folder is new. What happened to it."""
    watched = Watched(arm)
    actor = Actor(
        arm,
        address,
        token=TOKEN,
        folder=folder,
        hz=1.0 / arm.period,
        limits=limits,
        clock=watched,
    )
    trips = Trips(actor, arm)
    with watching(trips):
        told = actor.run(steps, go=True)
    log = actor._session and actor._session._log
    assert log is not None
    return {
        **told,
        "made": len(arm.answered),
        "logged": log.next - log.first,
        "delay_ms": spread(arm.delays),
        "own_ms": spread(watched.own),
        "had_ms": spread(trips.had),
        "learnt_ms": spread(trips.learnt),
    }


def spread(seconds: list[float]) -> dict[str, float]:
    """Milliseconds: the middle one, the 99th of a hundred, the largest; nothing of none."""
    if not seconds:
        return {}
    held = np.array(seconds) * 1e3
    found = {"median": np.median(held), "p99": np.quantile(held, 0.99), "largest": held.max()}
    return {name: round(float(value), 2) for name, value in found.items()}
