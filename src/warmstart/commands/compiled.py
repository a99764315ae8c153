"""Compiled programs that are kept from one command to the next."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import re
import warnings
from importlib import metadata
from pathlib import Path

from platformdirs import user_cache_path

LOG = logging.getLogger("warmstart")
LEAST_SECONDS = "0.1"
"""A program that compiles faster is not worth a file."""
MOST_BYTES = str(2_000_000_000)
"""What is used least goes when there is more."""


def keep_compiled() -> None:
    """Let JAX keep what it compiles; to be called before it is imported.

    In `warmstart/compiled` of the user's cache folder, or in $WARMSTART_COMPILED ("" keeps
    nothing); a JAX_COMPILATION_CACHE_DIR of the user's goes before both. There is a folder for each
    processor and version of the compiler, since a program runs on no other. A kept program is the
    one that was compiled, to the byte, so that no result depends on it. A folder that cannot be
    made is said, and everything is compiled as without.
    """
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    chosen = os.environ.get("WARMSTART_COMPILED")
    if chosen == "":
        return
    folder = Path(chosen) if chosen else user_cache_path("warmstart") / "compiled"
    folder = folder.expanduser().absolute() / _here()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        LOG.warning("compiled programs are not kept, '%s' cannot be made: %s", folder, error)
        return
    # One that was cut by a full disk is compiled again, which changes nothing and is no news.
    warnings.filterwarnings("ignore", "Error (read|writ)ing persistent compilation cache")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", LEAST_SECONDS)
    os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", MOST_BYTES)


def _here() -> str:
    """A name for this processor under this version of the compiler."""
    try:
        text = Path("/proc/cpuinfo").read_text()
        told = re.findall(r"^(?:model name|flags|Features)\s*:\s*(.*)$", text, re.M)
    except OSError:
        told = []
    facts = [platform.machine(), platform.processor(), *sorted(set(told))]
    short = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
    return f"jaxlib-{metadata.version('jaxlib')}-{short}"
