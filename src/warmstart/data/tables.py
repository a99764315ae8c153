"""Tables of the user's own, CSV, JSON lines and Parquet, through Apache Arrow."""

from __future__ import annotations

import importlib
import importlib.util
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.data.build import Columns
from warmstart.data.columns import Mapped, choose, gather, require
from warmstart.data.memory import refuse_pointer
from warmstart.data.pictures import names_images, read_paths
from warmstart.data.views import DONE_IS_ANY_END, SUCCESS_AT_END, no_view
from warmstart.errors import DataError

CSV, PARQUET = (".csv", ".csv.gz"), (".parquet", ".pq")
JSON = (".jsonl", ".jsonl.gz", ".ndjson")
_DEEP = 500
_SEPARATORS = (",", ";", "\t")


def is_table(path: Path) -> bool:
    """Whether the name ends as that of a table does."""
    return path.name.lower().endswith((*CSV, *PARQUET, *JSON))


def read_table(path: Path, mapping: Mapped | None = None, view: str | None = None) -> Columns:
    """A CSV file with a header, a Parquet file or lines of JSON: one row a step, in time's order.

    Columns that hold lists of one length (as Parquet and JSON can) count as vectors. CSV may be
    separated by commas, tabs or semicolons, the last also with decimal commas. An object within an
    object of JSON is a group, as in HDF5 (`obs/position`). A column of observations that holds
    names of PNG or JPEG files, from the table's folder on, is a camera's.

    Raises:
        DataError: the extra `tables` is not installed, the file is broken, something needed is
            missing, or a column holds text or gaps.
    """
    if view not in (None, SUCCESS_AT_END, DONE_IS_ANY_END):
        raise no_view(path, "a table", view, SUCCESS_AT_END, DONE_IS_ANY_END)
    arrow(path)
    lines = read_json(path) if path.name.lower().endswith(JSON) else None
    titles = _header(path) if lines is None else {name: name for name in lines.column_names}
    names = list(titles)
    chosen = choose(path, names, mapping, table=True)
    if view == SUCCESS_AT_END:
        chosen.pop("rewards", None)
        needed = ("obs", "actions")
    else:
        needed = ("obs", "actions", "rewards", "terminated")
    require(path, names, chosen, needed)
    wanted = sorted({titles[name] for group in chosen.values() for name in group})
    table = _read(path, wanted) if lines is None else lines
    if not table.num_rows:
        raise DataError(
            f"{path} has names of columns but no rows: log at least one episode, or take the file "
            "away."
        )
    episodes = set(chosen.get("episode", []))
    observed = {*chosen.get("obs", []), *chosen.get("next_obs", [])}

    def get(name: str) -> np.ndarray:
        column = table.column(titles[name])
        if name in observed and not column.null_count and names_images(column):
            return read_paths(path, name, column.to_pylist())
        return numbers(path, name, column, codes=name in episodes)

    return gather(path, chosen, get, name=path.name.split(".")[0])


def arrow(source: str | Path) -> Any:
    """The module pyarrow. Raises DataError where it is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        raise DataError(
            f"{source} is read with Apache Arrow, which is not installed: run "
            "`pip install 'warmstart[tables]'`."
        )
    return importlib.import_module("pyarrow")


def numbers(
    source: str | Path, name: str, column: Any, codes: bool = False, width: int = 1
) -> np.ndarray:
    """An Arrow column as an array [N], or [N, width] where it holds lists.

    Args:
        source, name: for messages.
        column: Arrow's ChunkedArray.
        codes: text is welcome and is numbered (episodes may have names).
        width: so many elements of the column are one row of the file; for messages.

    Raises:
        DataError: gaps, text, or lists of different length.
    """
    compute: Any = importlib.import_module("pyarrow.compute")
    types: Any = importlib.import_module("pyarrow.types")
    if column.null_count:
        row = int(np.flatnonzero(np.asarray(column.is_null()))[0]) // width
        raise DataError(
            f"{source}: column '{name}' is empty or NaN in row {row}: fill the gap or drop the "
            "row's whole episode."
        )
    kind = column.type
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        lengths = np.asarray(compute.list_value_length(column))
        if len(lengths) and np.any(lengths != lengths[0]):
            odd = int(np.flatnonzero(lengths != lengths[0])[0])
            raise DataError(
                f"{source}: column '{name}' has {lengths[odd]} numbers in row {odd // width} but "
                f"{lengths[0]} in row 0: write vectors of one length."
            )
        inside = compute.list_flatten(column)
        if len(column) and not len(inside):
            raise DataError(
                f"{source}: column '{name}' holds lists without numbers: name another column with "
                "--columns (in Python mapping=), or write numbers there."
            )
        width *= max(1, len(inside) // max(1, len(column)))
        return numbers(source, name, inside, width=width).reshape(len(column), -1)
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind):
        return column.to_numpy()
    if codes:
        return compute.dictionary_encode(column).combine_chunks().indices.to_numpy()
    held = enumerate(column.to_pylist())
    at, odd = next(((i, value) for i, value in held if not _is_number(value)), (0, column[0]))
    raise DataError(
        f"{source}: column '{name}' holds {kind}, such as {str(odd)[:60]!r} in row {at // width}, "
        "not numbers: name another column with --columns (in Python mapping=), or write numbers "
        "there."
    )


def _is_number(value: Any) -> bool:
    try:
        return isinstance(float(value), float)
    except (TypeError, ValueError):
        return False


def read_parquet(path: Path, columns: Sequence[str]) -> Any:
    """Some columns of a Parquet file as Arrow's Table. Raises DataError."""
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        return parquet.ParquetFile(path).read(columns=list(columns))
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise _broken(path, error) from error


