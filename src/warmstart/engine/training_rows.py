"""A dataset as training rows: reward transform, returns-to-go, held-out episodes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from warmstart.checksums import digest
from warmstart.engine.problem import Problem
from warmstart.errors import DataError
from warmstart.pages import let_go
from warmstart.replay import Layout
from warmstart.tasks import Task, returns_to_go, rule_for
from warmstart.types import Dataset

_CHUNK = 65_536
"""Rows that move at once: NumPy copies them aside first, where source and target overlap."""


class Prepared(NamedTuple):
    """Rows that train [N, W], rows that only measure [M, W], and the reward of failing."""

    rows: np.ndarray
    held_out: np.ndarray
    failure_reward: float


def prepare(dataset: Dataset, task: Task, discount: float, holdout: float) -> Prepared:
    """Turn a dataset into rows, with a share `holdout` of whole episodes set apart.

    The held-out episodes depend on the dataset alone (every k-th, at least one where `holdout`
    is above 0), so that they are the same for every method and seed.

    Raises DataError if nothing is left to train on.
    """
    let_go(dataset.obs, dataset.actions, dataset.next_obs)
    layout = Layout.of_dataset(dataset)
    rewards = np.asarray(task.reward(dataset.rewards.astype(np.float64)), np.float32)
    # Rounded as the rows are: equality with it marks an episode that failed.
    failure = float(min(rewards.min(initial=0.0), np.float32(task.reward(0.0))))
    rule = rule_for(discount, task.return_rule)
    returns = returns_to_go(rewards, ~dataset.terminated, dataset.ends, discount, rule, failure)
    rows = layout.from_dataset(dataset, rewards, returns)
    spans = set_apart(dataset, holdout)
    held_out = np.concatenate([rows[a:b] for a, b in spans]) if spans else rows[:0]
    rows = _without(rows, spans)
    rows.flags.writeable = False  # what learns may read them where they lie
    return Prepared(rows, held_out, failure)


def set_apart(dataset: Dataset, holdout: float) -> list[tuple[int, int]]:
    """The rows (start, stop) of the episodes that `prepare` holds out. Raises DataError as it."""
    episodes = dataset.episodes()
    count = max(1, round(holdout * len(episodes))) if holdout > 0 else 0
    if count >= len(episodes):
        raise DataError(
            f"the dataset has {len(episodes)} episode(s), too few to hold {count} out; "
            "pass --holdout 0 to train on everything"
        )
    apart = {int(i) for i in np.linspace(0, len(episodes) - 1, count + 2)[1:-1]} if count else set()
    return [episodes[i] for i in sorted(apart)]


def held_out_words(prepared: Prepared, dataset: Dataset, holdout: float) -> tuple[str, bool]:
    """What `prepare` set apart, in words, and whether it is half as much again as was asked."""
    rows, apart = len(dataset), len(prepared.held_out)
    layout = Layout.of_dataset(dataset)
    episodes = int(np.sum(prepared.held_out[:, layout.last] > 0))
    words = (
        f"held out to measure on: {episodes:,} of {len(dataset.episodes()):,} episodes, "
        f"{apart:,} of {rows:,} rows ({apart / max(1, rows):.1%})"
    )
    if apart <= 1.5 * holdout * rows:
        return words, False
    return (
        f"{words}, more than the {holdout:.1%} that were asked for, since whole episodes are held "
        "out; pass --holdout 0 (in Python holdout=0) to train on everything",
        True,
    )


def mean_score(dataset: Dataset, task: Task) -> float | None:
    """The mean score of the logged episodes, as an evaluation counts it; None: nobody can say.

    Raw returns where the task has no reference; of successes what the data tell of every episode.
    """
    if not len(dataset):
        return None
    starts = [start for start, _ in dataset.episodes()]
    if task.success:
        if dataset.success is not None:
            return 100.0 * float(np.mean(np.logical_or.reduceat(dataset.success, starts)))
        rate = dataset.info.get("success_rate")
        return None if rate is None else 100.0 * float(rate)
    low, high = task.reference or (0.0, 100.0)
    returns = np.add.reduceat(dataset.rewards.astype(np.float64), starts)
    return 100.0 * (float(np.mean(returns)) - low) / (high - low)


def checksum(problem: Problem) -> str | None:
    """`digest` of everything that was logged."""
    images = () if problem.frames is None else (problem.frames,)
    return digest(problem.rows, problem.held_out, *images)


def require_same(before: str | None, now: str | None, task: Task, run: str) -> None:
    """Refuse (DataError) to go on with other rows than those that a run began with.

    Args:
        before, now: their `digest`; None where there are none, or where nobody wrote it down.
        task, run: for the message.
    """
    if before is None or now is None or before == now:
        return
    named = f"in '{task.data.path}'" if task.data is not None and task.data.path else task.name
    raise DataError(
        f"the data {named} are not those that the run in '{run}' began with; put them back as they "
        "were, or start a new run"
    )


def _without(rows: np.ndarray, spans: list[tuple[int, int]]) -> np.ndarray:
    """`rows` less the spans, closed up in place: a second copy of a million rows is no trifle."""
    kept = spans[0][0] if spans else len(rows)
    stops = [start for start, _ in spans[1:]] + [len(rows)]
    for (_, start), stop in zip(spans, stops, strict=False):
        for at in range(start, stop, _CHUNK):
            part = rows[at : min(at + _CHUNK, stop)]
            rows[kept : kept + len(part)] = part
            kept += len(part)
    return rows[:kept]
