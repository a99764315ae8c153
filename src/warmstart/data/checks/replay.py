"""A sample of rows played again: the environment's own answers beside those of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warmstart.data.checks.case import Case
from warmstart.data.checks.finding import Finding, found
from warmstart.data.checks.row_order import across_borders
from warmstart.data.checks.simulators import family_of

ROWS, SHORT_ROWS = 200, 64
FIRM = 0.95
"""A correlation from which rewards count as the same up to scale."""


@dataclass(frozen=True)
class Replay:
    """Rows [K] of the data, and what the environment answered to each."""

    rows: np.ndarray
    next_obs: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray

    @property
    def told(self) -> str:
        """How many there are, in words."""
        return f"a sample of {len(self.rows)} rows"


def replay(case: Case) -> list[Finding]:
    """Everything that playing rows again can tell."""
    family = None if case.offset else family_of(case.playable)
    if case.env is None or (case.short and family is not None and not family.quick):
        return []
    if family is None:
        what = "the state of this environment cannot be set from an observation"
        return [found("not-replayable", "note", what, "whole dataset")]
    again = play(case, SHORT_ROWS if case.short else ROWS)
    if len(again.rows) < 10:
        what = f"only {len(again.rows)} rows tell the state of the environment in full"
        return [found("not-replayable", "note", what, "whole dataset")]
    gaps = _gaps(case, again)
    error = float(np.median(gaps))
    if error > 0.05:
        what = f"next observations differ by {error:.0%} of a usual step"
        return [found("other-dynamics", "warning", what, again.told, error=error)]
    findings = _strayed(case, again, gaps)
    findings += _compare_rewards(case, again) + _compare_ends(case, again)
    if findings:
        return findings
    numbers = {"rows": len(again.rows), "step_error": error}
    correlation = _correlation(case.data.rewards[again.rows], again.rewards)
    told = ""
    if correlation is not None:
        told = f", rewards correlate with {correlation:.3f} and belong to s'"
        numbers |= {"correlation": correlation}
    what = f"{len(again.rows)} rows replayed: rewards, ends and next observations agree{told}"
    return [found("replayed", "note", what, f"simulator: {family.name}", **numbers)]


def play(case: Case, rows: int) -> Replay:
    """Put the environment into each sampled state, and take the logged action there."""
    env, family, data = case.playable, family_of(case.playable), case.data
    assert env is not None and family is not None
    env.reset(0)
    kept, answers = [], []
    for row in sample(case, rows):
        if np.all(np.isfinite(data.obs[row])) and family.put(env, data.obs[row]):
            answers.append(env.step(data.actions[row]))
            kept.append(int(row))
    return Replay(
        np.array(kept, int),
        np.array([answer.obs for answer in answers], np.float32),
        np.array([answer.reward for answer in answers], np.float64),
        np.array([answer.terminated for answer in answers], bool),
    )


def sample(case: Case, rows: int) -> np.ndarray:
    """Row numbers, ascending: half at random, the rest where most can be wrong.

    That is where rewards are rare, where episodes end, and where observations move farthest.
    """
    rng, data = np.random.default_rng(0), case.data
    count = len(data)

    def some(of: np.ndarray, most: int) -> np.ndarray:
        return rng.choice(of, min(most, len(of)), replace=False)

    values, counts = np.unique(data.rewards, return_counts=True)
    rare = np.flatnonzero(data.rewards != values[np.argmax(counts)])
    event = some(rare, rows // 10) if counts.max() > 0.5 * count else np.zeros(0, int)
    lasts = case.stops - 1
    parts = [
        some(np.arange(count), rows // 2),
        *(np.clip(event + shift, 0, count - 1) for shift in (-1, 0, 1)),
        some(lasts[case.dead], rows // 10),
        some(lasts[~case.dead], rows // 10),
        np.argsort(_strides(case), kind="stable")[-rows // 10 :],
    ]
    return np.unique(np.concatenate(parts))


def _strides(case: Case) -> np.ndarray:
    """[N] how far a row moves, in usual steps, each number at most 10."""
    data, total = case.data, np.zeros(len(case.data), np.float32)
    for axis in np.flatnonzero(case.usual > 0):
        step = np.abs(data.next_obs[:, axis] - data.obs[:, axis])
        total += np.minimum(step / np.float32(case.usual[axis]), 10.0)
    return total


def _gaps(case: Case, again: Replay) -> np.ndarray:
    """[K] mean distance of each answer to the logged next observation, in usual steps, up to 1."""
    moving = case.usual > 0
    if not np.any(moving):
        return np.zeros(len(again.rows))
    gap = np.abs(again.next_obs - case.data.next_obs[again.rows])[:, moving] / case.usual[moving]
    return np.mean(np.minimum(gap, 1.0), axis=1)


def _strayed(case: Case, again: Replay, gaps: np.ndarray) -> list[Finding]:
    """rows-across-borders: rows among true ones whose next observation is quite another."""
    data, rows = case.data, again.rows
    following = np.minimum(rows + 1, len(data) - 1)
    joined = np.all(data.next_obs[rows] == data.obs[following], axis=1) & (rows < len(data) - 1)
    bad = rows[(gaps > 0.5) & joined & ~data.terminated[rows]]
    if not len(bad) or across_borders(case):
        return []
    what = "the environment goes elsewhere: these next observations belong to the next episode"
    return [found("rows-across-borders", "error", what, bad)]


def _correlation(mine: np.ndarray, theirs: np.ndarray) -> float | None:
    """None where one of the two is constant."""
    if len(mine) < 10 or np.ptp(mine) < 1e-6 or np.ptp(theirs) < 1e-6:
        return None
    return float(np.corrcoef(mine.astype(np.float64), theirs)[0, 1])


def _shifted(case: Case, again: Replay, shift: int) -> float | None:
    """Correlation of the environment's rewards with the data's `shift` rows later."""
    rows = again.rows + shift
    inside = (rows >= 0) & (rows < len(case.data))
    episode = np.searchsorted(case.stops, again.rows, side="right")
    inside &= np.searchsorted(case.stops, rows, side="right") == episode
    return _correlation(case.data.rewards[rows[inside]], again.rewards[inside])


def _compare_rewards(case: Case, again: Replay) -> list[Finding]:
    mine, theirs = case.data.rewards[again.rows].astype(np.float64), again.rewards
    spread = max(float(np.std(theirs)), 1e-3)
    if np.max(np.abs(mine - theirs)) <= 0.02 * spread + 1e-3:
        return []
    here = _shifted(case, again, 0)
    shifts = {shift: _shifted(case, again, shift) for shift in (1, -1)}
    for shift, there in shifts.items():
        if there is not None and there > FIRM and (here is None or there > here + 0.05):
            late = "one row late: they belong to s" if shift == 1 else "one row early"
            what = f"rewards stand {late} (correlation {there:.3f}, in place {_told(here)})"
            numbers = {"correlation": there, "correlation_in_place": here, "shift": shift}
            return [found("reward-timing", "warning", what, again.told, **numbers)]
    if here is None:
        return _constant(again, mine, theirs)
    slope, offset = np.polyfit(theirs, mine, 1)
    numbers = {"correlation": here, "slope": slope, "offset": offset}
    line = f"rewards are {slope:.3g} times the environment's plus {offset:.3g}"
    if here < -FIRM:
        return [found("reward-sign", "error", line, again.told, **numbers)]
    if here > FIRM:
        if abs(slope - 1) <= 0.05 and abs(offset) <= 0.05 * spread:
            return []
        return [found("reward-scale", "warning", line, again.told, **numbers)]
    what = f"rewards correlate with the environment's by {here:.2f} only"
    return [found("reward-differs", "warning", what, again.told, **numbers)]


def _constant(again: Replay, mine: np.ndarray, theirs: np.ndarray) -> list[Finding]:
    """Where correlation means nothing since one of the two never changes."""
    both = np.ptp(mine) < 1e-6 and np.ptp(theirs) < 1e-6
    if both:
        what = f"rewards are {mine[0]:g} where the environment gives {theirs[0]:g}"
        numbers = {"data": mine[0], "environment": theirs[0]}
        return [found("reward-scale", "warning", what, again.told, **numbers)]
    rows = again.rows[np.abs(mine - theirs) > 1e-3]
    what = (
        f"rewards lie between {mine.min():.3g} and {mine.max():.3g}, the environment's between "
        f"{theirs.min():.3g} and {theirs.max():.3g}"
    )
    return [found("reward-differs", "warning", what, rows)]


def _compare_ends(case: Case, again: Replay) -> list[Finding]:
    logged = np.asarray(case.data.terminated)[again.rows].astype(bool)
    wrong = logged != again.terminated
    ends = max(1, int(np.sum(logged | again.terminated)))
    if np.sum(wrong) <= max(1, 0.05 * ends):
        return []
    extra, missed = int(np.sum(wrong & logged)), int(np.sum(wrong & again.terminated))
    what = f"{missed} ends of the environment are not marked, {extra} marked ends are none"
    rows = again.rows[wrong]
    return [found("terminals-differ", "warning", what, rows, not_marked=missed, no_end=extra)]


def _told(correlation: float | None) -> str:
    return "none" if correlation is None else f"{correlation:.3f}"
