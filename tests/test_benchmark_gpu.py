"""What the accelerator's table makes of its timings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu


def test_a_million_updates_are_carried_on_from_one() -> None:
    line = gpu.Line("iql", 10, 0.3, 60.0)  # 0.3 ms for all ten
    assert line.total == pytest.approx(33_333, rel=1e-3)
    assert line.minutes == pytest.approx(5 + 1)
    assert str(line).split() == ["iql", "10", "0.300", "33,333", "18.0", "6.0", "60.0"]


def test_every_case_is_a_line_and_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def timed(learner: Any, seeds: int, repeats: int) -> tuple[float, float]:
        asked.append((learner, seeds, repeats))
        return 2.0 * seeds, 1.0

    monkeypatch.setattr(gpu, "update_ms", timed)
    monkeypatch.setattr(gpu, "maze_steps", lambda seeds, seconds: seeds * seconds)
    kept = tmp_path / "gpu.json"
    lines = gpu.main(["--seeds", "1,8", "--seconds", "4", "--json", str(kept)])
    assert [(line.name, line.seeds, line.ms) for line in lines] == [
        (name, seeds, 2.0 * seeds) for name in gpu.learners() for seeds in (1, 8)
    ]
    assert {repeats for _, _, repeats in asked} == {5}
    found = json.loads(kept.read_text())
    assert found["maze_steps"] == {"1": 4.0, "8": 32.0} and len(found["updates"]) == len(lines)
    assert "8 seeds:           32" in capsys.readouterr().out
