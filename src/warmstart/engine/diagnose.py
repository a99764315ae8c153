"""What the switch does to values: calibration, TD error, drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from warmstart.engine.evaluate import PICTURED, Played
from warmstart.engine.familiarity import Familiarity
from warmstart.engine.problem import Problem
from warmstart.engine.seed_batch import SeedBatch
from warmstart.engine.seeds import Seeds
from warmstart.replay import Layout, Logged, compact, pictured, taken
from warmstart.state import State, key_for
from warmstart.types import Transition

ROWS = 1024
"""Rows of one measurement."""


class Diagnoser:
    """Measures a state on held-out dataset rows and on the rows of fresh evaluation episodes.

    None of these rows is ever trained on. `q_minus_return` is the mean of Q(s, a), averaged over
    the ensemble, minus the discounted return really obtained from there, with the learner's own
    target convention: where its backup has an entropy term, the return has it too. Behind a time
    limit the task's return rule stands; where it gives nothing, rows whose return still depends
    on what was cut off (discount^steps left > 5 %) are left out. With `familiarity` that mean is
    also taken over familiar and unfamiliar pairs apart, and `value_range` says from what to what
    the held-out rows' returns-to-go reach.
    """

    def __init__(
        self, seeds: Seeds, problem: Problem, names: Sequence[int], familiarity: bool = False
    ) -> None:
        self.seeds: Seeds = seeds
        self.problem: Problem = problem
        self.names: list[int] = list(names)
        self.layout: Layout = replace(Layout.of(problem.spec), ahead=True)
        self.held_out: Any = None
        held_out = problem.held_out
        self.familiar: Familiarity | None = None
        self.value_range: float | None = None
        if familiarity and held_out is not None and len(held_out):
            returns = held_out[:, self.layout.return_to_go]
            known = returns[np.isfinite(returns)]
            self.value_range = float(np.ptp(known)) if len(known) else None
            if problem.rows is not None and not self.layout.pixels:
                inputs = self.layout.obs_dim + self.layout.action_dim
                self.familiar = Familiarity(problem.rows, held_out, inputs)
        self._programs: tuple[Any, Any, Any] | None = None
        self._learner: Any = None

    def __call__(
        self, learner: Any, keys: Any, state: SeedBatch, played: list[list[Played]] | None
    ) -> list[dict[str, float]]:
        """One dict of measurements for each seed: what its learner can say.

        `played` None: no episode was played, and only the dataset's rows are measured on.
        """
        if learner != self._learner:
            self.layout = replace(self.layout, chunk=learner.chunk)
            self.held_out = self._apart()
            self._programs, self._learner = self._compile(learner), learner
        assert self._programs is not None
        offline, online, values = self._programs
        out: list[dict[str, float]] = [{} for _ in self.names]
        if self.held_out is not None:
            for i, info in enumerate(_split(offline(keys, state, self.held_out).host(), len(out))):
                named = {name: f"{name}_offline" for name in info} | {"drift": "drift"}
                out[i] |= {named[name]: value for name, value in info.items()}
        if played is None:
            return out
        own = [self._rows(played[i], self.names[i]) for i in range(len(out))]
        rows = jax.tree.map(lambda *same: np.stack(same), *own)
        for i, info in enumerate(_split(online(keys, state, rows).host(), len(out))):
            out[i] |= {f"{name}_online": value for name, value in info.items()}
            rewards = np.concatenate([p.rewards for p in played[i]])
            out[i] |= {"reward_min": float(rewards.min()), "reward_max": float(rewards.max())}
        if learner.critic is not None:
            for i, gap in enumerate(self._gaps(learner, values, keys, state, played)):
                out[i] |= gap
        if self.value_range is not None:
            for info in out:
                info["value_range"] = self.value_range
        return out

    def _apart(self) -> Any:
        """ROWS held-out rows, the same ones every time; None where there are none."""
        held_out = self.problem.held_out
        if held_out is None or not len(held_out):
            return None
        pick = np.random.default_rng(0).integers(0, len(held_out), ROWS)
        rows = np.asarray(taken(held_out, pick, self.layout))
        return self.seeds.share(self._with_frames(rows, self.problem.frames))

    def _compile(self, learner: Any) -> tuple[Any, Any, Any]:
        layout = self.layout

        def measure(key: Any, state: State, rows: Any) -> dict[str, Any]:
            return learner.measure(key_for(key, "measure"), state, unpacked(rows, layout))

        def values(key: Any, state: State, rows: Any) -> tuple[Any, Any]:
            return learner.values(key, state, unpacked(rows, layout))

        return (
            self.seeds.compile(measure, shared=(2,)),
            self.seeds.compile(measure),
            self.seeds.compile(values),
        )

    def _rows(self, played: list[Played], seed: int) -> Any:
        """ROWS transitions [ROWS, W] drawn from the episodes, with their images."""
        if self.layout.pixels:
            played = [p for p in played if p.frames is not None]
        rows, frames = self._of_episodes(played)
        rows = rows[np.random.default_rng(seed).integers(0, len(rows), ROWS)]
        return self._with_frames(rows, frames)

    def _of_episodes(self, played: list[Played]) -> tuple[np.ndarray, np.ndarray | None]:
        """All rows [L, W] of episodes, and the images that they number [F, P]."""
        rows = [self._episode_rows(p) for p in played]
        if not self.layout.pixels:
            return np.concatenate(rows), None
        start = 0
        for own, p in zip(rows, played, strict=True):
            before, after = self.layout.frame_columns
            own[:, before] = start + np.arange(p.length)
            own[:, after] = own[:, before] + 1
            start += p.length + 1
        return np.concatenate(rows), np.concatenate(
            [p.frames for p in played if p.frames is not None]
        )

    def _with_frames(self, rows: np.ndarray, frames: np.ndarray | None) -> Any:
        """Rows [R, W], with just their own images where they have some."""
        return rows if frames is None else compact(self.layout, rows, frames)

    def _episode_rows(self, p: Played) -> np.ndarray:
        o, a, s = self.layout.obs_dim, self.layout.action_dim, self.layout.scalars
        n = self.layout.numbers
        rows = np.zeros((p.length, self.layout.stored.width), np.float32)
        rows[:, :n], rows[:, o : o + a] = p.obs[:-1], p.actions
        rows[:, o + a : o + a + n] = p.obs[1:]
        rows[:, s] = p.rewards
        rows[:, s + 1] = 1.0
        rows[-1, s + 1] = 0.0 if p.terminated else 1.0
        rows[-1, s + 2] = 1.0
        rows[:, s + 3] = np.arange(p.length)
        rows[:, s + 4] = -np.inf
        rows[:, s + 5] = 1.0
        return taken(rows, np.arange(p.length), self.layout)

    def _gaps(
        self, learner: Any, values: Any, keys: Any, state: SeedBatch, played: list[list[Played]]
    ) -> list[dict[str, float]]:
        few = [episodes[: PICTURED if self.layout.pixels else 20] for episodes in played]
        held = [self._of_episodes(episodes) for episodes in few]
        rows = [own for own, _ in held]
        chunks = max(-(-len(r) // ROWS) for r in rows)
        padded = np.zeros((len(rows), chunks * ROWS, self.layout.width), np.float32)
        for i, r in enumerate(rows):
            padded[i, : len(r)] = r
        q = np.zeros(padded.shape[:2])
        bonus = np.zeros(padded.shape[:2])
        for c in range(chunks):
            part = slice(c * ROWS, (c + 1) * ROWS)
            own = [self._with_frames(padded[i, part], held[i][1]) for i in range(len(rows))]
            asked = jax.tree.map(lambda *same: np.stack(same), *own)
            q[:, part], bonus[:, part] = values(keys, state, asked).host()
        out: list[dict[str, float]] = []
        for i in range(len(self.names)):
            gap, known = self._gap(learner, few[i], q[i], bonus[i])
            known &= ~np.isnan(gap)  # an action that the learner cannot judge
            groups = {"q_minus_return": known}
            if self.familiar is not None and known.any():
                at = np.flatnonzero(known)
                if len(at) > ROWS:
                    at = np.random.default_rng(0).choice(at, ROWS, replace=False)
                far = self.familiar.unfamiliar(rows[i][at])
                groups |= {
                    "q_minus_return_familiar": at[~far],
                    "q_minus_return_unfamiliar": at[far],
                }
                out.append({"unfamiliar_share": float(far.mean())})
            else:
                out.append({})
            out[i] |= {name: float(gap[k].mean()) for name, k in groups.items() if len(gap[k])}
        return out

    def _gap(
        self, learner: Any, episodes: list[Played], q: np.ndarray, bonus: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Q minus return of every row of the episodes [n], and whose return is known [n]."""
        gaps, knows, start = [], [], 0
        discount, h = learner.discount, learner.chunk
        for p in episodes:
            stop = start + p.length
            known, bootstrap = np.ones(p.length, bool), 0.0
            if not p.terminated:
                rule, failure = self.problem.return_rule, self.problem.failure_reward
                if rule == "infinite" or (
                    rule == "sparse" and np.all(p.rewards.astype(np.float32) <= failure)
                ):
                    bootstrap = float(p.rewards[-1]) / (1.0 - discount)
                else:
                    known = discount ** np.arange(p.length, 0, -1) < 0.05
            g, returns = bootstrap, np.empty(p.length)
            for t in range(p.length - 1, -1, -1):
                soft = bonus[start + t + 1] if h == 1 and t + 1 < p.length else 0.0
                g = p.rewards[t] + discount * (g + soft)
                returns[t] = g
            if h > 1:  # a bonus comes with each further chunk
                more = np.zeros(p.length + h)
                for t in range(p.length - h - 1, -1, -1):
                    more[t] = discount**h * (bonus[start + t + h] + more[t + h])
                returns += more[: p.length]
            gaps.append(q[start:stop] - returns)
            knows.append(known)
            start = stop
        return np.concatenate(gaps), np.concatenate(knows)


def unpacked(rows: Any, layout: Layout) -> Transition:
    """Rows, or `Logged` with their images, as a batch to look at."""
    if not isinstance(rows, Logged):
        return layout.unpack(rows)
    return pictured(layout, layout.unpack(rows.rows), rows.frames, None)


def _split(info: dict[str, Any], count: int) -> list[dict[str, float]]:
    """{name: [S]} as one dict of floats for each seed."""
    return [{name: float(value[i]) for name, value in info.items()} for i in range(count)]
