"""`python -m benchmarks.kills` and `python -m benchmarks.soak`, as small as they can be."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import kills, soak


@pytest.mark.laws
def test_a_killed_run_is_resumed_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "kills.jsonl"
    monkeypatch.setattr(kills, "MOMENTS", ("report",))
    monkeypatch.setitem(kills.SPAN, "report", 0.01)
    words = ["kills", "--kills", "1", "--each", "1", "--methods", "td3_bc", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", words)
    kills.main()
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    stopped = [line for line in lines if line.get("hit")]
    assert stopped[0]["hit"] == "report" and stopped[0]["code"] == -9 and stopped[0]["good"]
    assert lines[-1]["equal"] is True and lines[-1]["stops"] >= 1
    assert "td3_bc, another" in capsys.readouterr().out
    before = out.read_text()
    kills.main()  # there are enough
    assert out.read_text() == before


def test_the_table_counts_what_is_there(tmp_path: Path) -> None:
    lines = [
        {"method": "wsrl", "run": 0, "how": "SIGKILL", "hit": "saving", "good": True},
        {"method": "wsrl", "run": 0, "how": "SIGINT", "hit": "online", "good": False},
        {"method": "wsrl", "run": 0, "stops": 2, "equal": True},
    ]
    path = tmp_path / "kills.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    told = kills.table(path)
    assert "| wsrl, an actor-critic | 0 | 0 | 0 | 1 | 1 | 0 | 2 | 1, 1 |" in told
    assert "2 stops, 1 of them without" in told


def test_a_long_run_is_read_at_every_tenth(tmp_path: Path) -> None:
    found = soak.soak(400, tmp_path)
    assert sorted(found) == list(range(11))
    assert all(found[10][name] > 0 for name in ("memory", "files", "threads"))
