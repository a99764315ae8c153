"""Rewards alone: no contrast, or a few that drown all others."""

from __future__ import annotations

import numpy as np

from warmstart.edge.doctor.case import Case
from warmstart.edge.doctor.finding import Finding, found


def contrast(case: Case) -> list[Finding]:
    """rewards-all-zero, rewards-constant."""
    rewards = case.data.rewards
    if len(rewards) < 2 or np.ptp(rewards) != 0:
        return []
    value = float(rewards[0])
    name = "rewards-constant" if value else "rewards-all-zero"
    return [found(name, "warning", f"every reward is {value:g}", "rewards", value=value)]


def outliers(case: Case) -> list[Finding]:
    """reward-outliers: a hundred times the 99 % quantile, in fewer than 1 row of 1,000."""
    size = np.abs(case.data.rewards)
    usual = float(np.quantile(size, 0.99))
    rows = np.flatnonzero(size > 100 * usual)
    if usual == 0 or not 0 < len(rows) < 0.001 * len(size):
        return []
    largest = float(size.max())
    what = f"rewards reach {largest:.3g} where 99 % stay below {usual:.3g}"
    return [found("reward-outliers", "warning", what, rows, largest=largest, usual=usual)]
