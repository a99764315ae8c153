"""A command line that can be called, and files that are wrong in one way each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from warmstart.cli import main

Told = tuple[int, str, str]
"""Exit code, standard output, standard error."""


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test in a folder of its own, with a data folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WARMSTART_DATA", str(tmp_path / "made"))
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """`call("run", "wsrl", ...)`: one command line in this process."""

    def called(*words: str) -> Told:
        code = main(list(words))
        out = capsys.readouterr()
        return code, out.out, out.err

    return called


@pytest.fixture
def refused(call: Callable[..., Told], tmp_path: Path) -> Callable[..., str]:
    """The same for a line that must end in one sentence, exit code 2, and no folder of a run."""

    def called(*words: str) -> str:
        code, out, err = call(*words)
        assert code == 2, out + err
        assert err.startswith("error: ") and err.count("\n") == 1, err
        assert "Traceback" not in out + err
        runs = tmp_path / "runs"
        assert not runs.exists() or not list(runs.iterdir())
        return err

    return called


@pytest.fixture
def pendulum(tmp_path: Path) -> Callable[..., str]:
    """`pendulum(name, actions=...)`: an NPZ file as logged in Pendulum-v1, with changed columns."""

    def write(name: str = "logged", **changed: Any) -> str:
        rng = np.random.default_rng(0)
        walk = rng.normal(size=(41, 3)).astype(np.float32)
        ends = np.zeros(40, bool)
        ends[9::10] = True
        columns = {
            "observations": walk[:-1],
            "actions": rng.uniform(-2, 2, size=(40, 1)).astype(np.float32),
            "rewards": rng.normal(size=40).astype(np.float32),
            "terminals": np.zeros(40, bool),
            "timeouts": ends,
            "next_observations": walk[1:],
            **changed,
        }
        path = tmp_path / f"{name}.npz"
        np.savez(path, **{k: v for k, v in columns.items() if v is not None})
        return str(path)

    return write
