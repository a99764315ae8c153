"""The pictures of the methods' pages: drawn from numbers, and never made twice."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))
import make_figures as make

from warmstart.commands.parse import parse
from warmstart.methods import METHODS
from warmstart.tasks import TASKS


def _numbers(pretrained: bool) -> dict[str, Any]:
    online = {"steps": [0, 500, 1000], "scores": [[0.0, 10.0, 80.0], [20.0, 30.0, 100.0]]}
    offline = {"steps": [200, 400], "scores": [[0.0, 5.0], [10.0, 20.0]]}
    return {
        "updates": 400 if pretrained else 0,
        "steps": 1000,
        "warmup": 100,
        "score": "success rate (%)",
        "curve": {"pretrain": offline, "online": online} if pretrained else {"online": online},
    }


@pytest.mark.parametrize("pretrained", [True, False])
def test_the_same_numbers_give_the_same_small_picture(pretrained: bool, tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        make.save(make.draw(_numbers(pretrained)), tmp_path / name)
    text = (tmp_path / "a.svg").read_text()
    assert text == (tmp_path / "b.svg").read_text() and len(text) < 60_000
    assert ("the switch" in text) == ("gradient steps" in text) == pretrained
    assert "warm-up" in text and "success rate (%)" in text


def test_what_is_there_is_kept_and_what_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def finish(name: str) -> Path:
        if name == "sac":
            raise RuntimeError("sac did not finish")
        return tmp_path / name

    shown = {name: make.Shown(name, folder=tmp_path) for name in ("wsrl", "sac", "iql")}
    monkeypatch.setattr(make, "SHOWN", shown)
    monkeypatch.setattr(make, "finish", finish)
    monkeypatch.setattr(make, "numbers_of", lambda name, folder: {"name": name, **_numbers(True)})
    (tmp_path / "wsrl.json").write_text("kept")
    assert make.make(["wsrl", "sac", "iql"]) == 1
    assert (tmp_path / "wsrl.json").read_text() == "kept"
    assert not (tmp_path / "sac.json").exists()
    assert json.loads((tmp_path / "iql.json").read_text())["name"] == "iql"
    assert (tmp_path / "iql.svg").stat().st_size > 1_000
    told = capsys.readouterr().out
    assert "1 of 3 are there" in told and "sac did not finish" in told and "minutes left" in told


def test_returns_have_an_axis_of_their_own() -> None:
    numbers = _numbers(False) | {"score": "return"}
    low, high = make.draw(numbers).axes[0].get_ylim()
    assert low > -6 and high < 106 and (low, high) != (-4.0, 104.0)
    assert make.draw(_numbers(False)).axes[0].get_ylim() == (-4.0, 104.0)


@pytest.mark.parametrize("name", make.SHOWN)
def test_a_run_can_be_typed(name: str) -> None:
    given, shown = parse(make.SHOWN[name].words), make.SHOWN[name]
    assert given.preset in METHODS[shown.method].PRESETS and given.threads == 1
    assert given.method == shown.method
    assert (given.task or given.env) == shown.task
    assert given.task in TASKS if given.task else name in make.SCRATCH


def test_every_domain_of_the_catalogue_but_the_toys_has_a_run() -> None:
    assert {TASKS[shown.task].domain for shown in make.DOMAINS.values()} == {
        task.domain for task in TASKS.values()
    } - {"toy"}
