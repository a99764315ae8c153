"""What one sees of a run: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from warmstart.api.declare import Declared
from warmstart.api.driver import Observer
from warmstart.engine import RunEvent
from warmstart.tasks import floor_of

LOG = logging.getLogger("warmstart")
PLAIN_SECONDS = 10.0
"""Where there is no terminal: about how long between two lines of progress."""
MOMENTS = {
    "pretrained": "before the switch",
    "switch": "after the switch",
    "final": "at the end",
    "frozen": "frozen policy",
}


class Speed(ProgressColumn):
    """Steps or updates a second."""

    def render(self, task: Task) -> Text:
        """`1,234/s`, or nothing before it is known."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="dim")


class Watcher(logging.Handler):
    """Shows the events of one run; a context manager that puts the terminal right again.

    It is a log handler too, so that what the library remarks does not tear the bar; `terse` it is
    so only where nobody else listens, and does not repeat what was declared.
    """

    def __init__(self, console: Console, terse: bool = False) -> None:
        super().__init__(logging.INFO)
        self.console: Console = console
        self.terse: bool = terse
        self._listens = not (terse and LOG.hasHandlers())
        self._warned: set[str] = set()
        self.bars: Progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TextColumn("{task.completed:>9,.0f} of {task.total:,.0f} {task.fields[unit]}"),
            Speed(),
            TimeRemainingColumn(),
            console=console,
            refresh_per_second=4,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, Any] = {}
        self._began: dict[str, tuple[float, int]] = {}
        self._said = time.monotonic()
        self._scores: dict[Any, dict[int, float]] = {}
        self._seeds = 1

    def __enter__(self) -> Watcher:
        if self._listens:
            LOG.addHandler(self)
            LOG.propagate = False
            self._former = LOG.level
            LOG.setLevel(logging.INFO)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bars.stop()
        if self._listens:
            LOG.propagate = True
            LOG.setLevel(self._former)
            LOG.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """A remark of the library."""
        self.say(record.getMessage())

    def say(self, text: str) -> None:
        """One line, never wrapped: it may hold a path."""
        self.console.print(text, soft_wrap=True, highlight=False, markup=False)

    def __call__(self, event: RunEvent) -> None:
        """Show what there is to show of an event."""
        if event.kind == "begin":
            self._begin(**event.values)
        elif event.kind == "progress":
            self._progress(event, event.values["done"], event.values["total"])
        elif event.kind == "eval" and event.seed is not None:
            self._score(event, event.seed)
        elif event.kind == "warning" and event.values["name"] not in self._warned:
            self._warned.add(event.values["name"])
            who = "" if event.seed is None or self._seeds == 1 else f"seed {event.seed}: "
            self.say(f"warning: {who}{event.values['text']}")

    def _begin(self, folder: Any, declared: Declared, disk_bytes: int) -> None:
        facts = declared.to_json()
        self._seeds = len(declared.seeds)
        self.say(f"run folder: {folder}")
        if self.terse:
            self.bars.start()
            return
        table = Table.grid(padding=(0, 2))
        table.add_row("method", f"{facts['method']}, {declared.preset} numbers")
        table.add_row("task", declared.task.description)
        table.add_row("seeds", ", ".join(map(str, declared.seeds)))
        for question, answer in facts["describe"]:
            table.add_row(question, Text(answer))
            if question == "handover":
                table.add_row("", crossing_table(facts["handover"]))
        table.add_row("score", facts["score_label"])
        if (floor := floor_of(declared.task)) is not None:
            table.add_row("floor", f"{floor.words}: needs no learning")
        table.add_row("disk", f"at most {disk_bytes / 1e6:,.0f} MB")
        self.console.print(table, highlight=False)
        self.bars.start()

    def _progress(self, event: RunEvent, done: int, total: int) -> None:
        name = event.phase if not event.stage else f"{event.phase} {event.stage + 1}"
        unit = "updates" if event.phase == "pretrain" else "steps"
        if self.console.is_terminal:
            if name not in self._tasks:
                self._tasks[name] = self.bars.add_task(name, total=total, unit=unit)
            self.bars.update(self._tasks[name], completed=done)
            return
        now = time.monotonic()
        since, first = self._began.setdefault(name, (now, done))
        if now - self._said < PLAIN_SECONDS and done < total:
            return
        self._said = now
        known = now > since and done - first >= 10  # the first steps wait for the compiler
        speed = (done - first) / (now - since) if known else 0.0
        left = f", {_clock((total - done) / speed)} left" if speed and done < total else ""
        pace = f" ({speed:,.0f}/s{left})" if speed else ""
        self.say(f"{name} {done:,} of {total:,} {unit}{pace}")

    def _score(self, event: RunEvent, seed: int) -> None:
        """One line for all seeds, when the last of them is there."""
        offline = event.phase == "pretrain"
        counter = event.updates if offline else event.env_steps
        moment = (event.phase, event.stage, counter, event.tag)
        scores = self._scores.setdefault(moment, {})
        scores[seed] = event.values["score"]
        if len(scores) < self._seeds:
            return
        del self._scores[moment]
        unit = "updates" if offline else "steps"
        each = "  ".join(f"seed {seed}: {score:.1f}" for seed, score in scores.items())
        mean = f"  mean: {sum(scores.values()) / len(scores):.1f}" if len(scores) > 1 else ""
        what = MOMENTS.get(event.tag or "", "")
        self.say(f"{event.phase:<8} {counter:>9,} {unit:<7}  {what:<17} {each}{mean}")


def crossing_table(rows: Sequence[Mapping[str, str]]) -> Table:
    """What becomes of each component at the switch, and why."""
    shown = Table.grid(padding=(0, 2))
    for row in rows:
        shown.add_row(*(Text(row[key]) for key in ("component", "outcome", "reason")))
    return shown


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


@contextmanager
def shown(observe: Observer | None, progress: bool) -> Iterator[Observer]:
    """The observer of a run that is called from Python: the caller's, or one that shows it."""
    if observe is not None or not progress:
        yield observe or (lambda event: None)
        return
    with Watcher(Console(stderr=True), terse=True) as watcher:
        yield watcher


def closing(run: Any, console: Console) -> None:
    """The table of the switch, the run's warnings, the wall clock, and where the page is."""
    from warmstart.runs.summary import overall, table, warnings

    console.print(table(run.summary, floor_of(run.declared.task)))
    for text in warnings(run.metrics):
        console.print(f"warning: {text}", soft_wrap=True, highlight=False, markup=False)
    wall = _clock(overall(run.summary)["wall_seconds"])
    console.print(f"wall clock: {wall}", highlight=False)
    console.print(f"report: {run.report}", soft_wrap=True, highlight=False, markup=False)
