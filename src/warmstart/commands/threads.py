"""Floor 8: how many cores a process may use; asked for before JAX starts its own threads."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from warmstart.errors import RunError

_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def bound_threads(count: int | None) -> None:
    """Keep this process, and the threads it has already, on `count` cores; None: on all.

    XLA sizes its thread pool by the cores that it is allowed to use.

    Raises:
        RunError: `count` is below 1.
    """
    if count is None:
        return
    if count < 1:
        raise RunError(f"--threads {count} leaves nothing to compute with; give 1 or more.")
    for name in _POOLS:
        os.environ[name] = str(count)
    if not hasattr(os, "sched_setaffinity"):  # macOS has no such call
        return
    cores = sorted(os.sched_getaffinity(0))[:count]
    tasks = Path("/proc/self/task")
    for thread in [int(task.name) for task in tasks.iterdir()] if tasks.is_dir() else [0]:
        with contextlib.suppress(ProcessLookupError):  # a thread that has just ended
            os.sched_setaffinity(thread, cores)
