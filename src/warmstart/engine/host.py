"""Simulators on the host, in lock step: a tick is one step for every seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from warmstart.engine.episodes import Ended, Episode, Episodes
from warmstart.types import HostEnv, MakeEnv


class HostLoop:
    """One training environment for each seed, stepped together.

    An episode begins when it is needed (`begin`), so that an environment is free in between. What
    is `physical` cannot be played again.
    """

    def __init__(self, make_env: MakeEnv, episodes: Episodes, physical: bool = False) -> None:
        self.episodes: Episodes = episodes
        self.physical: bool = physical
        self.envs: list[HostEnv] = [make_env() for _ in episodes.seeds]

    def begin(self) -> None:
        """Reset every environment whose episode has not begun."""
        for i, begun in enumerate(self.episodes.begun):
            if not begun:
                self._reset(i)

    def _reset(self, i: int) -> None:
        self.episodes.begin(i, self.envs[i].reset(self.episodes.reset_seed(i)))

    def step(self, actions: np.ndarray) -> list[Ended]:
        """Step every environment once; what ended."""
        steps = [
            self.episodes.step(i, actions[i], env.step(actions[i]))
            for i, env in enumerate(self.envs)
        ]
        return [ended for ended in steps if ended is not None]

    def restore(self, data: dict[str, Any]) -> list[int]:
        """Play the open episodes again. Returns the positions whose replay did not match.

        Theirs are the next episodes instead: the caller says so in the log.
        """
        mismatched, episodes = [], self.episodes
        episodes.counted = list(data.get("counted", episodes.counted))
        for i in range(len(self.envs)):
            episodes.open[i] = Episode(number=data["number"][i])
            episodes.begun[i] = False
            actions = data["actions"][i]
            if not actions:
                continue
            if not self.physical:
                self._reset(i)
                for action in actions:
                    self._replay(i, np.array(action, np.float32))
            if self.physical or not np.array_equal(episodes.obs[i], np.float32(data["obs"][i])):
                mismatched.append(i)
                episodes.next(i)
        return mismatched

    def _replay(self, i: int, action: np.ndarray) -> None:
        out = self.envs[i].step(action)
        self.episodes.account(i, action, out, float(self.episodes.reward(out.reward)))

    def close(self) -> None:
        """Close every environment."""
        for env in self.envs:
            env.close()
