"""When a run is counted as having begun."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import start
from warmstart.commands.parse import parse


def test_the_step_is_found_in_metrics_that_are_being_written(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.jsonl"
    assert not start.arrived(metrics)
    before = [{"phase": "pretrain", "env_steps": 999}, {"phase": "online", "env_steps": 249}]
    text = "".join(json.dumps(line) + "\n" for line in before)
    metrics.write_text(text + '{"phase": "online", "env_st')
    assert not start.arrived(metrics)
    metrics.write_text(text + '{"phase": "online", "env_steps": 250}\n')
    assert start.arrived(metrics)


def test_its_command_can_be_typed() -> None:
    given = parse(start.LINE.split())
    assert (given.method, str(given.seeds)) == ("wsrl", "0")
