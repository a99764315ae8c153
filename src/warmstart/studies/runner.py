"""Runs a study: units out, results in, until there are seeds enough."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from warmstart.errors import WarmstartError
from warmstart.studies.claims import carried
from warmstart.studies.evidence import gather, protocols, with_ranges
from warmstart.studies.executors.protocol import Executor
from warmstart.studies.fingerprint import numerics
from warmstart.studies.judge import more_seeds
from warmstart.studies.result import Result
from warmstart.studies.store import Store, results_are
from warmstart.studies.study import Study
from warmstart.studies.work import Work, plan
from warmstart.studies.worker import OUTCOME, PROGRESS
from warmstart.tasks import Task

POLL_SECONDS = 1.0
SAY_SECONDS = 30.0
TRIES = 3
"""How often a unit is begun whose worker or machine dies."""

Tell = Callable[[str], None]


class StudyStopped(WarmstartError):
    """The study was asked to stop; everything that ran has saved itself."""


@dataclass(frozen=True)
class Where:
    """Folders of a study: its runs, and its results."""

    runs: Path = Path("studies/runs")
    results: Path = Path("studies/results")


@dataclass
class StudyRunner:
    """One call of `study run`.

    Attributes:
        seeds: these alone; empty: blocks by the stopping rule.
        hours: wall clock after which no more is begun; None: no limit.
        executor: where units are done.
    """

    study: Study
    tasks: Sequence[str | Task]
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    where: Where
    executor: Executor
    tell: Tell
    hours: float | None = None
    diagnose_every: int = 0
    _units: dict[str, Work] = field(default_factory=dict)
    _size: dict[str, int] = field(default_factory=dict)
    _tries: dict[str, int] = field(default_factory=dict)
    _tried: dict[str, set[int]] = field(default_factory=dict)
    _failed: dict[str, str] = field(default_factory=dict)
    _over: set[str] = field(default_factory=set)
    _began: float = 0.0

    def run(self) -> dict[str, str]:
        """Run to the end; what failed, as arm and unit -> one sentence.

        Raises:
            StudyStopped: by Ctrl-C or at the end of the hours, all saved.
            RunError, RecipeError, TaskError: an arm that cannot be.
        """
        names = {self._name(task): task for task in self.tasks}
        so_far, _ = Store(self.where.results).read(self.study.name)
        for name, task in names.items():
            work = self._plan(task, 0)  # what cannot be is refused before anything runs
            if apart := other_protocol([r for r in so_far if r.task == name], work.protocol):
                self.tell(f"{name}: {apart}")
        self._began = time.monotonic()
        said = 0.0
        before = _as_ctrl_c()
        try:
            for name, task in names.items():
                self._next(name, task)
            while self._units:
                self._poll()
                for name, task in names.items():
                    if name not in self._over and not any(
                        self._task(w) == name for w in self._units.values()
                    ):
                        self._next(name, task)
                if self._units and time.monotonic() - said > SAY_SECONDS:
                    said = time.monotonic()
                    self.tell(self._progress())
                if self.hours is not None and self._elapsed() > 3600 * self.hours:
                    self.executor.cancel()
                    raise StudyStopped(
                        f"the {self.hours:g} hours are over and everything is saved; the same "
                        "command goes on"
                    )
                time.sleep(POLL_SECONDS if self._units else 0)
        except KeyboardInterrupt:
            self.tell("stopping: every run saves itself")
            self.executor.cancel()
            raise StudyStopped("stopped and saved; the same command goes on") from None
        finally:
            if before is not None:
                signal.signal(signal.SIGTERM, before)
        return dict(self._failed)

    def _plan(self, task: str | Task, seed: int) -> Work:
        return plan(
            self.study,
            task,
            seed,
            self.arms,
            runs=self.where.runs,
            results=self.where.results,
            diagnose_every=self.diagnose_every,
        )

    def _next(self, name: str, task: str | Task) -> None:
        """The next block of seeds of a task: what of it has no result is submitted."""
        tried = self._tried.setdefault(name, set())
        while True:
            everywhere, _ = with_ranges(Store(self.where.results).read()[0])
            results = [r for r in everywhere if r.study == self.study.name]
            if self.seeds:
                block = tuple(seed for seed in self.seeds if seed not in tried)
            else:
                mine = [r for r in results if r.protocol == self._plan(task, 0).protocol]
                units = gather(mine, numerics()).units.get(name, {})
                arms = self.study.chosen(self.arms)
                block = more_seeds(carried(self.study.name), units, arms, sorted(tried))
            if not block:
                self._over.add(name)
                return
            tried.update(block)
            mine = [r for r in results if r.task == name]
            for seed in block:
                work = self._plan(task, seed)
                lacks = work.lacks(mine)
                if lacks:
                    self._units[work.name] = work
                    self._size[work.name] = len(lacks)
                    self._submit(work)
            if self._units:
                return

    def _submit(self, work: Work) -> None:
        self._tries[work.name] = self._tries.get(work.name, 0) + 1
        for stale in (OUTCOME, PROGRESS):
            (work.folder / stale).unlink(missing_ok=True)
        self.executor.submit(work)

    def _poll(self) -> None:
        for name, state in self.executor.poll().items():
            work = self._units.get(name)
            if work is None or state in ("waiting", "running"):
                continue
            if state == "failed" and self._tries[name] < TRIES:
                self.tell(f"{name}: its worker ended early ({self.executor.why(name)}); again")
                self._submit(work)
                continue
            del self._units[name]
            if state == "failed":
                self._failed[name] = self.executor.why(name)
                self.tell(f"{name} failed: {self._failed[name]}")
                continue
            failed = _read(work.folder / OUTCOME).get("failed", {})
            for arm, why in failed.items():
                self._failed[f"{arm}, {name}"] = why
                self.tell(f"{arm}, {name} failed: {why}")
            self.tell(f"{name} is done" + (f", {len(failed)} of its runs failed" if failed else ""))

    def _progress(self) -> str:
        """Runs done and to do, and the time left, as if the rest took as long in the mean."""
        done = sum(size for name, size in self._size.items() if name not in self._units)
        total = sum(self._size.values())
        part = 0.0
        for work in self._units.values():
            part += _read(work.folder / OUTCOME).get("done", 0)
            now = _read(work.folder / PROGRESS)
            part += 0.5 * now.get("done", 0) / max(1, now.get("total", 1))
        share = (done + part) / max(1, total)
        left = ""
        if share > 0.02:
            seconds = self._elapsed() * (1 - share) / share
            left = f", about {timedelta(seconds=round(seconds))} left"
        return f"{self.study.name}: {int(done + part)} of {total} runs done{left}"

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    @staticmethod
    def _name(task: str | Task) -> str:
        return task if isinstance(task, str) else task.name

    @staticmethod
    def _task(work: Work) -> str:
        return json.loads(work.task)["name"]


def other_protocol(results: Sequence[Result], protocol: str) -> str:
    """A warning where most results of a task have another protocol than what is to run."""
    mine = [r for r in results if r.numerics == numerics()]
    counted = protocols(mine)
    others = [r for r in mine if r.protocol == counted[r.task] != protocol]
    if not others:
        return ""
    looks = [step for r in others for points in r.diagnose.values() for step, _ in points]
    options = [f"--steps {max(r.steps for r in others)}"]
    options += [f"--diagnose-every {min(step for step in looks if step)}"] if any(looks) else []
    return (
        f"{results_are(len(others))} of another protocol (steps, schedule, data or task); what "
        "runs now is not paired with them, and the protocol with most results counts. Theirs has "
        + " ".join(options)
    )


def _as_ctrl_c() -> Any:
    """SIGTERM stops the study as Ctrl-C does; returns the handler before, None in a side thread."""

    def stop(number: int, frame: Any) -> None:
        del number, frame
        raise KeyboardInterrupt

    try:
        return signal.signal(signal.SIGTERM, stop)
    except ValueError:
        return None


def _read(path: Path) -> Mapping[str, Any]:
    """A small file that another process may be about to replace."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
