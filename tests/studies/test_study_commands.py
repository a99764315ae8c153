"""`warmstart study`: what it prints, and wrong words as one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_results import NUMERICS, result

from warmstart.cli import main
from warmstart.studies import verdicts
from warmstart.studies.claims import CLAIMS
from warmstart.studies.store import Store

OWN = """
from warmstart.studies.study import Arm, Study
STUDY = Study("own", "Mine.", {}, {"alone": Arm("td3")}, ("jax-pointmass",), "quick", 100)
NOTHING = 3
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(OWN)


def test_list_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["wsrl"]["bundle"] == "R2" and "B3" in rows["wsrl"]["claims"]
    assert main(["study", "show", "R6", "--arms", "td3-kept,td3_bc-kept", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert set(shown["arms"]) == {"td3-kept", "td3_bc-kept"} and shown["claims"] == ["D1", "D5"]
    assert ["hopper-medium", "td3_bc-pre"] in shown["unknown"]
    assert main(["study", "show", "mine.py", "--seeds", "2"]) == 0
    said = capsys.readouterr().out
    assert "own: Mine." in said and "2 seeds of each task: 0.0 core-hours" in said
    assert "--probe" in said


def test_verdicts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "numerics", lambda: NUMERICS)
    store = Store()
    for seed in range(5):
        store.add(result("wsrl", seed, (60, 58, 60, 62, 70, 90)))
        store.add(result("no-warmup", seed, (60, 10, 15, 30, 50, 70), frozen=()))
    torn = store.add(result("neither", 0))
    torn.write_text(torn.read_text()[:90])
    assert main(["study", "verdicts", "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    found = {v["claim"]: v for v in out["verdicts"]}
    assert list(found) == list(CLAIMS)
    assert found["B3"]["verdict"] == "holds" and found["B3"]["seeds"] == 5
    part = found["B3"]["tasks"][0]["parts"][0]
    assert part["effect"] == 48.0 and part["least"] == 5.0 and part["seeds"] == [0, 1, 2, 3, 4]
    assert found["D24"]["verdict"] == "not run" and found["D24"]["reason"]
    assert len(out["left_out"]) == 1 and str(torn) in out["left_out"][0]
    assert main(["study", "verdicts", "--claims", "B3,d1"]) == 0
    said = capsys.readouterr().out
    assert "holds" in said and "not run" in said and "left out" in said.replace("\n", " ")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("study run wrsl", "no study 'wrsl'. Did you mean 'wsrl'"),
        ("study show wsrl --arms wrsl", "no arm 'wrsl'"),
        ("study show wsrl --tasks pointmaze-hug", "Did you mean 'pointmaze-"),
        ("study verdicts --claims B99", "no claim 'B99'"),
        ("study run mine.py:OTHER", "no study 'OTHER'"),
        ("study run mine.py:NOTHING", "no study 'NOTHING'"),
        ("study run gone.py", "no file"),
        ("study run mine.py --workers 0", "leaves nobody"),
        ("study run mine.py --seeds 1,1", "different whole numbers"),
        ("study run mine.py --steps 0", "--steps 0 cannot be used"),
        ("study run mine.py --hours 0", "--hours 0"),
        ("study run mine.py --diagnose-every 0", "--diagnose-every 0"),
        ("study run mine.py --tasks ,", "--tasks names none"),
        ("study show mine.py --seeds 0", "--seeds 0 cannot be used"),
        ("study run mine.py --on moon", "moon"),
        ("study rum mine.py", "Did you mean 'run'"),
    ],
)
def test_wrong_words(line: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    assert says in err and len(err.strip().splitlines()) == 1 and not out
    assert not Path("studies").exists()
