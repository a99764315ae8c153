"""For every test: the processor alone, and compiled programs kept from run to run."""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import version
from pathlib import Path

from hypothesis import settings

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR",
    os.path.join(tempfile.gettempdir(), f"warmstart-tests-{os.getuid()}"),
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
# Compilation is nearly all of the time here; what is compared bitwise is compiled alike.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
# Half as much to compile. XLA ends the process at a flag of another version.
if f"jaxlib=={version('jaxlib')}\n" in (Path(__file__).parents[1] / "constraints.txt").read_text():
    given = os.environ.get("XLA_FLAGS", "")
    quick = "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
    os.environ["XLA_FLAGS"] = given if quick in given else f"{given} {quick}".strip()

# A busy machine is no failure of an example.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
