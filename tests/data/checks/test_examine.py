"""The whole report, and the one place that stops a run."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from ill import SICK, Patient, clean, maze, spec_only, spoil
from rich.console import Console

from warmstart.data.checks import ISSUES, check_ignored, examine, require_clean
from warmstart.data.checks.terminal import page
from warmstart.errors import DataError, RunError

DOCS = Path(__file__).parents[3] / "docs"
KEYS = {"name", "grade", "what", "where", "fix", "rows", "count", "numbers"}


def test_errors_come_first_and_the_report_is_json() -> None:
    report = examine(spoil("obs", (4, 1), np.nan))
    grades = [finding.grade for finding in report.findings]
    assert grades == sorted(grades, key=["error", "warning", "note"].index)
    told = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert set(told) == {
        "data", "rows", "episodes", "environment", "errors", "warnings", "notes", "findings",
    }  # fmt: skip
    assert all(set(finding) == KEYS for finding in told["findings"])
    assert told["errors"] == 1 and told["rows"] == 54 and told["episodes"] == 6
    assert told["findings"][0]["name"] == "not-finite" and told["findings"][0]["rows"] == [4]


def test_the_schema_page_names_every_key() -> None:
    text = (DOCS / "schema.md").read_text()
    told = text[text.index("`data check DATA`") :]
    for key in KEYS | set(examine(clean()).to_json()) | {"figure"}:
        assert f"`{key}`" in told, key


def test_the_documentation_has_every_finding_as_it_is() -> None:
    text = (DOCS / "data.md").read_text()
    for name, issue in ISSUES.items():
        grades = issue.grades + (", cannot be ignored" if issue.fatal else "")
        assert f"| `{name}` | {grades} | {issue.meaning} | {issue.fix} |" in text, name


def test_the_terminal_shows_everything() -> None:
    console = Console(width=100, record=True, file=StringIO())
    console.print(page(examine(spoil("obs", (4, 1), np.nan))))
    text = console.export_text()
    assert "not-finite" in text and "row 4" in text and "Remove the" in text
    assert "1 error, 0 warnings" in text and "stops before it begins" in text
    console.print(page(examine(clean())))
    assert "nothing in the way of learning" in console.export_text()


def test_a_long_option_is_shown_whole_in_a_narrow_terminal() -> None:
    option = "--obs-offset=" + ",".join(["1700000001.5"] * 9)
    report = examine(spoil("obs", (4, 1), np.nan))
    first = replace(report.findings[0], fix=f"Take an offset away, with {option}.")
    console = Console(width=80, record=True, file=StringIO())
    console.print(page(replace(report, findings=(first, *report.findings[1:]))))
    cells = [line.split("│")[3] for line in console.export_text().splitlines() if "│" in line]
    assert option in "".join(cell.strip() for cell in cells)


def test_the_first_error_is_raised_with_the_fix_and_the_name() -> None:
    data = spoil("rewards", 2, np.inf, spoil("actions", 0, 9.0))
    with pytest.raises(DataError) as refused:
        require_clean(data)
    text = str(refused.value)
    said = "rewards hold numbers that are NaN, infinite or too large for float32 (row 2)"
    assert text.startswith(f"clean.npz: {said}")
    assert "further errors: actions-outside" in text and "Remove the episodes" in text
    assert text.endswith(
        "To go on all the same: --ignore not-finite (in Python ignore=['not-finite'])"
    )
    with pytest.raises(DataError, match="--ignore actions-outside"):
        require_clean(data, ignore=["not-finite"])
    assert not require_clean(data, ignore=["not-finite", "actions-outside"])


def test_warnings_are_handed_on_unless_ignored() -> None:
    data = SICK["rewards-all-zero"]().data
    assert [finding.name for finding in require_clean(data)] == ["rewards-all-zero"]
    assert require_clean(data, ignore=["rewards-all-zero"]) == []


def test_what_nothing_can_be_learnt_from_cannot_be_ignored() -> None:
    with pytest.raises(DataError) as refused:
        require_clean(clean(), spec_only(4, 2))
    assert "observations have 3 numbers, the environment's have 4" in str(refused.value)
    assert "--ignore" not in str(refused.value)
    with pytest.raises(RunError, match="'other-action-size' cannot be ignored"):
        check_ignored(["other-action-size"])
    with pytest.raises(RunError, match="Did you mean 'rows-across-borders'"):
        check_ignored(["rows-accross-border"])
    assert check_ignored(["not-finite", "not-finite"]) == ("not-finite",)


def test_the_short_look_leaves_out_what_takes_long_and_finds_the_same_errors() -> None:
    case = maze()
    assert "returns" not in {f.name for f in examine(case.data, case.env, case.task, True).findings}
    for name, make in SICK.items():
        sick: Patient = make()
        if "error" in ISSUES[name].grades and not name.startswith("reward-"):
            short = examine(sick.data, sick.env, sick.task, short=True)
            assert name in {finding.name for finding in short.findings}, name


def test_numbers_that_are_missing_break_no_check() -> None:
    case = maze()
    for column in ("obs", "actions", "rewards", "next_obs"):
        sick = spoil(column, 5, np.nan, case.data)
        assert examine(sick, case.env, case.task).errors[0].numbers["column"] == column
    alone = replace(clean(1, 1), info={})
    assert not examine(alone).errors
