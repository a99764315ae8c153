"""`ws.compare`: methods, tasks and seeds as one table and one figure."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_runs import Here

import warmstart as ws
from warmstart.errors import RecipeError, RunError, TaskError
from warmstart.studies import compare as module
from warmstart.studies import runner as drive
from warmstart.studies.study import Arm


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> Here:
    pretends = Here()
    monkeypatch.setattr(drive, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(module, "make_executor", lambda on, workers: pretends)
    return pretends


def test_methods_tasks_and_seeds_side_by_side(tmp_path: Path, here: Here) -> None:
    methods = {
        "plain": "td3",
        "slow": {"method": "td3", "finetune.learner.tau": 0.001},
        "own": Arm("td3_bc"),
    }
    found = ws.compare(methods, "jax-pointmass", (0, 1), preset="quick", folder=tmp_path)
    assert [row.arm for row in found.rows] == ["plain", "slow", "own"]
    assert all(row.seeds == (0, 1) for row in found.rows)
    assert found.rows[1].gap is not None and float(found.rows[1].gap.effect) == 0.0
    assert found.figure is not None and len(found.figure.axes) == 1
    html = found._repr_html_()
    assert "<svg" in html and "<td>slow</td>" in html
    ws.compare(methods, ["jax-pointmass"], (0, 1), preset="quick", folder=tmp_path)
    assert len(here.submitted) == 2  # nothing is run twice
    task = ws.custom_task("Pendulum-v1", reference=(-1000.0, 0.0))
    pair = ws.compare(["td3"], [task, "jax-pointmass"], (0,), steps=100, folder=tmp_path)
    assert [row.task for row in pair.rows] == [task.name, "jax-pointmass"]


@pytest.mark.parametrize(
    ("methods", "tasks", "seeds", "error"),
    [
        (["tdd3"], "jax-pointmass", (0,), RecipeError),
        (["td3"], "jax-pointmas", (0,), TaskError),
        (["td3"], [], (0,), RunError),
        ([], "jax-pointmass", (0,), RunError),
        (["td3", "td3"], "jax-pointmass", (0,), RunError),
        ({"a": {"tau": 1}}, "jax-pointmass", (0,), RunError),
        (["td3"], "jax-pointmass", (0, 0), RunError),
        (["td3"], ["jax-pointmass", "jax-pointmass"], (0,), RunError),
    ],
)
def test_what_cannot_be_compared(methods, tasks, seeds, error, tmp_path: Path, here: Here) -> None:
    with pytest.raises(error):
        ws.compare(methods, tasks, seeds, folder=tmp_path)
    assert not here.submitted
