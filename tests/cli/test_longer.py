"""A run that is declared longer, and what Python users see and mistype."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import warmstart as ws
from warmstart.errors import RunError

Called = Callable[..., tuple[int, str, str]]
NUMBERS = {
    "preset": "quick",
    "changes": {"nets.hidden": (8,), "learner.batch": 4, "replay.warmup.steps": 4},
    "schedule": {"episodes": 1, "fixed_episodes": 1, "online_every": 0, "early": (0,)},
    "steps": 12,
}


def test_a_finished_run_goes_further(
    call: Called, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ws.run("td3", "jax-pointmass", name="it", **NUMBERS)  # type: ignore[arg-type]
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("run folder: runs/it\n")  # and not silent, nor long
    assert "12 of 12 steps" in shown.err and "at the end" in shown.err
    assert shown.err.count("\n") < 8
    code, _, err = call("resume", "runs/it")
    assert code == 2 and "warmstart resume runs/it --steps N" in err
    code, _, err = call("resume", "runs/it", "--steps", "12")
    assert code == 2 and "declared with 12 online steps; --steps 12 is not more" in err
    code, out, err = call("resume", "runs/it", "--steps", "20")
    assert code == 0, err
    assert "What is learnt is that of a run declared with 20 steps." in out
    facts = json.loads(Path("runs/it/run.json").read_text())
    assert facts["recipe"]["finetune"]["steps"] == 20
    assert "--set finetune.steps=20" in facts["command"]
    [once] = facts["extensions"]
    assert (once["from"], once["to"]) == (12, 20) and len(once["remarks"]) == 2
    done = ws.resume("runs/it", steps=24, progress=False)
    assert capsys.readouterr().err == ""
    assert done.declared.recipe.finetune.steps == 24
    evals = [r for r in done.metrics if r["kind"] == "eval" and r["tag"] == "final"]
    assert [r["env_steps"] for r in evals] == [12, 20, 24]
    assert done.summary[0].score_final == evals[-1]["values"]["score"]
    facts = json.loads(Path("runs/it/run.json").read_text())
    assert [e["to"] for e in facts["extensions"]] == [20, 24]
    assert Path("runs/it/finished.json").exists()


@pytest.mark.parametrize(
    ("function", "given", "says"),
    [
        (
            ws.run,
            {"pretrain_step": 5},
            r"no argument 'pretrain_step'\. Did you mean 'pretrain_steps' or '(?!pretrain_steps)",
        ),
        (ws.pretrain, {"offline_every": 500}, r'schedule=\{"offline_every": 500\}'),
        (ws.pretrain, {"schedul": {}}, r"pretrain takes no argument 'schedul'.*'schedule'"),
        (ws.run, {"nam": "it"}, r"run takes no argument 'nam'.*'name'"),
    ],
)
def test_a_mistyped_argument_is_named(
    function: Callable[..., Any], given: dict[str, Any], says: str
) -> None:
    with pytest.raises(RunError, match=says):
        function("td3_bc", "jax-pointmass", **given)
    assert not Path("runs").exists()
