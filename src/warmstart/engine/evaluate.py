"""Seeded evaluation episodes, many at once, through the recipe's own acting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from warmstart.engine.diverged import bad_action
from warmstart.engine.episodes import EVALUATE, episode_seed, require_finite
from warmstart.tasks.reward import RewardTransform
from warmstart.types import HostEnv, MakeEnv

Act = Callable[[np.ndarray, Any, int], tuple[np.ndarray, Any]]
"""(shown [S, N, O + 2], memory, tick) -> actions [S, N, A], memory.

`shown` is obs, last reward and first, side by side: one transfer a tick."""


PICTURED = 5
"""Episodes of an evaluation whose images are kept to measure on: all of them would fill memory."""


@dataclass
class Played:
    """One evaluation episode: T rows, rewards transformed but for `raw_return`."""

    raw_return: float
    length: int
    success: bool
    terminated: bool
    obs: np.ndarray  # [T + 1, O], without pixels
    actions: np.ndarray  # [T, A]
    rewards: np.ndarray  # [T]
    frames: np.ndarray | None = None  # [T + 1, P] uint8, of an evaluation's first few episodes


class HostEvaluator:
    """Environments of its own: training never sees them, and they never see training. As many as
    there are episodes, at most `slots` for each seed.

    Episode k of seed s at the evaluation called `mark` begins from the reset seed that belongs to
    (s, mark, k): the same for every method. Phase boundaries share one mark, so that their
    episodes are fixed; the points of a curve have one each, so that a curve's noise is seen.
    """

    def __init__(
        self,
        make_env: MakeEnv,
        seeds: Sequence[int],
        reward: RewardTransform,
        slots: int = 20,
        env_name: str = "the environment",
    ) -> None:
        self.make_env: MakeEnv = make_env
        self.seeds: list[int] = list(seeds)
        self.reward: RewardTransform = reward
        self.slots: int = slots
        self.env_name = env_name
        self._envs: list[list[HostEnv]] = []

    def __call__(self, act: Act, memory: Any, episodes: int, mark: int) -> list[list[Played]]:
        """`episodes` finished episodes for each seed, in the order of their numbers.

        Raises:
            DivergedError: an action is not finite; no environment sees it.
            TaskError: an environment fails, or answers a finite action with a number that is not.
        """
        slots = self.slots
        count = len(self.seeds)
        if not self._envs:
            self._envs = [[self.make_env()] for _ in self.seeds]
        spec = self._envs[0][0].spec
        n = spec.numbers
        shown = np.zeros((count, slots, spec.obs_dim + 2), np.float32)
        done: list[list[Played | None]] = [[None] * episodes for _ in self.seeds]
        open_: list[list[_Open | None]] = [[None] * slots for _ in self.seeds]
        begun = [0] * count

        def begin(s: int, slot: int) -> None:
            if begun[s] == episodes:
                open_[s][slot] = None
                return
            if slot == len(self._envs[s]):  # no more of them than there are episodes
                self._envs[s].append(self.make_env())
            seed = episode_seed(self.seeds[s], EVALUATE + mark, begun[s])
            start = self._envs[s][slot].reset(seed)
            at = ("evaluation episode", begun[s])
            require_finite(self.env_name, self.seeds[s], at, start)
            opened = open_[s][slot] = _Open(begun[s], [start[:n].copy()], [], [])
            if spec.cameras and begun[s] < PICTURED:
                opened.frames.append(start[n:].astype(np.uint8))
            shown[s, slot, :-2], shown[s, slot, -2:] = start, (0.0, 1.0)
            begun[s] += 1

        for s in range(count):
            for slot in range(slots):
                begin(s, slot)
        tick = 0
        while any(o is not None for row in open_ for o in row):
            actions, memory = act(shown, memory, tick)
            tick += 1
            if not np.isfinite(actions).all():
                self._require_finite(actions, open_)
            for s in range(count):
                for slot in range(slots):
                    episode = open_[s][slot]
                    if episode is None:
                        continue
                    out = self._envs[s][slot].step(actions[s, slot])
                    at = ("evaluation episode", episode.number)
                    step = len(episode.raw)
                    paid = float(self.reward(out.reward))
                    seed = self.seeds[s]
                    require_finite(self.env_name, seed, at, out.obs, out.reward, step, paid)
                    episode.obs.append(out.obs[:n])
                    if episode.frames:
                        episode.frames.append(out.obs[n:].astype(np.uint8))
                    episode.actions.append(actions[s, slot])
                    episode.raw.append(float(out.reward))
                    episode.success |= bool(out.success)
                    shown[s, slot, :-2] = out.obs
                    shown[s, slot, -2:] = paid, 0.0
                    if out.terminated or out.truncated:
                        done[s][episode.number] = episode.finish(out.terminated, self.reward)
                        begin(s, slot)
        return [[played for played in row if played is not None] for row in done]

    def _require_finite(self, actions: np.ndarray, open_: list[list[_Open | None]]) -> None:
        for s, slots in enumerate(open_):
            for slot, episode in enumerate(slots):
                if episode is not None and not np.isfinite(actions[s, slot]).all():
                    where = f"at step {len(episode.raw)} of evaluation episode {episode.number}"
                    raise bad_action(self.seeds[s], where, episode.obs[-1])

    def close(self) -> None:
        """Close every environment."""
        for row in self._envs:
            for env in row:
                env.close()
        self._envs = []


@dataclass
class _Open:
    number: int
    obs: list[np.ndarray]
    actions: list[np.ndarray]
    raw: list[float]
    success: bool = False
    frames: list[np.ndarray] = field(default_factory=list)

    def finish(self, terminated: bool, reward: RewardTransform) -> Played:
        raw = np.asarray(self.raw, np.float64)
        return Played(
            raw_return=float(raw.sum()),
            length=len(raw),
            success=self.success,
            terminated=bool(terminated),
            obs=np.stack(self.obs).astype(np.float32),
            actions=np.stack(self.actions).astype(np.float32),
            rewards=np.asarray(reward(raw), np.float64),
            frames=np.stack(self.frames) if self.frames else None,
        )
