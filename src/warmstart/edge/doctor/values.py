"""NaN, infinities, and numbers that never change."""

from __future__ import annotations

import numpy as np

from warmstart.edge.doctor.case import Case
from warmstart.edge.doctor.finding import Finding, found


def finite(case: Case) -> list[Finding]:
    """not-finite."""
    findings = []
    for name in ("obs", "actions", "rewards", "next_obs"):
        column = getattr(case.data, name)
        # A sum is finite unless a number is not (or all are huge): one fast pass in the usual case.
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(np.sum(column)):
                continue
        bad = np.flatnonzero(~np.all(np.isfinite(column.reshape(len(column), -1)), axis=1))
        if len(bad):
            what = f"{name} hold NaN or infinite numbers"
            findings.append(found("not-finite", "error", what, bad, column=name))
    return findings


def still(case: Case) -> list[Finding]:
    """still-observations."""
    obs = case.data.obs
    axes = np.flatnonzero(np.all(obs == obs[0], axis=0)) if len(obs) > 1 else []
    if not len(axes):
        return []
    what = f"{len(axes)} of {obs.shape[1]} numbers of the observation never change"
    where = "axes " + ", ".join(map(str, axes[:8])) + (", ..." if len(axes) > 8 else "")
    return [found("still-observations", "note", what, where, axes=axes)]
