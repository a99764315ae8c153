"""The readings of a file among which its users choose by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from warmstart.data.borders import borders_of
from warmstart.data.build import Columns, column
from warmstart.errors import DataError, did_you_mean

SUCCESS_AT_END = "success-at-end"
DONE_IS_ANY_END = "done-is-any-end"
VIEWS: dict[str, str] = {
    SUCCESS_AT_END: "logs without rewards: 1 on the last row of each (successful) episode, else 0",
    DONE_IS_ANY_END: "done is 1 at every end, as in SB3: rows that are truncated too were cut",
    "qlearning": "D4RL: the next row is the next observation, whatever the file says of it",
    "reward-on-s": "OGBench from 1.2.0 on: rewards and ends judge the state that is acted in",
    "reward-on-next": "OGBench before 1.2.0: rewards and ends judge the state that is reached",
    "rlpd": "Adroit-binary as RLPD read it: the first 90 % of each file, nothing terminates",
    "cal-ql": "Adroit-binary as Cal-QL read it: only what succeeds, up to its last success",
}
"""Names for `view`, and what each means."""


def known_view(view: str) -> str:
    """The same name. Raises DataError if there is no such view at all."""
    if view not in VIEWS:
        raise DataError(f"There is no view '{view}'. {did_you_mean(view, VIEWS)}")
    return view


def no_view(source: str | Path, what: str, view: str, *own: str) -> DataError:
    """A view that exists, but not for this kind of file."""
    instead = f"choose {' or '.join(own)}, or leave it out" if own else "leave it out"
    return DataError(f"{source} is {what}, which has no view '{view}': {instead}.")


def success_at_end(columns: Columns) -> Columns:
    """Rewards 1 and a real end on the last row of every episode, or of every successful one.

    Raises:
        DataError: a column of another length, or flags that are not 0 or 1.
    """
    last = _last_rows(columns)
    rows = len(last)
    good = last.copy()
    if columns.success is not None and rows:
        stops = np.flatnonzero(last) + 1
        starts = np.concatenate([[0], stops[:-1]])
        good[stops - 1] = np.logical_or.reduceat(_flags(columns, "success", rows), starts)
    columns.rewards = good.astype(np.float32)
    columns.terminated, columns.truncated = good, last & ~good
    columns.success = good
    return columns


def done_is_any_end(columns: Columns) -> Columns:
    """Rows that are both done and truncated were cut, and did not terminate.

    Raises:
        DataError: nothing says which rows were cut, a column of another length, or flags that are
            not 0 or 1.
    """
    if columns.truncated is None:
        raise DataError(
            f"{columns.source} does not say which rows were cut, as the view '{DONE_IS_ANY_END}' "
            "needs: name a column with --columns truncated=NAME (in Python mapping=)."
        )
    rows = len(np.asarray(columns.actions))
    cut = _flags(columns, "truncated", rows)
    columns.terminated = _flags(columns, "terminated", rows) & ~cut
    return columns


def done_at_last(columns: Columns) -> Columns:
    """`done=last`: a real end on the last row of every episode that was not marked as cut.

    Raises:
        DataError: a column of another length, or flags that are not 0 or 1.
    """
    last = _last_rows(columns)
    if columns.truncated is not None:
        last &= ~_flags(columns, "truncated", len(last))
    columns.terminated = last
    return columns


def _last_rows(columns: Columns) -> np.ndarray:
    """[N] bool: the last row of every episode, as far as the columns tell."""
    rows = len(np.asarray(columns.actions))
    last = np.zeros(rows, bool)
    for name in ("terminated", "truncated"):
        if getattr(columns, name) is not None:
            last |= _flags(columns, name, rows)
    borders = borders_of(columns.source, rows, columns.episode, columns.step)
    if borders is not None:
        last[:-1] |= borders
    last[-1:] = True
    return last


def _flags(columns: Columns, name: str, rows: int) -> np.ndarray:
    flags = column(columns, name, bool)
    if len(flags) != rows:
        raise DataError(
            f"{columns.source}: {rows} rows of actions but {len(flags)} of {name}: write one row "
            "a step in every column."
        )
    return flags
