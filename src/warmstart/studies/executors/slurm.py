"""Units of work as Slurm jobs, through submitit: the extra `slurm`.

Partition and the like come from the environment that `sbatch` reads (SBATCH_PARTITION, ...). The
folders of runs and results must lie on a disk that the nodes share.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import submitit  # pyright: ignore[reportMissingImports]

from warmstart.errors import RunError
from warmstart.studies.executors.protocol import State
from warmstart.studies.work import Work
from warmstart.studies.worker import Stopped, run_unit

MINUTES = 24 * 60
PATIENCE_SECONDS = 120.0


class Unit:
    """A unit as a job: when Slurm preempts it, it is queued again and goes on from its runs."""

    def __call__(self, text: str) -> list[str]:
        """The arms that failed."""
        try:
            return sorted(run_unit(Work.from_json(text))["failed"])
        except Stopped:
            raise RuntimeError("stopped") from None

    def checkpoint(self, text: str) -> Any:
        """What is queued in place of a job that ran out of time or was preempted."""
        return submitit.helpers.DelayedSubmission(Unit(), text)


class OnSlurm:
    """Submits each unit as a job with one core.

    Args:
        cluster: "slurm"; "local" runs the jobs as processes here, for tries and tests.
    """

    def __init__(self, cluster: str = "slurm", minutes: int = MINUTES) -> None:
        self._cluster, self._minutes = cluster, minutes
        self._jobs: dict[str, Any] = {}

    def submit(self, work: Work) -> None:
        """Queue a unit. Raises RunError where there is no Slurm."""
        logs = Path(work.runs) / "jobs"
        try:
            executor = submitit.AutoExecutor(folder=logs, cluster=self._cluster)
            executor.update_parameters(
                timeout_min=self._minutes, cpus_per_task=1, name=f"warmstart-{work.study}"
            )
            self._jobs[work.name] = executor.submit(Unit(), work.to_json())
        except RuntimeError as error:
            raise RunError(
                f"Slurm takes no job here ({error}); run this where `sbatch` works, or leave "
                "--on slurm out"
            ) from error

    def poll(self) -> dict[str, State]:
        """How every unit stands."""
        return {name: self._state(job) for name, job in self._jobs.items()}

    def _state(self, job: Any) -> State:
        if not job.done():
            return "waiting" if job.state == "PENDING" else "running"
        return "done" if job.exception() is None else "failed"

    def why(self, name: str) -> str:
        """The last line of what the job raised; submitit adds where its logs are."""
        raised, _, _ = str(self._jobs[name].exception() or "").partition("You can check full logs")
        lines = [line.strip() for line in raised.splitlines() if line.strip(" -")]
        return lines[-1] if lines else ""

    def cancel(self) -> None:
        """Cancel every job; its run saves itself on the signal."""
        for job in self._jobs.values():
            job.cancel(check=False)
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and not all(job.done() for job in self._jobs.values()):
            time.sleep(0.5)
