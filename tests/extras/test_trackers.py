"""Weights & Biases and MLflow in their offline modes, as `--log` uses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from warmstart.cli import main
from warmstart.runs.records import read

WORDS = [
    *("run", "td3_bc", "jax-pointmass", "--preset", "quick", "--steps", "120", "--no-films"),
    *("--pretrain-steps", "40", "--episodes", "1", "--fixed-episodes", "1", "--no-compare"),
    *("--set", "learner.batch=8", "--set", "nets.hidden=8", "--set", "replay.warmup.steps=20"),
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WARMSTART_DATA", str(tmp_path / "made"))
    return tmp_path


def _scores() -> list[float]:
    return [line["values"]["score"] for line in read(Path("runs/one")) if line["kind"] == "eval"]


def test_weights_and_biases_offline(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import wandb

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    logged: list[Any] = []
    honest = wandb.sdk.wandb_run.Run.log

    def log(self: Any, data: Any, step: int | None = None, **more: Any) -> None:
        logged.append((data, step))
        honest(self, data, step=step, **more)

    monkeypatch.setattr(wandb.sdk.wandb_run.Run, "log", log)
    assert main([*WORDS, "--name", "one", "--log", "wandb"]) == 0
    (stored,) = here.glob("wandb/offline-run-*/*.wandb")
    assert stored.stat().st_size > 1_000
    told = [v for data, _ in logged for k, v in data.items() if k.endswith("/score")]
    assert told == _scores()


def test_mlflow_in_a_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", (here / "kept").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    assert main([*WORDS, "--name", "one", "--log", "mlflow"]) == 0
    found: Any = mlflow.search_runs(experiment_names=["warmstart"], output_format="list")
    (run,) = found
    assert run.info.run_name == "one" and run.info.status == "FINISHED"
    assert run.data.params["method"] == "td3_bc"
    final = run.data.metrics["seed_0/online/final/score"]
    assert final == pytest.approx(_scores()[-1])
