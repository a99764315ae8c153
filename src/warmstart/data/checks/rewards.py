"""Rewards alone: no contrast, or a few that drown all others."""

from __future__ import annotations

import numpy as np

from warmstart.data.checks.case import Case
from warmstart.data.checks.finding import Finding, Grade, found
from warmstart.types import TOO_LARGE


def contrast(case: Case) -> list[Finding]:
    """rewards-all-zero, rewards-constant."""
    rewards = case.data.rewards
    if len(rewards) < 2 or np.ptp(rewards) != 0:
        return []
    value = float(rewards[0])
    name = "rewards-constant" if value else "rewards-all-zero"
    return [found(name, "warning", f"every reward is {value:g}", "rewards", value=value)]


def dropped(case: Case) -> list[Finding]:
    """rewards-dropped: rows without a next observation held rewards that the others do not have.

    That is where they lie half as far again from the usual reward as any other, or hold more than
    a twentieth, and five times their share, of all that differs from it.
    """
    told = case.info.get("dropped")
    if told is None:
        return []
    rewards = case.data.rewards.astype(np.float64)
    usual = float(np.median(rewards))
    apart = np.abs(rewards - usual)
    farthest = max(abs(told["min"] - usual), abs(told["max"] - usual))
    lost = told["sum_of_sizes"] if usual == 0 else abs(told["sum"] - usual * told["rows"])
    share = lost / max(lost + float(apart.sum()), 1e-12)
    of_rows = told["rows"] / (told["rows"] + len(rewards))
    if farthest <= 1e-6 or (farthest <= 1.5 * apart.max() and share <= max(0.05, 5 * of_rows)):
        return []
    alone = not np.any(apart > 1e-6)
    what = (
        f"{told['rows']:,} rows without a next observation were dropped, with rewards of "
        f"{told['sum']:.6g} in all, from {told['min']:.4g} to {told['max']:.4g}"
    )
    what += f"; every reward that is left is {usual:.4g}" if alone else ""
    numbers = {**told, "share_of_rows": of_rows, "kept_sum": float(rewards.sum())}
    where = "last rows of episodes that were cut"
    grade: Grade = "error" if alone else "warning"
    return [found("rewards-dropped", grade, what, where, count=told["rows"], **numbers)]


def outliers(case: Case) -> list[Finding]:
    """reward-outliers: a hundred times the 99 % quantile of those that are not 0, in one row or
    fewer than 1 of 1,000; an error where their squares are not finite in float32."""
    size = np.abs(case.data.rewards)
    paid = size[size > 0]
    if len(paid) < 5:
        return []
    usual = float(np.quantile(paid, 0.99, method="lower"))
    rows = np.flatnonzero(size > 100 * usual)
    if not 0 < len(rows) <= max(1, 0.001 * len(size)):
        return []
    largest = float(size.max())
    grade: Grade = "error" if largest > TOO_LARGE else "warning"
    what = f"rewards reach {largest:.3g} where 99 % of those that are not 0 stay below {usual:.3g}"
    return [found("reward-outliers", grade, what, rows, largest=largest, usual=usual)]
