"""What a policy that has learnt nothing scores on a task: its floor.

`floors.json` is the record of `python -m benchmarks.floors`: for each environment of the catalogue
uniform random actions, no action, the best of some constant actions and the best of 20 random
linear policies. A score no higher than the best of these four says nothing about learning.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from warmstart.tasks.score import normalised_score
from warmstart.tasks.task import Task

RECORD = Path(__file__).with_name("floors.json")
LIMIT = 5.0
"""In percent of a task's scale: above it a score says little about what was learnt."""
KINDS = ("uniform", "none", "constant", "linear")


@dataclass(frozen=True)
class Floor:
    """The best score of a policy that has learnt nothing.

    Attributes:
        score: on the task's own scale: percent of successes, normalised score, or raw return.
        error: its standard error.
        kind: one of `KINDS`.
        action: of the constant policy, [A] in [-1, 1]; None for the others.
        episodes: how many it was measured on.
        high: it is above 5 % of the task's scale; None for a task without one (raw returns).
    """

    score: float
    error: float
    kind: str
    action: tuple[float, ...] | None
    episodes: int
    high: bool | None

    @property
    def policy(self) -> str:
        """The policy in words."""
        if self.kind == "constant" and self.action is not None:
            numbers = ", ".join(f"{number:g}" for number in self.action)
            return f"the constant action ({numbers})"
        return {
            "uniform": "uniform random actions",
            "none": "no action at all",
            "linear": "a random linear policy",
        }[self.kind]

    @property
    def words(self) -> str:
        """The floor in a few words."""
        return f"{self.score:.1f}, by {self.policy}"

    def said(self, scores: Mapping[int, float], when: str) -> str | None:
        """A sentence on the seeds whose score is no better than the floor; None without any.

        Args:
            scores: seed to score. One within the floor's standard error is no better.
            when: how the sentence begins, as "At the end".
        """
        low = [seed for seed, score in scores.items() if score <= self.score + self.error]
        if not low:
            return None
        who = "the policy"
        if len(scores) > 1:
            names = ", ".join(map(str, low))
            few = f"seed {names}" if len(low) == 1 else f"seeds {names}"
            who = f"all {len(scores)} seeds" if len(low) == len(scores) else few
        return (
            f"{when} {who} scored no better than the task's floor ({self.words}), which needs "
            "no learning."
        )


def floor_of(task: Task) -> Floor | None:
    """The measured floor of the task's environment; None where it was not measured."""
    found = _record().get(environment(task))
    if found is None:
        return None
    scored = {kind: _scored(task, found[kind]) for kind in KINDS}
    kind = max(KINDS, key=lambda name: scored[name][0])
    (score, error), measured = scored[kind], found[kind]
    has_scale = task.success or task.reference is not None
    action = measured.get("action")
    return Floor(
        score=score,
        error=error,
        kind=kind,
        action=None if action is None else tuple(action),
        episodes=measured["episodes"],
        high=score > LIMIT if has_scale else None,
    )


def environment(task: Task) -> str:
    """What decides a floor, as JSON text: tasks that differ by their data alone share one.

    So do those that differ by a dense or a sparse reward, where success is what counts.
    """
    env_id = task.env_id or ""
    facts = {
        "env_id": env_id.replace("Dense", "") if task.success else env_id,
        "env_kwargs": dict(task.env_kwargs),
        "jax_env": task.jax_env,
        "goal_cell": task.goal_cell,
        "start_cells": task.start_cells,
        "horizon": task.horizon,
        "success": task.success,
        "success_reward": task.success_reward,
    }
    return json.dumps(facts, sort_keys=True)


def _scored(task: Task, measured: Mapping[str, Any]) -> tuple[float, float]:
    """Score and standard error of one policy on the task's scale."""
    count = measured["episodes"]
    if task.success:
        share = measured["success"]
        return 100.0 * share, 100.0 * math.sqrt(share * (1.0 - share) / count)
    mean, error = measured["return"], measured["return_std"] / math.sqrt(count)
    if task.reference is None:
        return mean, error
    low, high = task.reference
    return float(normalised_score(mean, task.reference)), 100.0 * error / abs(high - low)


@cache
def _record() -> dict[str, dict[str, Any]]:
    """What was measured, by environment."""
    if not RECORD.exists():
        return {}
    every = json.loads(RECORD.read_text())
    return {json.dumps(one["environment"], sort_keys=True): one for one in every.values()}
