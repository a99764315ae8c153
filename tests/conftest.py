"""For every test: the processor alone, and compiled programs kept from run to run."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["run_folders"]
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR",
    os.path.join(tempfile.gettempdir(), f"warmstart-tests-{os.getuid()}"),
)
# Nothing of the user's own is touched: see `warmstart.user_code.trust`.
os.environ["WARMSTART_STATE"] = tempfile.mkdtemp(prefix="warmstart-state-")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
# Compilation is nearly all of the time here; what is compared bitwise is compiled alike.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
# XLA's older emitters, and one piece for each program, take a third of the compiler's time. The
# newer ones, which users have, compile what `make test-isa` runs, golden traces among it.
os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
)

# A busy machine is no failure of an example.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# Whoever starts the tests in the background may have had Ctrl-C ignored, which tests send.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tracing makes millions of small objects and hardly a circle among them.
gc.set_threshold(50_000, 20, 20)

MOST = 2.5e9
"""Bytes of memory at which a worker lets its compiled programs go."""


@pytest.fixture(scope="module", autouse=True)
def bounded_memory() -> Iterator[None]:
    """Thousands of programs are gigabytes in each worker, and all of them lie on disk too."""
    yield
    if _resident() > MOST:
        import jax

        from warmstart.engine import shared

        shared.forget()
        jax.clear_caches()
        gc.collect()


def _resident() -> float:
    """Bytes of this process; 0 where no file says so."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0.0
