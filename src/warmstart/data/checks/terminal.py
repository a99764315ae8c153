"""The report on a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from warmstart.data.checks.examine import Examination
from warmstart.data.checks.finding import Finding
from warmstart.data.checks.findings import ISSUES

COLOURS = {"error": "bold red", "warning": "yellow", "note": "cyan"}
MOST = 8
"""Numbers of a list that are shown."""


def page(report: Examination) -> RenderableType:
    """Head, one row a finding, and the verdict."""
    environment = report.facts["environment"]
    against = f"compared with {environment}" if environment else "compared with no environment"
    episodes = report.facts["episodes"]
    count = "" if episodes is None else f" in {episodes:,} episodes"
    head = Text(f"{report.source}\n", overflow="fold")
    head.append(f"{report.facts['rows']:,} rows{count}, {against}", "dim")
    return Group(head, _table(report), verdict(report))


def _table(report: Examination) -> Table:
    shown = Table(show_lines=True, expand=False)
    shown.add_column("finding", no_wrap=True)
    shown.add_column("what, where, numbers", ratio=3, overflow="fold")
    shown.add_column("fix", ratio=2, overflow="fold")  # an option is to be copied whole
    for finding in report.findings:
        name = Text(f"{finding.grade}\n", COLOURS[finding.grade]).append(finding.name, "bold")
        said = Text(_capital(finding.what) + ".")
        said.append(f"\n{finding.where}", "dim")
        if finding.numbers:
            said.append(f"\n{numbers(finding)}", "dim")
        shown.add_row(name, said, Text(finding.fix))
    return shown


def verdict(report: Examination) -> Text:
    """One line: how many errors, warnings and notes, and what follows."""
    errors, warnings = len(report.errors), len(report.of("warning"))
    count = f"{_plural(errors, 'error')}, {_plural(warnings, 'warning')}, "
    count += _plural(len(report.of("note")), "note")
    if errors:
        return Text(f"{count}: a run on these data stops before it begins", COLOURS["error"])
    if not warnings:
        return Text(f"{count}: nothing in the way of learning", COLOURS["note"])
    vain = dict.fromkeys(f.name for f in report.of("warning") if ISSUES[f.name].vain)
    if vain:
        follows = f"a run begins, but there is little to learn from these data ({', '.join(vain)})"
    else:
        follows = "a run begins; what is warned of may spoil it"
    return Text(f"{count}: {follows}", COLOURS["warning"])


def numbers(finding: Finding) -> str:
    """`share 0.2, lengths 3`: what was measured, in one line."""
    return ", ".join(
        f"{name.replace('_', ' ')} {_number(value)}"
        for name, value in finding.numbers.items()
        if value is not None
    )


def _number(value: Any) -> str:
    if isinstance(value, list):
        more = ", ..." if len(value) > MOST else ""
        return "[" + ", ".join(_number(item) for item in value[:MOST]) + more + "]"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
