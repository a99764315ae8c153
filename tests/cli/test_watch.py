"""What one sees of a run, on a terminal and elsewhere."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest
from rich.console import Console

from warmstart.api import declare, watch
from warmstart.api import prepare as problem
from warmstart.api.watch import Watcher
from warmstart.engine import RunEvent


def progress(done: int, phase: str = "online") -> RunEvent:
    """Of a hundred."""
    return RunEvent("progress", phase, 0, 0, done, {"done": done, "total": 100})


def score(seed: int, value: float, tag: str = "curve", step: int = 50) -> RunEvent:
    """An evaluation online."""
    return RunEvent("eval", "online", 0, 0, step, {"score": value}, seed, tag)


def shown(events: list[RunEvent], terminal: bool = False) -> str:
    """All text of a run with two seeds."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120)
    declared = declare("td3_bc", "jax-pointmass", seeds=(0, 3), steps=100)
    facts = {"folder": Path("runs/it"), "declared": declared, "disk_bytes": 30_000_000}
    with Watcher(console) as watcher:
        watcher(RunEvent("begin", "pretrain", 0, 0, 0, facts))
        for event in events:
            watcher(event)
    return out.getvalue()


def test_it_begins_with_the_folder_the_five_answers_and_the_disk() -> None:
    text = shown([])
    assert text.startswith("run folder: runs/it\n")
    for word in ("pretrain", "handover", "replay", "acting", "finetune", "0, 3", "at most 30 MB"):
        assert word in text


def test_one_line_tells_the_scores_of_all_seeds() -> None:
    text = shown([score(0, 10.0), score(3, 30.0), score(0, 5.0, "frozen")])
    lines = [line for line in text.splitlines() if "seed 0" in line]
    assert len(lines) == 1
    assert "50 steps" in lines[0] and "seed 3: 30.0" in lines[0] and "mean: 20.0" in lines[0]


def test_without_a_terminal_lines_come_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown([progress(n) for n in range(1, 100)])
    assert "of 100 steps" not in text
    assert "online 100 of 100 steps" in shown([progress(1), progress(100)])
    monkeypatch.setattr(watch, "PLAIN_SECONDS", 0.0)
    text = shown([progress(1), progress(50)])
    assert "online 50 of 100 steps (" in text and "left)" in text


def test_on_a_terminal_there_is_a_bar_for_each_phase() -> None:
    text = shown([progress(5, "pretrain"), progress(9)], terminal=True)
    assert "100 updates" in text and "100 steps" in text and "━" in text


def test_remarks_of_the_library_become_lines() -> None:
    out = io.StringIO()
    with Watcher(Console(file=out)):
        logging.getLogger("warmstart.edge").warning("a remark")
    logging.getLogger("warmstart").handlers.clear()
    assert out.getvalue() == "a remark\n"


def test_making_the_data_of_a_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problem, "MAKING_SECONDS", 0.0)
    out = io.StringIO()
    with Watcher(Console(file=out, width=120)):
        problem.problem_of(declare("td3_bc", "jax-pointmass"))
    assert "making the data of jax-pointmass: 40 of 40" in out.getvalue()
    assert logging.getLogger("warmstart").level == logging.NOTSET
