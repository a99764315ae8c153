"""What a run gives back, also as a notebook shows it: a frame, a figure, a table."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warmstart.api.declare import Declared
from warmstart.errors import RunError
from warmstart.runs.records import Record, read
from warmstart.runs.summary import SeedSummary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLACE = ("seed", "phase", "tag", "updates", "env_steps", "wall")


@dataclass(frozen=True)
class Run:
    """A run folder and what stands in it.

    Attributes:
        folder: where everything lies.
        declared: what was asked for.
        summary: one entry for each seed.
        report: the page, or None where none was written.
    """

    folder: Path
    declared: Declared
    summary: list[SeedSummary]
    report: Path | None

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """Every metric line; see docs/schema.md."""
        return read(self.folder)

    def curves(self) -> Any:
        """Every evaluation as a pandas frame, one row a seed and moment.

        Columns: `seed`, `phase`, `tag`, `updates`, `env_steps`, `wall` (seconds), and what was
        measured: `score`, `return_mean`, `success`, `length_mean` and so on.

        Raises RunError where pandas is not installed; `metrics` needs nothing.
        """
        return frame(self.metrics)

    def plot(self) -> Figure | None:
        """The curve of the report across the switch; None before the first evaluation."""
        return curve_of(self.folder)

    def _repr_html_(self) -> str:
        return shown_in_notebook(self.folder, self.summary)


def frame(records: Sequence[Record]) -> Any:
    """The evaluations as a pandas frame. Raises RunError where pandas is not installed."""
    try:
        import pandas  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise RunError(
            "Run.curves() gives a pandas frame, and pandas is not installed; pip install pandas, "
            "or read Run.metrics"
        ) from error
    rows = [
        {**{name: record.get(name) for name in PLACE}, **_numbers(record["values"])}
        for record in records
        if record["kind"] == "eval" and record["seed"] is not None
    ]
    return pandas.DataFrame(rows, columns=None if rows else [*PLACE, "score"])


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if not isinstance(value, list | dict)}


def curve_of(folder: Path) -> Figure | None:
    """The report's curve of a run."""
    from warmstart.reports.figures import curve_figure  # Matplotlib takes half a second
    from warmstart.reports.run import load_runs

    return curve_figure(load_runs([folder]))


def shown_in_notebook(folder: Path, summary: Sequence[SeedSummary]) -> str:
    """Curve and table of the switch as HTML that asks for nothing from anywhere."""
    from warmstart.files.render import png

    drawn = curve_of(folder)
    name = html.escape(folder.name)
    figure = ""
    if drawn is not None:
        picture = base64.b64encode(png(drawn)).decode()
        alt = f"Scores of {name} across the switch"
        figure = f'<img alt="{alt}" src="data:image/png;base64,{picture}">'
    heads = ("seed", "before", "after the switch", "lowest", "final")
    cells = "".join(
        "<tr>"
        + "".join(
            f"<td>{_short(x)}</td>"
            for x in (s.seed, s.score_before, s.score_after, s.score_min, s.score_final)
        )
        + "</tr>"
        for s in summary
    )
    head = "".join(f"<th>{word}</th>" for word in heads)
    return f"<p><b>{name}</b></p>{figure}<table><tr>{head}</tr>{cells}</table>"


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
