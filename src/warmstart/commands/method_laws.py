"""`check`: the laws of a method, one line each as it is known."""

from __future__ import annotations

import dataclasses
import json

from rich.console import Console

from warmstart import api
from warmstart.commands.exits import FOUND_ERRORS
from warmstart.commands.options import Check


def laws(given: Check) -> int:
    """Print what holds and what does not; exit code 1 where something does not."""
    console, found = Console(highlight=False), []
    for law in api.check(given.method, preset=given.preset):
        found.append(law)
        if not given.json:
            grade = "[green]holds[/]" if law.holds else "[bold red]fails[/]"
            console.print(f"{grade}  {law.name}")
            console.print(f"       {law.seen}", markup=False, style="dim")
    if given.json:
        method = api.short_name(given.method)
        print(json.dumps({"method": method, "laws": [dataclasses.asdict(law) for law in found]}))
    return 0 if all(law.holds for law in found) else FOUND_ERRORS
