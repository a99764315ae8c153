"""A study's curves and table on the page of the method that it is about."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from made_results import NUMERICS, result

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
import make_docs
import make_figures as make

from warmstart.methods import METHODS
from warmstart.studies.bundles import STUDIES
from warmstart.studies.store import Store


def test_every_study_of_a_page_is_there() -> None:
    assert set(make_docs.OF_STUDIES) <= set(METHODS)
    assert set(make_docs.OF_STUDIES.values()) <= set(STUDIES)


def test_results_become_a_picture_and_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(make, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(make, "METHOD_FIGURES", tmp_path / "figures")
    monkeypatch.setattr(make, "numerics", lambda: NUMERICS)
    monkeypatch.setattr(make_docs, "PAGES", tmp_path)
    assert make.make_study("flow") == 1 and "has no results" in capsys.readouterr().out
    assert make_docs.of_study("fql") == "" == make_docs.of_study("sac")
    for seed in range(5):
        for arm, end in (("fql", 90), ("iql", 70)):
            scores = (60, 58, 60, 62, 70, end + seed)
            told = {"study": "flow", "seconds": 720.0, "task": "cube"}
            made = result(arm, seed, scores, pretraining=f"{arm}-pre", **told)
            Store(tmp_path / "results").add(made)
    (tmp_path / "figures").mkdir()
    assert make.make_study("flow") == 0
    picture = (tmp_path / "figures" / "study-flow.svg").read_text()
    assert "iql" in picture and len(picture) < 60_000
    assert make.make_study("flow") == 0
    assert picture == (tmp_path / "figures" / "study-flow.svg").read_text()
    text = make_docs.of_study("fql")
    assert "| fql | 5 | 60.0 |" in text and "| iql | 5 | 60.0 |" in text and "`cube`" in text
    how = "warmstart study run flow --seeds 0,1,2,3,4 --steps 50000 --tasks cube --arms fql,iql"
    assert f"2.0 core-hours: `{how}`" in text  # what ran, no more
    assert make_docs.of_study("ppo") == ""
