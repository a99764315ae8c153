"""Units of work as Ray tasks, one a unit; a node that dies costs no unit.

The extra `ray`. Results come back as values and are written here, so that nodes need not share
this machine's disk; where they do share it, a unit that is tried again goes on from its runs.
"""

from __future__ import annotations

from typing import Any

import ray  # pyright: ignore[reportMissingImports]

from warmstart.files.durable import make_folder, write_json_atomic
from warmstart.studies.executors.protocol import State
from warmstart.studies.result import Result
from warmstart.studies.store import Store
from warmstart.studies.work import Work
from warmstart.studies.worker import OUTCOME

RETRIES = 3


def _do(text: str) -> dict[str, Any]:
    """One unit; runs in a Ray worker."""
    from warmstart.studies.work import Work as Unit
    from warmstart.studies.worker import run_unit

    return run_unit(Unit.from_json(text))


class OnRay:
    """Joins the cluster that `RAY_ADDRESS` or a running one names, or starts one here.

    Args:
        workers: cores of a cluster that is started here; each unit takes one.
        retries: how often a unit is begun again when its node or worker dies.
    """

    def __init__(self, workers: int, retries: int = RETRIES) -> None:
        if not ray.is_initialized():
            options: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False}
            try:
                ray.init(address="auto", log_to_driver=False)
            except ConnectionError:
                ray.init(num_cpus=workers, **options)
        self._do = ray.remote(num_cpus=1, max_retries=retries)(_do)
        self._jobs: dict[str, tuple[Any, Work]] = {}
        self._states: dict[str, State] = {}
        self._why: dict[str, str] = {}

    def submit(self, work: Work) -> None:
        """Hand a unit to Ray."""
        self._jobs[work.name] = self._do.remote(work.to_json()), work
        self._states[work.name] = "running"

    def poll(self) -> dict[str, State]:
        """How every unit stands; results of those that are over are written."""
        for name, (job, work) in list(self._jobs.items()):
            ready, _ = ray.wait([job], timeout=0)
            if not ready:
                continue
            del self._jobs[name]
            try:
                outcome = ray.get(job)
            except Exception as error:  # whatever the unit or its node died of
                cause = getattr(error, "cause", None) or error
                self._why[name] = " ".join(str(cause).split())[-300:] or type(error).__name__
                self._states[name] = "failed"
                continue
            store = Store(work.results)
            for content in outcome["done"]:
                store.add(Result.from_json(content, name))
            make_folder(work.folder, "run the study again")
            write_json_atomic(work.folder / OUTCOME, {"arm": None, "failed": outcome["failed"]})
            self._states[name] = "done"
        return dict(self._states)

    def why(self, name: str) -> str:
        """What Ray says that it died of."""
        return self._why.get(name, "")

    def cancel(self) -> None:
        """Interrupt every unit; its run saves itself."""
        for job, _ in self._jobs.values():
            ray.cancel(job, force=False)
        if self._jobs:
            ray.wait([job for job, _ in self._jobs.values()], num_returns=len(self._jobs),
                     timeout=120)  # fmt: skip
        self._jobs.clear()
