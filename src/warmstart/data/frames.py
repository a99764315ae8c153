"""Logged data that somebody holds as a data frame: pandas, Polars or Arrow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from warmstart.data.build import Columns
from warmstart.data.columns import choose, gather, require
from warmstart.data.tables import arrow, numbers
from warmstart.errors import DataError

WHAT = "the frame"


def is_frame(data: Any) -> bool:
    """Whether this is a data frame: of pandas, of Polars, or a Table of Arrow."""
    kind = type(data)
    home = kind.__module__.partition(".")[0]
    return (home, kind.__name__) in (
        ("pandas", "DataFrame"),
        ("polars", "DataFrame"),
        ("pyarrow", "Table"),
    )


def read_frame(data: Any, mapping: Mapping[str, str] | None = None) -> Columns:
    """The columns of a frame with one row a step, in time's order.

    Names are found as in a CSV file: `obs_0`, `obs_1`, `action`, `reward`, `done`; `mapping` says
    others, as `--columns` does. Columns that hold lists of one length count as vectors.

    Raises:
        DataError: the extra `tables` is not installed, something needed is missing, there are no
            rows, or a column holds text or gaps.
    """
    table = _as_table(data)
    names = [str(name) for name in table.column_names]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{WHAT} has two columns '{twice}'; give each a name of its own")
    chosen = choose(WHAT, names, mapping, table=True)
    require(WHAT, names, chosen)
    if not table.num_rows:
        raise DataError(f"{WHAT} has names of columns but no rows; log at least one episode")
    episodes = set(chosen.get("episode", []))
    at = {name: table.column(number) for number, name in enumerate(names)}
    return gather(WHAT, chosen, lambda name: numbers(WHAT, name, at[name], name in episodes))


def _as_table(data: Any) -> Any:
    pyarrow = arrow(WHAT)
    if isinstance(data, pyarrow.Table):
        return data
    try:
        if hasattr(data, "to_arrow"):
            return data.to_arrow()
        return pyarrow.Table.from_pandas(data, preserve_index=False)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{WHAT} cannot be read ({reason}); give columns of numbers") from error
