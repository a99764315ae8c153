"""Compiled programs are kept for the next command, each processor's and version's apart."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from warmstart.commands import compiled
from warmstart.commands.compiled import keep_compiled

KEPT = "JAX_COMPILATION_CACHE_DIR"


@pytest.fixture(autouse=True)
def without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (KEPT, "JAX_COMPILATION_CACHE_MAX_SIZE"):
        monkeypatch.setenv(name, "")  # so that it is taken back afterwards
        monkeypatch.delenv(name)
    monkeypatch.setenv("WARMSTART_COMPILED", str(tmp_path))


def test_jax_keeps_what_it_compiles_in_a_folder_of_ours(tmp_path: Path) -> None:
    program = (
        "from warmstart.cli import main; main(['list', 'methods', 'wsrl']);"
        "import jax; print(jax.config.jax_compilation_cache_dir)"
    )
    env = {**os.environ, "COLUMNS": "80"}
    said = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
    )
    folder = Path(said.stdout.splitlines()[-1])
    assert folder.parent == tmp_path and folder.is_dir() and folder.stat().st_mode & 0o077 == 0


def test_another_processor_or_version_has_another_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = set()
    for machine, version in (("a", "1"), ("b", "1"), ("a", "2"), ("a", "1")):
        monkeypatch.setattr(compiled.platform, "machine", lambda machine=machine: machine)
        monkeypatch.setattr(compiled.metadata, "version", lambda _, version=version: version)
        keep_compiled()
        folders.add(os.environ.pop(KEPT))
    assert len(folders) == 3


def test_who_says_otherwise_has_the_last_word(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WARMSTART_COMPILED", "")
    keep_compiled()
    assert KEPT not in os.environ
    monkeypatch.setenv(KEPT, "mine")
    monkeypatch.setenv("WARMSTART_COMPILED", str(tmp_path / "other"))
    keep_compiled()
    assert os.environ[KEPT] == "mine" and not (tmp_path / "other").exists()


def test_a_folder_that_cannot_be_made_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WARMSTART_COMPILED", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING, "warmstart"):
        keep_compiled()
    assert KEPT not in os.environ and "are not kept" in caplog.text


def test_a_kept_program_that_was_cut_is_compiled_anew_without_a_word(tmp_path: Path) -> None:
    program = (
        "import os; os.environ['JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS'] = '0';"
        "from warmstart.commands.compiled import keep_compiled; keep_compiled();"
        "import jax; print(jax.jit(lambda x: x * 3)(2))"
    )
    for _ in range(2):
        said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert (said.stdout, said.stderr) == ("6\n", "")
        kept = [path for path in tmp_path.rglob("*-cache") if path.is_file()]
        assert kept
        for path in kept:
            path.write_bytes(path.read_bytes()[:100])
