"""How many cores a process may use; asked for before JAX starts its own threads."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from warmstart.errors import RunError

_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def idlest(cores: Iterable[int], seconds: float = 0.05) -> list[int]:
    """The cores, those first that did least within `seconds`; in their order where nobody knows.

    Two processes of one thread each would else share the first core and leave the others idle.
    """
    before, _, after = _busy(), time.sleep(seconds), _busy()
    return sorted(cores, key=lambda core: (after.get(core, 0) - before.get(core, 0), core))


def _busy() -> dict[int, int]:
    """Ticks that each core has worked since the machine started; nothing where no file says so."""
    busy = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/stat").read_text().splitlines():
            name, *ticks = line.split()
            if name.startswith("cpu") and name[3:].isdigit():
                busy[int(name[3:])] = sum(map(int, ticks)) - int(ticks[3]) - int(ticks[4])
    return busy


def bound_threads(count: int | None) -> None:
    """Keep this process, and the threads it has already, on the `count` idlest cores; None: all.

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
    cores = idlest(os.sched_getaffinity(0))[:count]
    tasks = Path("/proc/self/task")
    for thread in [int(task.name) for task in tasks.iterdir()] if tasks.is_dir() else [0]:
        with contextlib.suppress(ProcessLookupError):  # a thread that has just ended
            os.sched_setaffinity(thread, cores)
