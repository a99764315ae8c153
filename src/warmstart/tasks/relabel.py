"""Trips to many goals, told as attempts at one of them.

As in D4RL's mazes (Fu et al. 2020) and OGBench's single-task view (Park et al. 2025): the rows of
a walk that heads anywhere get the reward of one chosen goal, and end where it is reached.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from warmstart.errors import TaskError, did_you_mean
from warmstart.types import Dataset

RewardKind = Literal["sparse", "dense"]
Timing = Literal["after", "before"]


def relabel(
    dataset: Dataset,
    goal: np.ndarray,
    radius: float,
    *,
    reward: RewardKind = "sparse",
    failure: float = 0.0,
    timing: Timing = "after",
    position: tuple[int, int] = (0, 1),
) -> tuple[Dataset, np.ndarray]:
    """The same rows with rewards and ends of one goal, and the mask of the rows that matter.

    Args:
        dataset: walks; their own rewards, terminals and successes are forgotten, their cuts are
            kept.
        goal: [2] the place to reach.
        radius: within this distance it is reached.
        reward: "sparse": `failure + 1` where the goal is reached, else `failure`; "dense":
            `failure + exp(-distance)`, as in Gymnasium-Robotics.
        failure: the sparse reward of a step without success.
        timing: "after": a step is judged by where it leads (Gymnasium-Robotics); "before": by
            where it starts (OGBench's single-task environments).
        position: columns of the observation that hold x and y.

    Returns:
        The relabelled dataset, [N] bool. Rows that do not matter begin where the goal is reached
        already: an episode that ended there never sees them. `keep` leaves them out.

    Raises:
        TaskError: an unknown kind of reward or timing.
    """
    for value, known in ((reward, get_args(RewardKind)), (timing, get_args(Timing))):
        if value not in known:
            raise TaskError(f"relabel knows no '{value}'. {did_you_mean(value, known)}")
    columns = list(position)
    start, after = (
        np.linalg.norm(obs[:, columns].astype(np.float64) - np.asarray(goal), axis=1)
        for obs in (dataset.obs, dataset.next_obs)
    )
    judged = after if timing == "after" else start
    reached, inside = judged <= radius, start <= radius
    gain = reached if reward == "sparse" else np.exp(-judged)
    matters = ~inside
    if timing == "before":  # the first step from inside the goal is the one that is rewarded
        came = np.concatenate([[False], inside[:-1] & ~dataset.ends[:-1]])
        matters |= inside & ~came
    told = replace(
        dataset,
        rewards=(failure + gain).astype(np.float32),
        terminated=reached,
        truncated=dataset.ends & ~reached,
        success=reached,
    )
    return told, matters


def keep(dataset: Dataset, matters: np.ndarray) -> Dataset:
    """The rows that matter, with `info["successes"]`: whether each episode reached the goal.

    Args:
        dataset: relabelled rows.
        matters: [N] bool from `relabel`.

    Raises:
        TaskError: no row matters.
    """
    if not matters.any():
        raise TaskError("No row matters: every one begins at the goal. Log longer walks.")
    names = ["obs", "actions", "rewards", "terminated", "truncated", "next_obs"]
    names += [] if dataset.success is None else ["success"]
    kept = replace(dataset, **{name: getattr(dataset, name)[matters] for name in names})
    successes = kept.terminated[kept.ends].tolist()
    info = {**dataset.info, "successes": successes, "success_rate": float(np.mean(successes))}
    return replace(kept, info=info)
