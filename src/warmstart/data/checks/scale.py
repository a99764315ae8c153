"""Sizes of observations and rewards that a method does not bear, and what fixes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from warmstart.data.checks.case import Case
from warmstart.data.checks.episode_returns import PLAIN, learners, to_go
from warmstart.data.checks.finding import Finding, found
from warmstart.errors import RecipeError
from warmstart.parts import AdvantageRegression, PolicyAdvantage

LARGE = 100.0
"""Networks see numbers around 1; a column of observations is large beyond this."""
MOST_RETURN, LEAST_RETURN = 1e4, 1e-2
"""Returns-to-go that a critic reaches neither in the usual number of updates, nor sees at all."""
SATURATED, MILD = 8.0, 0.5
"""Weights exp(beta A) saturate where beta times the deviation of single rewards, a lower bound of
that of advantages, is beyond the first; at the second they tell actions apart."""
LOOKED = 50_000
"""Rows whose returns are computed."""


def observations(case: Case) -> list[Finding]:
    """observation-scale: large columns, where the method does not scale them itself."""
    recipe = case.recipe
    if recipe is not None and all(each.normalise != "none" for each in learners(recipe)):
        return []
    rows = case.data.obs[case.sampled].astype(np.float64)
    size = np.sqrt(np.mean(rows**2, axis=0))
    axes = np.flatnonzero(size > LARGE)
    if not len(axes):
        return []
    what = f"numbers of the observation are as large as {size.max():.4g} in the root mean square"
    fix = None
    if recipe is not None:
        try:
            recipe.with_("learner.normalise", "dataset")
        except RecipeError:
            fix = (
                f"{recipe.name} cannot scale observations itself: divide these numbers in the "
                "environment and in the data alike."
            )
    where = "axes " + ", ".join(map(str, axes[:8])) + (", ..." if len(axes) > 8 else "")
    numbers = {"axes": axes, "root_mean_square": size[axes]}
    return [found("observation-scale", "warning", what, where, fix, **numbers)]


def rewards(case: Case) -> list[Finding]:
    """reward-magnitude, advantage-scale: after the task's own reward transform."""
    recipe, task = case.recipe, case.task or PLAIN
    if recipe is not None and all(each.critic is None for each in learners(recipe)):
        return []
    beta, most_reward = _beta(case), float(np.abs(task.reward(case.data.rewards)).max())
    within = most_reward <= MOST_RETURN * (1.0 - task.discount) and most_reward >= LEAST_RETURN
    if within and beta is None:
        return []
    case = _some(case)
    bound = to_go(case)
    size = float(np.quantile(np.abs(bound), 0.95))
    most = float(np.max(np.abs(bound)))
    if size > MOST_RETURN or 0 < most < LEAST_RETURN:
        factor = 100.0 / (size if size > MOST_RETURN else most)
        what = f"discounted returns are {size:.4g} in size (95 % of all rows are below)"
        fix = _reward_scale(case, factor)
        numbers: dict[str, Any] = {"size": size, "largest": most, "factor": factor}
        return [found("reward-magnitude", "warning", what, "rewards", fix, **numbers)]
    if beta is None or not np.ptp(case.data.rewards):
        return []
    spread = float(np.std(np.asarray(task.reward(case.data.rewards.astype(np.float64)))))
    if beta * spread <= SATURATED:
        return []
    what = (
        f"rewards deviate by {spread:.3g}, and advantages by as much or more: exp({beta:.3g} A) is "
        "at its limit for some actions and nothing for the others"
    )
    factor = MILD / (beta * spread)
    more: dict[str, Any] = {"deviation": spread, "beta": beta, "factor": factor}
    fix = _reward_scale(case, factor, _softer(case, MILD / spread))
    return [found("advantage-scale", "warning", what, "rewards", fix, **more)]


def _some(case: Case) -> Case:
    """The case with evenly spread episodes of some `LOOKED` rows alone."""
    share = LOOKED / len(case.data)
    if share >= 1:
        return case
    episodes = case.data.episodes()
    kept = np.unique(np.linspace(0, len(episodes) - 1, max(1, int(share * len(episodes)))))
    return replace(case, data=case.data.take([episodes[int(i)] for i in kept]))


def _beta(case: Case) -> float | None:
    """What multiplies an advantage in the exponent of a weight that is cut off, if anything."""
    if case.recipe is None:
        return None
    for each in learners(case.recipe):
        part = getattr(each, "improvement", None)
        if isinstance(part, AdvantageRegression):
            return part.beta
        if isinstance(part, PolicyAdvantage) and part.form == "exp":
            return 1.0 / part.temperature
    return None


def _softer(case: Case, beta: float) -> str:
    """The option that makes the exponent milder instead of the rewards."""
    for each in learners(case.recipe) if case.recipe is not None else []:
        if isinstance(getattr(each, "improvement", None), PolicyAdvantage):
            return f"--set learner.improvement.temperature={1.0 / beta:.1g}"
    return f"--set learner.improvement.beta={beta:.1g}"


def one_digit(number: float) -> float:
    """The number to one digit."""
    return float(f"{number:.1g}")


def _reward_scale(case: Case, factor: float, instead: str = "") -> str | None:
    """Multiply the present scale by about `factor`; a catalogue's task keeps its own scale."""
    task = case.task or PLAIN
    to = one_digit(task.reward.scale * factor)
    scale = f"--reward-scale {to:g}"
    if task.reward.bias:  # or else it would weigh more, beside smaller rewards
        scale += f" --reward-bias {task.reward.bias * to / task.reward.scale:g}"
    if task.domain == "custom" or case.task is None:
        return f"Try {scale} (in Python custom_task(reward_scale=))."
    return f"Try {instead} (in Python changes=)." if instead else None
