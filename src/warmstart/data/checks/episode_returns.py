"""Returns of whole episodes, success, and what Cal-QL's returns-to-go will be."""

from __future__ import annotations

from typing import Any

import numpy as np

from warmstart.data.checks.case import Case
from warmstart.data.checks.finding import Finding, found
from warmstart.learners import Learner
from warmstart.recipe import Recipe
from warmstart.tasks import Task, returns_to_go

PLAIN = Task("", "", "", "", 0, env_id="none")
"""Its discount and return rule are what a run takes where nobody says."""


def returns(case: Case) -> list[Finding]:
    """returns."""
    values = case.returns
    low, quarter, middle, most, high = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    what = f"returns lie between {low:.4g} and {high:.4g}, the median is {middle:.4g}"
    where = f"{len(values):,} episodes of {case.lengths.min():,} to {case.lengths.max():,} steps"
    return [
        found(
            "returns",
            "note",
            what,
            where,
            count=len(values),
            mean=values.mean(),
            min=low,
            quartiles=[quarter, middle, most],
            max=high,
            length_mean=case.lengths.mean(),
        )
    ]


def success(case: Case) -> list[Finding]:
    """success: as the file tells, or where the task counts it, by rewards above the lowest."""
    counts = case.task is not None and case.task.success
    share = case.info.get("success_rate")
    if share is None and counts:
        reached = np.maximum.reduceat(case.data.rewards, case.starts) > case.data.rewards.min()
        share = float(np.mean(reached))
    if not share and not counts:
        return []
    told = case.info.get("success_partly", {}).get("told", 0)
    what = f"{float(share or 0):.1%} of the episodes{' that tell' if told else ''} succeed"
    where = f"{told or len(case.lengths):,} episodes"
    if not share:
        return [found("success", "warning", what, where, share=0.0)]
    return [found("success", "note", what, where, "Nothing to do.", share=float(share))]


def success_partly(case: Case) -> list[Finding]:
    """success-partly."""
    told = case.info.get("success_partly")
    if told is None:
        return []
    what = f"{told['told']:,} of {told['episodes']:,} episodes tell whether they succeed"
    where = f"{told['episodes'] - told['told']:,} episodes do not"
    count = told["episodes"] - told["told"]
    return [found("success-partly", "warning", what, where, count=count, **told)]


def learners(recipe: Recipe) -> list[Learner]:
    """Everything that learns in a recipe."""
    return [*(stage.learner for stage in recipe.pretrain), recipe.finetune.learner]


def to_go(case: Case) -> np.ndarray:
    """[N] returns-to-go as a run of this task computes them."""
    task, data = case.task or PLAIN, case.data
    rewards = np.asarray(task.reward(data.rewards.astype(np.float64)), np.float32)
    failure = float(min(rewards.min(initial=0.0), np.float32(task.reward(0.0))))
    rule, masks = task.return_rule, ~data.terminated
    return returns_to_go(rewards, masks, case.ends, task.discount, rule, failure)


def calibration(case: Case) -> list[Finding]:
    """return-to-go."""
    task, bound = case.task or PLAIN, to_go(case)
    low, middle, high = np.quantile(bound, [0, 0.5, 1])
    what = f"Cal-QL's return-to-go lies between {low:.4g} and {high:.4g}, median {middle:.4g}"
    where = f"rule '{task.return_rule}', discount {task.discount:g}"
    at_start = float(np.mean(bound[case.starts]))
    numbers = {"min": low, "median": middle, "max": high, "first_rows_mean": at_start}
    return [found("return-to-go", "note", what, where, rule=task.return_rule, **numbers)]


def too_high(case: Case) -> list[Finding]:
    """return-to-go-too-high: negative rewards go on after a cut, the rule 'finite' forgets it."""
    task = case.task or PLAIN
    if case.recipe is not None and not any(each.reads_returns for each in learners(case.recipe)):
        return []
    rewards = np.asarray(task.reward(case.data.rewards.astype(np.float64)))
    cut = ~case.dead
    if task.return_rule != "finite" or np.mean(cut) <= 0.5 or rewards.max() > 0:
        return []
    last = float(np.median(rewards[case.stops[cut] - 1]))
    if last >= 0:
        return []
    forever = last / max(1e-9, 1.0 - task.discount)
    what = f"at a cut the bound is {last:.4g}, where the reward for ever is worth {forever:.4g}"
    where = f"{np.sum(cut):,} of {len(cut):,} episodes are cut"
    numbers: dict[str, Any] = {"bound": last, "forever": forever, "discount": task.discount}
    return [found("return-to-go-too-high", "warning", what, where, **numbers)]
