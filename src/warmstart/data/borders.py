"""Where one episode ends and the next begins, by columns that count."""

from __future__ import annotations

from typing import Any

import numpy as np

from warmstart.errors import DataError


def borders_of(source: str, rows: int, episode: Any, step: Any) -> np.ndarray | None:
    """[N - 1] bool: where the next row is of another episode, if the file has such a column.

    Raises:
        DataError: a column of another length, or rows that are not in the order of time.
    """
    borders = None
    for name, held in (("episode", episode), ("step", step)):
        if held is None:
            continue
        values = np.asarray(held).reshape(-1)
        told = {type(value) for value in values} if values.dtype.kind == "O" else set()
        fit = values.dtype.kind in "biuf" or (
            name == "episode" and (values.dtype.kind in "SU" or told in ({bytes}, {str}))
        )
        if not fit or (values.dtype.kind == "f" and np.isnan(values).any()):
            what = "NaN" if fit else values.dtype.name
            raise DataError(
                f"{source}: '{name}' holds {what}: write a whole number in every row"
                f"{' (or a name)' if name == 'episode' else ', rising within an episode'}."
            )
        if values.dtype.kind == "f" and np.any(np.abs(values) * np.finfo(values.dtype).eps > 1):
            raise DataError(
                f"{source}: '{name}' holds numbers as large as {np.max(np.abs(values)):g}, "
                f"whose last digits {values.dtype.name} cannot tell apart: write smaller ones."
            )
        if len(values) != rows:
            raise DataError(
                f"{source}: {rows} rows of observations but {len(values)} of {name}: "
                "write one row a step in every column."
            )
        if name == "episode":
            borders = values[1:] != values[:-1]
            begins = values[np.concatenate([[True], borders])] if rows else values
            if len(np.unique(begins)) != len(begins):
                raise DataError(
                    f"{source}: rows of an episode are torn apart (an episode begins "
                    f"{len(begins)} times, but there are {len(np.unique(begins))}): sort the rows "
                    "by episode and time."
                )
            continue
        back = values[1:] <= values[:-1]
        if borders is None and (row := _taking_turns(values)) is not None:
            raise DataError(
                f"{source}: 'step' is {values[row]} in row {row}, after {values[row - 1]}, "
                "and so on: these are rows of several environments that took turns, or rows that "
                "were logged twice. Sort the rows by environment and time, or name a column with "
                "the number of the episode with --columns episode=NAME (in Python mapping=) and "
                "sort by it."
            )
        if borders is not None and np.any(back & ~borders):
            row = int(np.flatnonzero(back & ~borders)[0]) + 1
            raise DataError(
                f"{source}: row {row} is not later than the row before it, of the same "
                "episode: sort the rows by episode and time."
            )
        borders = back if borders is None else borders
    return borders


def _taking_turns(step: np.ndarray) -> int | None:
    """The first row that is not later than the one before it and starts no episode, where there
    are so many of them that rows of several environments, or copies, must stand between others."""
    if len(step) < 3:
        return None
    rises = np.diff(step.astype(np.float64))
    odd = (rises <= 0) & (step[1:] != step.min())
    if not odd.any():
        return None
    again = np.mean(odd & (rises == 0))
    several = np.mean(odd) > 0.02 and _regular(step, 1) + 0.2 < max(
        (_regular(step, lag) for lag in range(2, min(64, len(step) // 2) + 1)), default=0.0
    )
    if again > 0.05 or np.mean(odd) > 0.3 or several:
        return int(np.flatnonzero(odd)[0]) + 1
    return None


def _regular(step: np.ndarray, lag: int) -> float:
    """The share of rows that are as much later than the row `lag` before them as is usual."""
    looked = step[:20_000].astype(np.float64)
    rises = looked[lag:] - looked[:-lag]
    on = rises[rises > 0]
    return float(np.sum(np.isclose(on, np.median(on), rtol=1e-3)) / len(rises)) if len(on) else 0.0


def missing(step: Any, borders: np.ndarray) -> np.ndarray:
    """[N - 1] bool: where rows are missing before the next one of the same episode.

    Whole numbers that nearly always rise by the same amount count rows: where one rises by more,
    the next row is not what followed, and the episode is cut.
    """
    if step is None or np.asarray(step).dtype.kind not in "iu":
        return np.zeros(len(borders), bool)
    rises = np.diff(np.asarray(step).reshape(-1).astype(np.int64))
    inside = rises[~borders]
    usual = np.median(inside) if len(inside) else 0
    counted = len(inside) and np.mean(inside == usual) >= 0.9
    return ~borders & (rises > usual) if counted else np.zeros(len(borders), bool)


def time_limits(ends: np.ndarray, horizon: int) -> np.ndarray:
    """[N] bool: rows at which `horizon` steps have passed since the last end."""
    limits = np.zeros(len(ends), bool)
    age = 0
    for i, end in enumerate(ends.tolist()):
        age += 1
        limits[i] = age == horizon
        if end or age == horizon:
            age = 0
    return limits
