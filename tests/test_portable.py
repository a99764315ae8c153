"""The package does without what only some systems have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HIDDEN = """
import importlib, pkgutil, sys
for name in ("fcntl", "resource"):
    sys.modules[name] = None  # as where there is no such module
import warmstart
from warmstart.files.machine import peak_memory_mb
for module in pkgutil.walk_packages(warmstart.__path__, "warmstart."):
    if module.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        if error.name not in ("ray", "submitit"):  # extras, which only their executors open
            raise
assert peak_memory_mb() is None
print("all imported")
"""


def test_every_module_is_imported_without_fcntl_and_resource(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN], capture_output=True, text=True, cwd=tmp_path, env=env
    )
    assert done.stdout == "all imported\n", done.stderr


def test_what_draws_and_judges_is_not_imported_before_it_is_needed(tmp_path: Path) -> None:
    program = "import warmstart.api, sys; print([m for m in sys.modules if m in (%r, %r, %r)])"
    program %= ("matplotlib", "scipy.stats", "scipy.spatial")
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env=env
    )
    assert done.stdout == "[]\n", done.stdout + done.stderr


@pytest.mark.parametrize("words", ["list methods", "list tasks --json", "--help"])
def test_who_only_looks_does_not_wait_for_jax(words: str, tmp_path: Path) -> None:
    program = (
        "import sys; from warmstart.cli import main\n"
        f"try: main({words.split()!r})\n"
        "except SystemExit: pass\n"
        "print([m for m in ('jax', 'scipy', 'gymnasium', 'h5py') if m in sys.modules])"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
    env["WARMSTART_DATA"] = str(tmp_path)  # what was made is opened, to tell its size
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env=env
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
