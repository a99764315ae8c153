"""The arithmetic of the comparison with other libraries, and one measurement of ours."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import peers


def test_above_one_we_are_faster() -> None:
    loop = peers.Case("loop", "sac", "Pendulum-v1", 256, "sbx")
    ours, theirs, ratio = peers.times(loop, {"ours": [10.0, 30.0, 20.0], "sbx": [5.0, 10.0, 10.0]})
    assert (ours, theirs, ratio) == (20.0, 10.0, 2.0)  # steps a second: more is faster
    update = peers.Case("update", "sac", "-", 256, "sbx")
    ours, theirs, ratio = peers.times(update, {"ours": [4.0, 5.0], "sbx": [8.0, 5.0]})
    assert (ours, theirs, ratio) == (4.5, 6.5, 1.5)  # milliseconds: less is faster


def test_the_table_has_what_was_paired() -> None:
    case = peers.UPDATES[0]
    rows = list(peers.table({case.name: {"ours": [2.0], case.peer: [3.0]}, "other": {}}))
    assert len(rows) == 2 and "1.50" in rows[1] and case.name in rows[1]


def test_cases_have_names_of_their_own() -> None:
    names = [case.name for case in (*peers.LOOPS, *peers.UPDATES)]
    assert len(set(names)) == len(names) == 15


def test_what_is_kept_is_measured_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []

    def measured(case: peers.Case, whose: str, python: Path, seconds: float) -> float:
        said.append(f"{case.name} {whose}")
        return 2.0 if whose == "ours" else 4.0

    monkeypatch.setattr(peers, "measured", measured)
    kept = tmp_path / "peers.json"
    words = ["peers", "--python", sys.executable, "--pairs", "2", "--json", str(kept)]
    monkeypatch.setattr(sys, "argv", [*words, "--only", "update iql"])
    peers.main()
    assert len(said) == 4 and "2.00" in capsys.readouterr().out
    peers.main()
    assert len(said) == 4
    assert json.loads(kept.read_text()) == {
        "update iql, 256 x 256, d3rlpy": {"ours": [2.0, 2.0], "d3rlpy": [4.0, 4.0]}
    }


def test_without_their_environment_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["peers", "--python", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match="`make bench-peers` makes it"):
        peers.main()