def parquet_names(path: Path) -> list[str]:
    """The columns of a Parquet file. Raises DataError."""
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        return list(parquet.ParquetFile(path).schema_arrow.names)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise _broken(path, error) from error


def read_json(path: Path) -> Any:
    """Lines of JSON as Arrow's Table; keys of inner objects behind a slash. Raises DataError."""
    import pyarrow
    from pyarrow import json as lines

    try:
        _require_shallow(path)
        with _stream(path) as stream:
            table = lines.read_json(stream, read_options=lines.ReadOptions(block_size=1 << 26))
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise _broken(path, error) from error
    while any(pyarrow.types.is_struct(kind) for kind in table.schema.types):
        names = [
            f"{field.name}/{inner.name}" if pyarrow.types.is_struct(field.type) else field.name
            for field in table.schema
            for inner in (field.type if pyarrow.types.is_struct(field.type) else [field])
        ]
        table = table.flatten().rename_columns(names)
    return table


def _require_shallow(path: Path) -> None:
    """Arrow's reader of JSON takes the whole process down where brackets stand in thousands of
    others. Raises DataError there."""
    with _stream(path) as stream:
        for line in io.BufferedReader(stream):
            if line.count(b"[") + line.count(b"{") < _DEEP:
                continue
            try:
                json.loads(line)
            except RecursionError as error:
                raise DataError(
                    f"{path} has a line of thousands of brackets in one another: write one JSON "
                    "object a line, of numbers and lists of numbers."
                ) from error
            except ValueError:
                continue  # Arrow says where


def _header(path: Path) -> dict[str, str]:
    """Names of the columns without spaces around them, and as they stand in the file."""
    if path.name.lower().endswith(PARQUET):
        names = parquet_names(path)
    else:
        import pyarrow
        from pyarrow import csv

        try:
            with (
                _stream(path) as stream,
                csv.open_csv(stream, parse_options=_parsing(path)) as reader,
            ):
                names = list(reader.schema.names)
        except (OSError, ValueError, pyarrow.ArrowException) as error:
            raise _broken(path, error) from error
    if names and all(_is_number(name) for name in names):
        raise DataError(
            f"{path} begins with numbers ({', '.join(names[:4])}, ...): write a line with the "
            "columns' names first."
        )
    plain = [name.strip() for name in names]
    twice = sorted({name for name in plain if name and plain.count(name) > 1})
    if twice:
        raise DataError(f"{path} has two columns called '{twice[0]}': give each its own name.")
    return dict(zip(plain, names, strict=True))


def _read(path: Path, names: list[str]) -> Any:
    if path.name.lower().endswith(PARQUET):
        return read_parquet(path, names)
    import pyarrow
    from pyarrow import csv

    parsing = _parsing(path)

    def read(point: str) -> Any:
        convert = csv.ConvertOptions(
            include_columns=names, decimal_point=point, strings_can_be_null=True
        )
        with _stream(path) as stream:
            return csv.read_csv(stream, parse_options=parsing, convert_options=convert)

    try:
        table = read(".")
        if parsing.delimiter == ";" and _texts(table):  # commas may be the decimal ones
            table = min(table, read(","), key=_texts)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise _broken(path, error) from error
    return table


def _texts(table: Any) -> int:
    """How many columns of Arrow's Table hold text."""
    types: Any = importlib.import_module("pyarrow.types")
    return sum(map(types.is_string, table.schema.types))


def _parsing(path: Path) -> Any:
    """How the columns of a CSV file are separated, by its line of names."""
    from pyarrow import csv

    with _stream(path) as stream:
        names = stream.read(1 << 16).split(b"\n", 1)[0]
    found = max(_SEPARATORS, key=lambda mark: names.count(mark.encode()))
    return csv.ParseOptions(delimiter=found)


def _stream(path: Path) -> Any:
    """The file's bytes, unpacked where they are packed with gzip, whatever its name."""
    import pyarrow

    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return pyarrow.input_stream(str(path), compression="gzip" if packed else None)


def _broken(path: Path, error: Exception) -> DataError:
    refuse_pointer(path)
    reason = " ".join("".join(c if c.isprintable() else " " for c in str(error)).split())[:300]
    return DataError(
        f"{path} cannot be read as a table ({reason}): write it again, as CSV (UTF-8) with one "
        "line of names first, as one JSON object a line, or as Parquet."
    )
