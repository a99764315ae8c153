"""The order of rows: borders between episodes, next observations, copies."""

from __future__ import annotations

import numpy as np

from warmstart.data.checks.case import Case
from warmstart.data.checks.finding import Finding, Grade, found

JUMP = 10.0
"""A number leaps when it moves this many times as far as in nine of ten rows."""
NEAR = 0.05
"""Mean distance, in standard deviations of the data, from which a row counts as a start."""
STARTS, MANY = 3, 6
"""So many known starts tell where episodes start; one does, where so many numbers move."""
LOOKED, MOST_TURNS = 5_000, 32
"""Rows that are looked at for environments that take turns, and most environments."""


def across_borders(case: Case) -> list[Finding]:
    """rows-across-borders: rows, not terminated, that teleport to where the next row begins.

    Where the file does not mark its cuts, a row teleports when at least half of the numbers that
    move at all, and at least two, leap at once (contacts make velocities leap, but not positions
    at the same time); or when at least half move half as far again as in nine of ten rows, and
    arrive where episodes start. Marked cuts are trusted: there a row has to leap and to arrive at
    a start.
    """
    data = case.data
    joined = np.zeros(len(data), bool)
    joined[:-1] = np.all(data.next_obs[:-1] == data.obs[1:], axis=1)
    rows = np.flatnonzero(joined & ~data.terminated & _teleports(case))
    if not len(rows):
        return []
    what = "next observations belong to the next episode"
    return [found("rows-across-borders", "error", what, rows, share=len(rows) / len(data))]


def _teleports(case: Case) -> np.ndarray:
    """[N] bool."""
    data = case.data
    usual, moving = case.usual, np.flatnonzero(case.usual > 0)
    if not len(moving):
        return np.zeros(len(data), bool)
    leaps, far = np.zeros(len(data), np.int32), np.zeros(len(data), np.int32)
    for axis in moving:
        step = np.abs(data.next_obs[:, axis] - data.obs[:, axis])
        leaps += step > JUMP * usual[axis]
        far += step > 1.5 * usual[axis]
    half = (len(moving) + 1) // 2
    trusted = bool(np.any(data.truncated[:-1])) and not case.info.get("cuts_guessed")
    teleports = np.zeros(len(data), bool) if trusted else leaps >= max(2, half)
    maybe = np.flatnonzero(((leaps if trusted else far) >= half) & ~teleports)
    teleports[maybe] = _at_start(case, maybe, moving)
    return teleports


def _at_start(case: Case, rows: np.ndarray, moving: np.ndarray) -> np.ndarray:
    """[K] bool: which of these rows [K] arrive where episodes start, if that is one place that is
    known, and if more of them do than come there by chance."""
    none = np.zeros(len(rows), bool)
    # Where an episode was cut by a guess, the next row need not be a start.
    before = case.dead if case.info.get("cuts_guessed") else np.ones(len(case.dead), bool)
    sure = np.concatenate([[0], case.starts[1:][before[:-1]]])
    many = len(moving) >= MANY
    if len(sure) < (1 if many else STARTS):
        return none
    scale = case.data.obs[case.sampled][:, moving].astype(np.float64).std(axis=0) + 1e-9
    starts = case.data.obs[sure][:, moving] / scale
    centre = np.median(starts, axis=0)
    spread = float(np.mean(np.abs(starts - centre)))
    if spread > NEAR:
        return none

    def near(obs: np.ndarray) -> np.ndarray:
        return np.mean(np.abs(obs[:, moving] / scale - centre), axis=1) < NEAR + spread

    arrives = near(case.data.next_obs[rows])
    chance = float(np.mean(near(case.data.next_obs[case.sampled])))
    return arrives if many or arrives.sum() > 2 + 3 * chance * len(rows) else none


