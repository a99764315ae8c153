"""The search of the presets: who is in it, with what, and when a curve is flat."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.presets import search
from benchmarks.presets.panel import PANEL
from benchmarks.presets.settings import REFERENCES, SAME, SETTINGS
from warmstart.errors import RunError
from warmstart.methods import METHODS


def test_every_method_that_pre_trains_is_searched_once() -> None:
    pretrain = {name for name, m in METHODS.items() if m.recipe("quick").pretrain}
    assert pretrain == SETTINGS.keys() | SAME.keys() and not SETTINGS.keys() & SAME.keys()
    for name, other in SAME.items():
        mine, theirs = (METHODS[n].recipe("quick").pretrain for n in (name, other))
        assert mine == theirs, f"{name} no longer pre-trains as {other} does"


@pytest.mark.parametrize("method", SETTINGS)
def test_every_method_has_as_many_settings_and_each_is_another(method: str) -> None:
    settings = SETTINGS[method]
    assert next(iter(settings)) == "quick" and settings["quick"] == {}
    assert len(settings) == {"bc": 1, "bc_sac": 2}.get(method, 6)
    made = [METHODS[method].recipe("quick", **changes).pretrain for changes in settings.values()]
    assert all(recipe not in made[:i] for i, recipe in enumerate(made))


def test_names_of_the_same_search_are_one() -> None:
    known = [*SETTINGS]
    assert search._known(["pex", "jsrl"], known) == ["iql"]
    assert search._known(None, known) == known
    with pytest.raises(RunError, match="Did you mean 'iql'"):
        search._known(["iq"], known)


def test_a_curve_is_flat_over_a_fifth_of_its_length() -> None:
    def steady(*curve: tuple[int, list[float]]) -> bool:
        return search.steady({"curve": curve})

    assert steady((2_000, [10, 10]), (4_000, [85, 95]), (6_000, [95, 100]))
    assert not steady((2_000, [90, 90]), (4_000, [70, 80]), (6_000, [90, 100]))
    # two looks at nearly one place say nothing
    assert not steady((5_332, [40, 40]), (7_998, [90, 90]), (8_000, [90, 90]))


def test_looks_fall_on_the_end_of_every_place() -> None:
    assert all(p.updates % (4 if p.updates % 3 else 3) == 0 for p in PANEL)
    assert set(REFERENCES) <= SETTINGS.keys()
