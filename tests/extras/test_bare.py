"""`pip install .` and nothing else: the first command runs, and what is missing is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import requires
from importlib.util import find_spec
from pathlib import Path

import warmstart

HERE = Path(__file__).resolve()


def _warmstart(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The installed command, in a folder where the repository is not in sight."""
    command = Path(sys.executable).parent / "warmstart"
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        [command, *words], cwd=folder, env=kept | {"COLUMNS": "80"}, text=True, capture_output=True
    )


def test_the_package_is_the_installed_one_and_stands_alone() -> None:
    assert HERE.parents[2] / "src" not in Path(warmstart.__file__).resolve().parents
    optional = ("mujoco", "gymnasium_robotics", "ogbench", "metaworld", "minari", "pyarrow")
    assert [name for name in optional if find_spec(name)] == []
    assert any("mujoco" in needed for needed in requires("warmstart") or ())


def test_the_first_command_runs_on_a_jax_task(tmp_path: Path) -> None:
    sizes = ["--pretrain-steps", "40", "--steps", "60", "--episodes", "2", "--seeds", "0,1"]
    small = ["--set", "nets.hidden=8", "--set", "learner.batch=8"]
    small += ["--set", "replay.warmup.steps=20"]
    done = _warmstart(tmp_path, "run", "wsrl", "jax-pointmass", *sizes, *small)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "report.html").stat().st_size > 10_000
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert {line["tag"] for line in lines if line["kind"] == "eval"} >= {"switch", "final"}


def test_a_task_of_a_missing_package_says_what_to_install(tmp_path: Path) -> None:
    done = _warmstart(tmp_path, "run", "wsrl", "pointmaze-large")
    assert done.returncode != 0 and "warmstart[mazes]" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
