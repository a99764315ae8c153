"""The commands that look at runs: evaluate, report."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table

from warmstart import api
from warmstart.commands.options import Evaluate, Report
from warmstart.errors import RunError
from warmstart.runs.summary import table


def look(given: Evaluate | Report) -> int:
    """Do it, and print what came out. Raises WarmstartError."""
    return evaluate(given) if isinstance(given, Evaluate) else report(given)


def evaluate(given: Evaluate) -> int:
    """Scores of every seed, as a table or JSON."""
    if given.episodes is not None and given.episodes < 1:
        raise RunError(f"--episodes {given.episodes} cannot be used; give 1 or more")
    which = "best" if given.best else "latest"
    scores = api.evaluate(
        given.run, episodes=given.episodes, which=which, allow_code=given.allow_code
    )
    if given.json:
        seeds = [{"seed": seed, **values} for seed, values in scores.items()]
        print(json.dumps({"run": str(given.run), "checkpoint": which, "seeds": seeds}))
        return 0
    played = next(iter(scores.values()))["episodes"]
    shown = Table(title=f"{given.run}, {which} checkpoint, {played} episodes")
    for column in ("seed", "score", "success", "return", "length"):
        shown.add_column(column, justify="left" if column == "seed" else "right")
    for seed, values in scores.items():
        shown.add_row(
            str(seed),
            f"{values['score']:.1f}",
            f"{100 * values['success']:.0f} %",
            f"{values['return_mean']:.1f} ± {values['return_std']:.1f}",
            f"{values['length_mean']:.0f}",
        )
    Console().print(shown)
    return 0


def report(given: Report) -> int:
    """The page, and of one run the table of the switch."""
    if not given.runs:
        raise RunError("no run is named; give one folder or several: warmstart report runs/NAME")
    page, summary = api.report(given.runs, given.out)
    console = Console()
    if len(given.runs) == 1:
        console.print(table(summary, api.floor(given.runs[0])))
    console.print(f"report: {page}", soft_wrap=True, highlight=False, markup=False)
    return 0
