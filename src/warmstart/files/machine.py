"""What a run should remember of the machine and the software, and what the machine has left."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from warmstart.errors import RunError

try:
    import resource
except ImportError:  # Windows
    resource = None

_LIBRARIES = (
    "warmstart",
    "jax",
    "jaxlib",
    "numpy",
    "equinox",
    "optax",
    "orbax-checkpoint",
    "gymnasium",
    "gymnasium-robotics",
    "mujoco",
    "minari",
    "ogbench",
)

_WIDTHS = (("avx512f", "AVX512"), ("avx2", "AVX2"), ("avx", "AVX"), ("sse4_2", "SSE4_2"))
"""Flags of the processor and the names that XLA has for them, the widest first."""
_NARROWER = tuple(name for _, name in _WIDTHS)
_OTHER_FLAGS = (
    "--xla_cpu_max_isa",
    "--xla_force_host_platform_device_count",
    "--xla_gpu_",
    "--xla_tpu_",
    "--xla_dump_",
)


def versions() -> dict[str, str]:
    """Versions of the libraries that decide numbers, where installed, of Python, and the system."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found | {"python": platform.python_version(), "platform": platform.platform()}


def git_commit(folder: Path | None = None) -> str | None:
    """Commit of the checkout around `folder` (default: working directory), None without one.

    It ends in `-dirty` where tracked files were changed since.
    """
    # A repository's own configuration may name a program that watches its files: not for this.
    command = [
        "git",
        "-c",
        "core.fsmonitor=false",
        "describe",
        "--always",
        "--dirty",
        "--abbrev=40",
        "--exclude=*",
    ]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def instruction_set(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The widest vectors that XLA's programs may use on this processor.

    `--xla_cpu_max_isa` in XLA_FLAGS narrows them. Where the system does not tell, the name of the
    architecture stands for it.
    """
    try:
        flags = re.search(r"^flags\s*:\s*(.*)$", cpuinfo.read_text(), re.M)
    except OSError:
        flags = None
    words = set(flags[1].split()) if flags else set()
    widest = next((name for flag, name in _WIDTHS if flag in words), platform.machine())
    asked = re.findall(r"--xla_cpu_max_isa=(\w+)", os.environ.get("XLA_FLAGS", ""))
    if asked and widest in _NARROWER:
        most = "AVX512" if asked[-1].upper().startswith("AVX512") else asked[-1].upper()
        if most in _NARROWER and _NARROWER.index(most) > _NARROWER.index(widest):
            return most
    return widest


def xla_flags() -> list[str]:
    """What else in XLA_FLAGS may decide how a program of the processor's rounds, sorted.

    Left out: how many devices there are, other devices' flags, and what is written to files.
    """
    flags = os.environ.get("XLA_FLAGS", "").split()
    return sorted(flag for flag in flags if not flag.startswith(_OTHER_FLAGS))


def disk_free(path: Path) -> int:
    """Bytes that may still be written at `path`, which need not exist yet."""
    path = Path(path).absolute()
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def require_space(path: Path, need_bytes: int) -> None:
    """Raises RunError unless `need_bytes` fit on the disk of `path`."""
    free = disk_free(path)
    if free < need_bytes:
        raise RunError(
            f"This run may write {need_bytes / 1e6:,.0f} MB below '{path}', where "
            f"{free / 1e6:,.0f} MB are free. Free some space, choose a folder on another disk, or "
            "take fewer seeds or steps."
        )


def free_memory() -> int:
    """Bytes that can be had without swapping; where the system does not tell, all there are.

    Where it does not even tell these (Windows) as many as can be counted.
    """
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    if not hasattr(os, "sysconf"):
        return sys.maxsize
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def peak_memory_mb() -> float | None:
    """The most main memory that this process has held so far, in MB (10^6 bytes).

    None where the system does not tell.
    """
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
