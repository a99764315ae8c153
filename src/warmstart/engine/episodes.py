"""The open episodes of all seeds, as rows: whoever steps an environment reports here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from warmstart.errors import TaskError
from warmstart.replay.rows import Layout
from warmstart.tasks.reward import RewardTransform
from warmstart.types import TOO_LARGE, EnvStep


class Ended(NamedTuple):
    """A finished episode."""

    seed: int  # position on the seed axis
    raw_return: float
    length: int
    success: bool
    bootstrap: float  # bootstrap return: the return-to-go after its last row


@dataclass
class Episode:
    """An episode in the making: enough to play it again."""

    number: int = 0
    actions: list[np.ndarray] = field(default_factory=list)
    raw_return: float = 0.0
    success: bool = False
    failed: bool = True  # every reward so far was the smallest one
    reward: float = 0.0  # the newest one, transformed


def episode_seed(seed: int, purpose: int, number: int) -> int:
    """A reset seed, a function of the run's seed, the purpose and the episode's number."""
    return int(np.random.SeedSequence([seed, purpose, number]).generate_state(1)[0] >> 1)


TRAIN, EVALUATE = 1, 2


def require_finite(
    env_name: str,
    seed: int,
    at: tuple[str, int],
    obs: np.ndarray,
    reward: float = 0.0,
    step: int | None = None,
    learnt: float = 0.0,
) -> None:
    """Refuse (TaskError) an answer of an environment that nobody can learn from: NaN, infinity, or
    numbers beyond `TOO_LARGE`.

    Args:
        env_name, seed, at, step: for the message; `at` is (what kind of episode, its number),
            step None at the reset.
        obs, reward: the answer to an action that was finite.
        learnt: the reward as it is learnt, scaled and shifted, whose size it is that matters.
    """
    seen = np.abs(obs) <= TOO_LARGE
    if np.isfinite(reward) and abs(learnt) <= TOO_LARGE and np.all(seen):
        return
    when = "at the reset" if step is None else f"at step {step}"
    when += f" of {at[0]} {at[1]}"
    if np.isfinite(reward) and not abs(learnt) <= TOO_LARGE:
        raise TaskError(
            f"{env_name} of seed {seed} paid {reward:g} {when}, which is {learnt:g} as it is "
            f"learnt; float32 needs less than {TOO_LARGE:g}: give another --reward-scale"
        )
    if np.isfinite(reward):
        number = int(np.argmin(seen))
        value, what = float(obs[number]), f"observation number {number}"
    else:
        value, what = reward, "the reward"
    after = "" if step is None else ", though the action was finite"
    if np.isfinite(value):
        mend = "leave that number out, or take an offset away (--obs-offset)"
        kind = f"beyond {TOO_LARGE:g}, too large for float32,"
    else:
        mend, kind = "fix the environment or its time step", "not finite"
    raise TaskError(
        f"{env_name} of seed {seed} returned a number that is {kind} {when} ({what} is "
        f"{value:g}){after}; {mend}"
    )


class Episodes:
    """The open episode of each seed, and the rows that its steps give.

    `return_rule` is the task's return-to-go rule (see `warmstart.tasks.returns`), and
    `failure_reward` the transformed reward of a step without success in a sparse task.
    """

    def __init__(
        self,
        layout: Layout,
        seeds: Sequence[int],
        reward: RewardTransform,
        discount: float,
        return_rule: str,
        failure_reward: float,
        env_name: str = "the environment",
    ) -> None:
        self.layout: Layout = layout
        self.seeds: list[int] = list(seeds)
        self.env_name: str = env_name
        self.reward: RewardTransform = reward
        self.discount: float = discount
        self.return_rule: str = return_rule
        self.failure_reward: float = failure_reward
        count = len(self.seeds)
        self.open: list[Episode] = [Episode() for _ in seeds]
        # What acting is shown, and the inputs of learning, side by side: one array each crosses.
        self.shown: np.ndarray = np.zeros((count, layout.seen + 2), np.float32)
        self.obs: np.ndarray = self.shown[:, :-2]
        self.last_reward: np.ndarray = self.shown[:, -2]
        self.first: np.ndarray = self.shown[:, -1]
        self.first[:] = 1.0
        self.inputs: np.ndarray = np.zeros((count, layout.width + 4), np.float32)
        self.rows: np.ndarray = self.inputs[:, :-4]
        self.ended: np.ndarray = self.inputs[:, -4:]
        self.begun: list[bool] = [False] * count
        # Images: those before and after the newest step, and how many there were so far.
        self.pictures: np.ndarray | None = None
        if layout.pixels:
            self.pictures = np.zeros((count, 2, layout.pixels), np.uint8)
        self.counted: list[int] = [0] * count

    def reset_seed(self, i: int) -> int:
        """The reset seed of the open, or next, episode of the seed at position `i`."""
        return episode_seed(self.seeds[i], TRAIN, self.open[i].number)

    def begin(self, i: int, obs: np.ndarray) -> None:
        """An environment was reset and shows `obs` [O]. Raises TaskError."""
        require_finite(self.env_name, self.seeds[i], ("episode", self.open[i].number), obs)
        self.obs[i] = obs
        self.last_reward[i], self.first[i] = 0.0, 1.0
        self.begun[i] = True

    def step(self, i: int, action: np.ndarray, out: EnvStep) -> Ended | None:
        """An environment took `action` [A] in [-1, 1]: fill its row; what ended with it.

        The row of a finished episode holds its true last observation; `begin` gives `obs` the
        first one of the next. Raises TaskError for an answer that is not finite.
        """
        a, s, n = self.layout.action_dim, self.layout.scalars, self.layout.numbers
        o = self.layout.obs_dim
        episode, row = self.open[i], self.rows[i]
        reward = float(self.reward(out.reward))
        last = out.terminated or out.truncated
        at, done = ("episode", episode.number), len(episode.actions)
        require_finite(self.env_name, self.seeds[i], at, out.obs, out.reward, done, reward)
        row[:n], row[o : o + a], row[o + a : o + a + n] = self.obs[i, :n], action, out.obs[:n]
        if self.pictures is not None:
            self.counted[i] += 1 if done else 2  # an episode's first one was nobody's next
            row[o - 1], row[s - 1] = self.counted[i] - 2, self.counted[i] - 1
            self.pictures[i] = self.obs[i, n:], out.obs[n:]
        row[s:] = (reward, 0.0 if out.terminated else 1.0, float(last), done, -np.inf, 1.0)
        self.account(i, action, out, reward)
        if not last:
            return None
        bootstrap = 0.0 if out.terminated else self.bootstrap(i)
        self.next(i)
        return Ended(i, episode.raw_return, len(episode.actions), episode.success, bootstrap)

    def next(self, i: int) -> None:
        """The open episode is over; the next has not begun."""
        self.open[i] = Episode(number=self.open[i].number + 1)
        self.begun[i] = False

    def bootstrap(self, i: int) -> float:
        """The bootstrap return of an open episode, were it cut at its newest row."""
        failed = self.return_rule == "sparse" and self.open[i].failed
        if self.return_rule == "infinite" or failed:
            return self.open[i].reward / (1.0 - self.discount)
        return 0.0

    def account(self, i: int, action: np.ndarray, out: EnvStep, reward: float) -> None:
        """Remember a step of the open episode; `reward` is the transformed one."""
        episode = self.open[i]
        episode.actions.append(np.array(action, np.float32))
        episode.raw_return += float(out.reward)
        episode.reward = reward
        episode.success |= bool(out.success)
        episode.failed &= bool(np.float32(reward) <= np.float32(self.failure_reward))
        self.obs[i], self.last_reward[i], self.first[i] = out.obs, reward, 0.0

    def snapshot(self) -> dict[str, Any]:
        """The open episodes: numbers, actions, and the observation that they lead to."""
        return {
            "number": [e.number for e in self.open],
            "actions": [np.array(e.actions, np.float32).tolist() for e in self.open],
            "obs": self.obs.tolist(),
            "begun": list(self.begun),
            "last_reward": self.last_reward.tolist(),
            "seen": [[e.raw_return, e.success, e.failed, e.reward] for e in self.open],
            **({} if self.pictures is None else {"counted": list(self.counted)}),
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Stand in the open episodes of a snapshot, whose environments are where they were."""
        self.counted = list(data.get("counted", self.counted))
        for i, actions in enumerate(data["actions"]):
            held = [np.array(action, np.float32) for action in actions]
            self.open[i] = Episode(data["number"][i], held, *data["seen"][i])
            self.begun[i] = data["begun"][i]
            self.obs[i], self.last_reward[i] = data["obs"][i], data["last_reward"][i]
            self.first[i] = float(not held)
