"""Pages, tables, figures and eligibility from results alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from made_results import NUMERICS, result

from warmstart.studies import study_page as page
from warmstart.studies import verdicts
from warmstart.studies.arm_tables import rows
from warmstart.studies.bundles import STUDIES
from warmstart.studies.claims import CLAIMS
from warmstart.studies.curves import MOST, curves, panels
from warmstart.studies.eligible import eligible
from warmstart.studies.evidence import gather
from warmstart.studies.judge import judge
from warmstart.studies.store import Store


@pytest.fixture(autouse=True)
def numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (page, verdicts):
        monkeypatch.setattr(module, "numerics", lambda: NUMERICS)


def filled(folder: Path) -> Store:
    store = Store(folder)
    for seed in range(5):
        store.add(result("wsrl", seed, (60, 58, 60, 62, 70, 90 + seed)))
        store.add(result("no-warmup", seed, (60, 10, 15, 30, 50, 70), frozen=()))
    return store


def test_the_page_needs_nothing_else_and_says_what_would_have_refuted(tmp_path: Path) -> None:
    filled(tmp_path / "results")
    (tmp_path / "results" / "wsrl" / "here" / "wsrl-s9-0.json").write_text("{")
    out = page.write_page(STUDIES["wsrl"], tmp_path / "results", tmp_path / "out")
    text = out.read_text()
    assert out.name == "wsrl.html" and "<svg" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert CLAIMS["B3"].refuted in text and "holds" in text and "is damaged" in text
    assert "<td>wsrl</td><td>5</td><td>60.0</td>" in text
    empty = page.html_of(STUDIES["td3"], gather([], NUMERICS))
    assert "appear with the first result" in empty and CLAIMS["D1"].text in empty


def test_verdicts_of_all_claims(tmp_path: Path) -> None:
    filled(tmp_path)
    found, said = verdicts.verdicts(tmp_path)
    assert [v.claim.id for v in found] == list(CLAIMS) and not said
    by_id = {v.claim.id: v for v in found}
    assert by_id["B3"].outcome == "holds" and by_id["B3"].seeds == 5
    assert by_id["D1"].outcome == "not run"
    assert verdicts.effects(by_id["B3"]) == "+48.00 [+48.00, +48.00]"
    assert verdicts.effects(by_id["D1"]) == ""


def test_factors_are_shown_as_factors() -> None:
    results = [
        result(arm, s, diagnose={"td_offline": ((0, 1.0), (250, v))})
        for s in range(5)
        for arm, v in (("wsrl", 2.0), ("no-warmup", 8.0))
    ]
    shown = verdicts.effects(judge(CLAIMS["B8"], gather(results, NUMERICS)))
    assert shown.startswith("x4.00 [x4.00")


def test_rows_and_their_gaps_to_the_first_arm(tmp_path: Path) -> None:
    units = gather(filled(tmp_path).read()[0], NUMERICS).units
    first, second = rows(units, ("wsrl", "no-warmup", "gone"))
    assert first.means["final"] == 92.0 and first.gap is None
    assert second.means["dip"] == 50.0 and second.gap is not None
    assert float(second.gap.effect) == -22.0
    assert second.means["dip beyond noise"] == 50.0  # the control is the other arm's
    assert first.cells()[:3] == ["wsrl", "5", "60.0"]


def test_panels_hold_no_more_arms_than_there_are_colours() -> None:
    names = [f"a{i}" for i in range(MOST + 1)]
    units = gather([result(n, s) for n in names for s in (0, 1)], NUMERICS).units
    assert [len(arms) for _, arms in panels(units, names)] == [MOST, 1]
    figure = curves(units, names)
    assert figure is not None and len(figure.axes) == 2
    assert curves({}, names) is None


@pytest.mark.parametrize(
    ("offline", "floor", "says"),
    [
        (((500, 55.0), (1_000, 60.0)), 5.0, "eligible"),
        (((500, 30.0), (1_000, 60.0)), 5.0, "still moves by +30"),
        (((500, 90.0), (1_000, 92.0)), 5.0, "outside 15 to 85"),
        (((1_000, 60.0),), 5.0, "one point"),
        (((500, 20.0), (1_000, 20.0)), 18.0, "no room to fall"),
        ((), None, "no results"),
    ],
)
def test_a_task_is_eligible_by_its_pre_training_alone(offline, floor, says: str) -> None:
    results = [
        dataclasses.replace(result("pre", s, pretraining=None), offline=offline, curve=())
        for s in range(3)
    ]
    found = eligible(results, "pre", "here", floor)
    assert says in found.why and found.eligible == (says == "eligible")
