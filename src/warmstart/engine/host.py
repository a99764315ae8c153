"""Floor 6: simulators on the host, in lock step: a tick is one step for every seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from warmstart.errors import TaskError
from warmstart.replay.rows import Layout
from warmstart.tasks.reward import RewardTransform
from warmstart.types import EnvStep, HostEnv, MakeEnv


class Ended(NamedTuple):
    """A finished episode."""

    seed: int  # position on the seed axis
    raw_return: float
    length: int
    success: bool
    behind: float  # return-to-go behind its last row


@dataclass
class Episode:
    """An episode in the making: enough to play it again."""

    number: int = 0
    actions: list[np.ndarray] = field(default_factory=list)
    raw_return: float = 0.0
    success: bool = False
    failed: bool = True  # every reward so far was the smallest one


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
) -> None:
    """Refuse (TaskError) an answer of an environment with NaN or infinite numbers.

    Args:
        env_name, seed, at, step: for the message; `at` is (what kind of episode, its number),
            step None at the reset.
        obs, reward: the answer to an action that was finite.
    """
    if np.isfinite(reward) and np.all(np.isfinite(obs)):
        return
    when = "at the reset" if step is None else f"at step {step}"
    if np.isfinite(reward):
        number = int(np.flatnonzero(~np.isfinite(obs))[0])
        what = f"observation number {number} is {obs[number]}"
    else:
        what = f"the reward is {reward}"
    raise TaskError(
        f"{env_name} of seed {seed} returned a number that is not finite {when} of {at[0]} "
        f"{at[1]} ({what}), though the action was; mend the environment or its time step"
    )


class HostLoop:
    """One training environment for each seed, stepped together.

    An episode begins when it is needed (`begin`), so that an environment is free in between.
    `return_rule` is the task's return-to-go rule (see `warmstart.tasks.returns`), and
    `failure_reward` the transformed reward of a step without success in a sparse task. What is
    `physical` cannot be played again.
    """

    def __init__(
        self,
        make_env: MakeEnv,
        seeds: Sequence[int],
        reward: RewardTransform,
        discount: float,
        return_rule: str,
        failure_reward: float,
        physical: bool = False,
        env_name: str = "the environment",
    ) -> None:
        self.seeds, self.physical, self.env_name = list(seeds), physical, env_name
        self.envs: list[HostEnv] = [make_env() for _ in seeds]
        self.layout = Layout.of(self.envs[0].spec)
        self.reward, self.discount = reward, discount
        self.return_rule, self.failure_reward = return_rule, failure_reward
        count, width = len(self.seeds), self.layout.width
        self.episodes = [Episode() for _ in seeds]
        self.obs = np.zeros((count, self.layout.obs_dim), np.float32)
        self.rows = np.zeros((count, width), np.float32)
        self.last_reward = np.zeros(count, np.float32)
        self.first = np.ones(count, np.float32)
        self._begun = [False] * count

    def begin(self) -> None:
        """Reset every environment whose episode has not begun: `obs` is what to act on."""
        for i, begun in enumerate(self._begun):
            if not begun:
                self._reset(i)

    def _reset(self, i: int) -> None:
        number = self.episodes[i].number
        obs = self.envs[i].reset(episode_seed(self.seeds[i], TRAIN, number))
        require_finite(self.env_name, self.seeds[i], ("episode", number), obs)
        self.obs[i] = obs
        self.last_reward[i], self.first[i] = 0.0, 1.0
        self._begun[i] = True

    def step(self, actions: np.ndarray) -> list[Ended]:
        """Step every environment once; fill `rows`, and `obs` to act on next.

        The row of a finished episode holds its true last observation; `begin` gives `obs` the
        first one of the next.
        """
        ended = []
        o, a, s = self.layout.obs_dim, self.layout.action_dim, self.layout.scalars
        for i, env in enumerate(self.envs):
            episode, row, action = self.episodes[i], self.rows[i], actions[i]
            out = env.step(action)
            reward = float(self.reward(out.reward))
            last = out.terminated or out.truncated
            at, done = ("episode", episode.number), len(episode.actions)
            require_finite(self.env_name, self.seeds[i], at, out.obs, reward, done)
            row[:o], row[o : o + a], row[o + a : s] = self.obs[i], action, out.obs
            row[s:] = (
                reward,
                0.0 if out.terminated else 1.0,
                float(last),
                len(episode.actions),
                -np.inf,
                1.0,
            )
            self._account(i, action, out, reward)
            if last:
                behind = 0.0 if out.terminated else self._behind(reward, episode.failed)
                ended.append(
                    Ended(i, episode.raw_return, len(episode.actions), episode.success, behind)
                )
                self._next(i)
        return ended

    def _next(self, i: int) -> None:
        self.episodes[i] = Episode(number=self.episodes[i].number + 1)
        self._begun[i] = False

    def _behind(self, reward: float, failed: bool) -> float:
        if self.return_rule == "infinite" or (self.return_rule == "sparse" and failed):
            return reward / (1.0 - self.discount)
        return 0.0

    def snapshot(self) -> dict[str, Any]:
        """The open episodes: numbers, actions, and the observation that they lead to."""
        return {
            "number": [e.number for e in self.episodes],
            "actions": [np.array(e.actions, np.float32).tolist() for e in self.episodes],
            "obs": self.obs.tolist(),
        }

    def restore(self, data: dict[str, Any]) -> list[int]:
        """Play the open episodes again. Returns the positions whose replay did not match.

        Theirs are the next episodes instead: the caller says so in the log.
        """
        mismatched = []
        for i in range(len(self.envs)):
            self.episodes[i] = Episode(number=data["number"][i])
            self._begun[i] = False
            actions = data["actions"][i]
            if not actions:
                continue
            if not self.physical:
                self._reset(i)
                for action in actions:
                    self._replay(i, np.array(action, np.float32))
            if self.physical or not np.array_equal(self.obs[i], np.float32(data["obs"][i])):
                mismatched.append(i)
                self._next(i)
        return mismatched

    def _replay(self, i: int, action: np.ndarray) -> None:
        out = self.envs[i].step(action)
        self._account(i, action, out, float(self.reward(out.reward)))

    def _account(self, i: int, action: np.ndarray, out: EnvStep, reward: float) -> None:
        episode = self.episodes[i]
        episode.actions.append(np.array(action, np.float32))
        episode.raw_return += float(out.reward)
        episode.success |= bool(out.success)
        episode.failed &= bool(np.float32(reward) <= np.float32(self.failure_reward))
        self.obs[i], self.last_reward[i], self.first[i] = out.obs, reward, 0.0

    def close(self) -> None:
        """Close every environment."""
        for env in self.envs:
            env.close()
