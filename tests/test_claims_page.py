"""The page of all claims says what the results say."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))
import make_claims as make
import pytest

from warmstart.studies.claims import CLAIMS


def test_the_page_is_what_the_results_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warmstart.studies.verdicts.numerics", lambda: "of another machine")
    text = make.PAGE.read_text()
    assert text == make.page(), "run `python docs/make_claims.py`"
    assert all(f"**{name}{' ★' * claim.headline}** " in text for name, claim in CLAIMS.items())
