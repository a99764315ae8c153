"""Units of work as processes of this machine, each on cores of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from warmstart.files.durable import make_folder, write_atomic
from warmstart.studies.executors.protocol import State
from warmstart.studies.work import Work

PATIENCE_SECONDS = 120.0
"""How long a stopped unit may take to save itself."""


class Local:
    """At most `workers` processes at a time; with two on two cores each has one."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._waiting: list[Work] = []
        self._running: dict[str, tuple[subprocess.Popen[bytes], int, Path]] = {}
        self._states: dict[str, State] = {}
        self._logs: dict[str, Path] = {}

    def submit(self, work: Work) -> None:
        """Take a unit; it begins at the next `poll` with room."""
        self._waiting.append(work)
        self._states[work.name] = "waiting"

    def poll(self) -> dict[str, State]:
        """How every unit stands; begins what there is room for."""
        for name, (process, _, _) in list(self._running.items()):
            code = process.poll()
            if code is not None:
                self._states[name] = "done" if code in (0, 1) else "failed"
                del self._running[name]
        while self._waiting and len(self._running) < self.workers:
            self._begin(self._waiting.pop(0))
        return dict(self._states)

    def why(self, name: str) -> str:
        """What the worker said last."""
        log = self._logs.get(name)
        lines = log.read_text(errors="replace").strip().splitlines() if log else []
        return lines[-1].strip() if lines else "its process was killed"

    def cancel(self) -> None:
        """SIGINT to every worker, which passes it on to its run; then wait for both."""
        self._waiting.clear()
        for process, _, _ in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
        for process, _, _ in self._running.values():
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._running.clear()

    def _begin(self, work: Work) -> None:
        make_folder(work.folder, "run the study again")
        unit, log = work.folder / "unit.json", work.folder / "worker.log"
        text = work.to_json().encode()
        write_atomic(unit, lambda file: file.write(text), "run the study again")
        taken = {place for _, place, _ in self._running.values()}
        place = next(i for i in range(self.workers) if i not in taken)
        command = [sys.executable, "-P", "-m", "warmstart.studies.worker", str(unit)]
        cores = self._cores(place)
        command += [",".join(map(str, cores))] if cores else []
        env = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with log.open("wb") as out:
            # A session of its own: the terminal's Ctrl-C comes through `cancel` alone.
            process = subprocess.Popen(
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=env,
                start_new_session=True,
            )  # fmt: skip
        self._running[work.name] = process, place, log
        self._logs[work.name] = log
        self._states[work.name] = "running"

    def _cores(self, place: int) -> list[int]:
        """The cores of one worker: an equal part of those that this process may use."""
        if not hasattr(os, "sched_getaffinity"):  # macOS has no such call
            return []
        cores = sorted(os.sched_getaffinity(0))
        each = max(1, len(cores) // self.workers)
        first = place * each % len(cores)
        return cores[first : first + each]
