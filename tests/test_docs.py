"""What the documents repeat of the code is what the code says."""

from __future__ import annotations

import inspect
import json
import re
import shlex
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))
import make_docs as make

from warmstart.commands.parse import parse
from warmstart.methods import METHODS

PAGES = make.pages()
TRACES = json.loads((make.ROOT / "tests" / "golden" / "traces.json").read_text())


def test_the_readme_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\((docs/[\w./-]+)\)", (make.ROOT / "README.md").read_text()))
    pages = {f"docs/{path.name}" for path in (make.ROOT / "docs").glob("*.md")}
    assert pages <= linked and all((make.ROOT / link).exists() for link in linked)


def test_every_method_has_a_page_and_every_page_a_method() -> None:
    found = {path.stem for path in make.PAGES.glob("*.md")}
    assert found - {make.INDEX.stem, "add-your-own"} == set(METHODS)


def test_a_page_names_the_equations_that_its_parts_reach_by_helpers_too() -> None:
    rows = {row.split("`")[1]: row for row in make.code(METHODS["fql"]).splitlines() if "`" in row}
    assert {"flow_matching_loss", "cloning_error"} <= set(re.findall(r"`(\w+)`", rows["Distilled"]))
    assert "`soft_value`" in rows["SampledBackup"] and "flow_matching" not in rows["SampledBackup"]


def test_a_page_says_what_crosses_where_something_is_pre_trained() -> None:
    said = {name: make.switch(method) for name, method in METHODS.items()}
    assert {name for name, table in said.items() if table} == {
        name for name, method in METHODS.items() if method.recipe().pretrain
    }
    assert "| critic target | kept | as pre-trained |" in said["wsrl"][0]
    assert "| conservatism multiplier | dropped | the online learner has none" in said["wsrl"][0]


def test_the_index_has_every_method_once() -> None:
    assert make.INDEX.read_text() == make.index(), "run `python docs/make_docs.py`"
    grouped = [name for members in make.GROUPS.values() for name in members if name in METHODS]
    assert sorted(grouped) == sorted(METHODS)
    assert all(f"[`{name}`]({name}.md)" in make.index() for name in METHODS)
    linked = re.findall(r"\]\((\S+?)\)", make.INDEX.read_text())
    assert all((make.PAGES / link).exists() for link in linked)


@pytest.mark.parametrize("name", PAGES)
def test_a_picture_stands_beside_its_numbers(name: str) -> None:
    numbers, text = make.measured(name), PAGES[name].read_text()
    assert numbers is not None and numbers["method"] == name
    parse(shlex.split(numbers["command"])[1:])
    picture = make.PAGES / "figures" / f"{name}.svg"
    assert f"(figures/{name}.svg)" in text and 0 < picture.stat().st_size < 60_000
    assert f"{numbers['overall']['score_final']:.0f} at the end" in text


@pytest.mark.parametrize(("task", "final", "told"), [
    ("two-rooms", 5.9, True), ("two-rooms", 6.1, False), ("Pendulum-v1", -1600.0, False),
])  # fmt: skip
def test_a_run_that_ends_at_the_floor_says_so(task: str, final: float, told: bool) -> None:
    scores = {"score_before": None, "score_min": final, "score_final": final}
    run = {"task": task, "preset": "quick", "score": "score", "updates": 0, "steps": 10,
           "seeds": [0], "overall": scores}  # fmt: skip
    said = make.shown(run, "sac", "sac.svg")
    assert ("scores 1.0, by uniform random actions: here the method fails" in said) == told


def test_the_page_of_the_domains_shows_each_run_that_was_made() -> None:
    text = make.DOMAINS.read_text() if make.DOMAINS.exists() else ""
    assert text == make.domains(), "run `python docs/make_docs.py`"
    for path in (make.ROOT / "docs" / "domains").glob("*.json"):
        numbers = json.loads(path.read_text())
        parse(shlex.split(numbers["command"])[1:])
        assert numbers["command"] in text and f"(domains/{path.stem}.svg)" in text
        assert 0 < path.with_suffix(".svg").stat().st_size < 60_000


def test_the_list_of_methods_is_that_of_the_methods() -> None:
    assert make.LISTED.read_text() == make.listed(), "run `python docs/make_docs.py`"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_repeats_its_method(name: str) -> None:
    assert PAGES[name].read_text() == make.page(name), "run `python docs/make_docs.py`"
    text = inspect.cleandoc(METHODS[name].__doc__ or "")
    page = re.sub(r"\s+", " ", PAGES[name].read_text())
    for part in (text.partition("\n\n")[0], text.partition("**Differences.** ")[2]):
        assert part and re.sub(r"\s+", " ", part) in page


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_tells_to_watch_is_logged(name: str) -> None:
    watched = PAGES[name].read_text().partition("## What to watch")[2].partition("\n## ")[0]
    names = [word for line in re.findall(r"^- (.+?):", watched, re.M) for word in _ticked(line)]
    logged = {
        key for phase, trace in TRACES.items() if phase.split()[0] == name for key in trace[0]
    }
    assert names and set(names) <= logged


@pytest.mark.parametrize("name", PAGES)
def test_a_page_prints_a_run_of_its_method(name: str) -> None:
    """That they work is tried in `pages/test_commands_of_docs.py`."""
    assert re.search(rf"^warmstart run {name} ", PAGES[name].read_text(), re.M)


def _ticked(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)