def turns(case: Case) -> list[Finding]:
    """rows-interleaved: rows are nearer to one several rows later than to the next, as where
    several environments take turns."""
    obs = case.data.obs[:LOOKED].astype(np.float64)
    spread = obs.std(axis=0)
    axes = np.flatnonzero(spread > 1e-6 * (1 + np.abs(obs).max(axis=0)))
    lags = np.arange(1, min(MOST_TURNS, len(obs) // 4) + 1)
    if len(axes) < 2 or len(lags) < 4:
        return []
    scaled = obs[:, axes] / spread[axes]
    # [lags, axes] how far numbers move in so many rows
    moved = np.array([np.median(np.abs(scaled[lag:] - scaled[:-lag]), axis=0) for lag in lags])
    far = np.median(moved, axis=0)
    nearer = np.median(moved / np.maximum(moved[:1], 1e-9), axis=1)
    lag = int(np.argmin(nearer))
    if lag == 0 or nearer[lag] > 0.3 or np.median(moved[0] / np.maximum(far, 1e-9)) < 0.7:
        return []
    what = f"rows follow the row {lags[lag]} before them, not the one before"
    numbers = {"turns": int(lags[lag]), "distance": nearer[lag]}
    return [found("rows-interleaved", "warning", what, "whole dataset", **numbers)]


def next_row(case: Case) -> list[Finding]:
    """next-obs-not-next-row."""
    data = case.data
    inside = ~case.ends[:-1]
    differs = np.any(data.next_obs[:-1] != data.obs[1:], axis=1)
    maybe = np.flatnonzero(inside & differs)
    after = data.obs[maybe + 1]
    gap = np.abs(data.next_obs[maybe] - after) > 1e-5 + 1e-5 * np.abs(after)
    rows = maybe[np.any(gap, axis=1)]
    if not len(rows):
        return []
    return [found("next-obs-not-next-row", "error", "next_obs is not the next row's obs", rows)]


def not_moving(case: Case) -> list[Finding]:
    """next-obs-is-obs: nothing ever moves within a row, though rows differ from one another."""
    data = case.data
    goes_on = ~np.asarray(data.terminated, bool)
    rows = np.flatnonzero(goes_on)
    still = np.flatnonzero(goes_on & np.all(data.next_obs == data.obs, axis=1))
    if len(still) < max(10, 0.99 * len(rows)) or np.all(data.obs[still] == data.obs[still[0]]):
        return []
    return [found("next-obs-is-obs", "error", "next_obs equals obs in the same row", still)]


def copies(case: Case) -> list[Finding]:
    """duplicate-rows: equal in observation, action and next observation."""
    data = case.data
    key = np.zeros(len(data), np.uint64)
    rng = np.random.default_rng(0)
    with np.errstate(over="ignore"):
        for column in (data.obs, data.actions, data.next_obs):
            for axis in column.T:
                bits = np.ascontiguousarray(axis, np.float32).view(np.uint32).astype(np.uint64)
                key = key * np.uint64(0x9E3779B97F4A7C15)
                key += bits * rng.integers(2**63, dtype=np.uint64) ^ (key >> np.uint64(29))
    order = np.argsort(key, kind="stable")
    same = key[order[1:]] == key[order[:-1]]
    again = np.sort(order[1:][same])
    if not len(again):
        return []
    what = f"{len(again):,} rows repeat an earlier one"
    grade: Grade = "warning" if len(again) > 0.01 * len(data) else "note"
    return [found("duplicate-rows", grade, what, again, share=len(again) / len(data))]


def short_pieces(case: Case) -> list[Finding]:
    """one-row-episodes. In OGBench's streams each row ends while a goal stays met: not those."""
    single = case.lengths == 1
    if np.mean(case.data.terminated) < 0.5:
        single &= ~_goes_on(case)
    if np.sum(single) <= max(2, 0.1 * len(single)) or not np.any(case.lengths):
        return []
    what = f"{np.sum(single):,} of {len(single):,} episodes have a single row"
    return [found("one-row-episodes", "warning", what, case.starts[single])]


def _goes_on(case: Case) -> np.ndarray:
    """[E] bool: the episode terminates, and begins where the one before terminated."""
    data, first = case.data, case.starts
    joined = np.all(data.next_obs[first - 1] == data.obs[first], axis=1)
    joined[0] = False
    return joined & case.dead & np.roll(case.dead, 1)
