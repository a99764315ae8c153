"""docs/tasks.md says of every task what the catalogue and the record of made data say."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import tasks_table as table
from warmstart.commands.parse import parse
from warmstart.errors import TaskError
from warmstart.tasks import TASKS, get_task


def test_the_page_is_what_the_command_writes() -> None:
    assert table.PAGE.read_text() == table.page(), "run `python docs/make_docs.py`"
    assert all(f"| `{name}` |" in table.tables() for name in TASKS)


def test_the_record_is_of_tasks_that_are_made_here() -> None:
    assert all(table.made_here(get_task(name)) for name in table.record())
    assert "pointmaze-large" in table.record()
    for name in table.record():
        assert parse(["data", "make", name]).do.task == name


def test_the_command_measures_writes_and_recognises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARMSTART_DATA", str(tmp_path / "made"))
    monkeypatch.setattr(table, "RECORD", tmp_path / "tasks.json")
    monkeypatch.setattr(table, "PAGE", tmp_path / "tasks.md")
    table.PAGE.write_text(f"By hand.\n\n{table.MARK}\n\nold")
    monkeypatch.setattr("sys.argv", ["tasks_table", "jax-pointmass"])
    table.main()
    found: dict[str, Any] = json.loads(table.RECORD.read_text())
    mass = found["jax-pointmass"]
    assert (mass["rows"], mass["episodes"]) == (2000, 40)
    assert mass["score"] == pytest.approx(100 * (mass["return"] + 55) / 49, abs=0.1)
    text = table.PAGE.read_text()
    assert text.startswith("By hand.") and "old" not in text
    assert "2,000 (40)" in text and "not measured yet" in text and "your own file" in text
    table.main()
    assert json.loads(table.RECORD.read_text()) == found


def test_the_return_of_a_stream_is_that_of_an_episodes_steps() -> None:
    found = {"return": {"mean": 2.0}, "episodes": 10, "rows": 200}
    assert table.mean_return(get_task("maze2d-umaze"), found) == pytest.approx(2 / 20 * 300)
    assert table.mean_return(get_task("pointmaze-umaze"), found) == 2.0


def test_a_task_without_a_maker_is_not_measured() -> None:
    with pytest.raises(TaskError, match="name tasks with a maker"):
        table.measure(get_task("antmaze-umaze"))
