"""The page of a run, or of several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from warmstart.api.reread import require_metrics
from warmstart.errors import RunError
from warmstart.files.machine import peak_memory_mb
from warmstart.reports.run import known_floor
from warmstart.runs.folder import as_folder, read_run
from warmstart.runs.records import read
from warmstart.runs.summary import SeedSummary, summarise, write_summary
from warmstart.runs.tensorboard import sync_events
from warmstart.tasks import Floor


def report(
    folders: Sequence[Path | str] | Path | str, out: Path | str | None = None
) -> tuple[Path, list[SeedSummary]]:
    """Write the page of one or several runs; the summary is the first one's."""
    from warmstart.reports.page import write_report

    if isinstance(folders, Path | str) or not isinstance(folders, Iterable):
        folders = [folders]
    paths = [as_folder(folder) for folder in folders]
    if not paths:
        raise RunError("no run is named; give the folder of a run, or of several to compare")
    known: list[Floor | None] = []
    for path in paths:
        known.append(known_floor(read_run(path)))
        require_metrics(path)
    summary = summarise(read(paths[0]), peak_memory_mb())
    if len(paths) == 1:
        write_summary(paths[0], summary, known[0])
        sync_events(paths[0])
    page = write_report(paths, Path(out) if out is not None else paths[0])
    return page, summary


def floor(folder: Path | str) -> Floor | None:
    """What a policy that has learnt nothing scores on a run's task; None: it was not measured."""
    return known_floor(read_run(as_folder(folder)))
