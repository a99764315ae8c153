"""A run goes on with the rows that it began with, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

Called = Callable[..., tuple[int, str, str]]
FEW = ("--pretrain-steps", "2", "--episodes", "1", "--fixed-episodes", "1")


def test_data_that_changed_since_the_run_began(
    call: Called, pendulum: Callable[..., str], tmp_path: Path
) -> None:
    path = pendulum()
    task = (
        "--env",
        "Pendulum-v1",
        "--horizon",
        "4",
        "--data",
        path,
        "--ignore",
        "longer-than-limit",
    )
    code, _, err = call("pretrain", "bc", *task, *FEW, "--set", "nets.hidden=[4]", "--name", "p")
    assert code == 0, err
    run = tmp_path / "runs" / "p"
    (run / "finished.json").unlink()
    before = sorted(file.name for file in (run / "checkpoints").iterdir())
    with np.load(path) as held:
        columns = dict(held)
    pendulum(**{**columns, "rewards": columns["rewards"] * 2})
    arm = ("finetune", "bc", "--from", str(run), "--steps", "4", "--set", "nets.hidden=[4]")
    for line in (("resume", str(run)), arm):
        code, _, err = call(*line)
        assert code == 2 and "are not those that the run" in err and "logged.npz" in err, err
    assert sorted(file.name for file in (run / "checkpoints").iterdir()) == before
    np.savez(path, **columns)
    assert call("resume", str(run))[0] == 0
