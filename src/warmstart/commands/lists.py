"""The lists of methods and tasks."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from importlib.resources import files
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from warmstart.commands.options import List
from warmstart.errors import RecipeError, did_you_mean
from warmstart.files.data_root import data_root
from warmstart.tasks import TASKS, Task, floor_of, package_of

QUESTIONS = ("pretrain", "handover", "replay", "acting", "finetune")
WIDE = 120
"""Columns of a terminal from which on a row has room for everything."""


def tables(given: List) -> int:
    """Print one of them. Raises WarmstartError."""
    every = methods() if given.what == "methods" else tasks()
    rows = [row for row in every if _matches(row, given.matching)]
    if not rows:
        known = [*dict.fromkeys(row.get("domain") or row["name"] for row in every)]
        raise RecipeError(
            f"None of the {len(every)} {given.what} has '{given.matching}' in its name or domain. "
            f"{did_you_mean(str(given.matching), known)}"
        )
    if given.json:
        print(json.dumps(rows))
        return 0
    console = Console()
    wide = console.width >= WIDE
    console.print(_methods(rows, wide) if given.what == "methods" else _tasks(rows, wide))
    return 0


def _matches(row: dict[str, Any], word: str | None) -> bool:
    return word is None or word.lower() in f"{row['name']} {row.get('domain', '')}"


def methods() -> list[dict[str, Any]]:
    """What `list methods --json` prints; see docs/schema.md.

    Read from a file that docs/make_docs.py writes: a list is no reason to import JAX.
    """
    return json.loads((files("warmstart") / "methods" / "index.json").read_text())


def tasks() -> list[dict[str, Any]]:
    """What `list tasks --json` prints; see docs/schema.md."""
    return [
        {
            "name": task.name,
            "domain": task.domain,
            "description": task.description,
            "preset": task.preset,
            "horizon": task.horizon,
            "env_id": task.env_id,
            "simulator": "JAX" if task.jax_env else "Gymnasium",
            "score": "success rate" if task.success else "normalised return",
            "reward": {"scale": task.reward.scale, "bias": task.reward.bias},
            "discount": task.discount,
            "return_rule": task.return_rule,
            "reference": task.reference,
            "floor": _floor(task),
            "data": task.size_note,
            "success_reward": task.success_reward,
            "stands_in_for": task.stands_in_for or None,
            "extra": _extra(task),
            "data_made": bool(made := _made(task)),
            "made": made,
        }
        for task in TASKS.values()
    ]


def _floor(task: Task) -> dict[str, Any] | None:
    """What a policy that has learnt nothing scores; None where it was not measured."""
    floor = floor_of(task)
    return None if floor is None else {**dataclasses.asdict(floor), "policy": floor.policy}


def _extra(task: Task) -> str | None:
    """The extra of this package that installs the task's simulator; None: none is needed."""
    if task.env_id is None:
        return None
    package = package_of(task.env_id)
    return (package.extra or None) if package is not None else "locomotion"


def _made(task: Task) -> list[dict[str, Any]]:
    """The datasets of this task on this machine."""
    folders = sorted(data_root().glob(f"{task.name}-seed*-*"))
    if not folders:
        return []
    from warmstart.data.manifest import is_folder, read_manifest

    found = []
    for folder in folders:
        if is_folder(folder):
            manifest = read_manifest(folder)
            seed, rows = manifest["recipe"].get("seed"), manifest["statistics"]["rows"]
            found.append({"folder": str(folder), "seed": seed, "rows": rows})
    return found


def _methods(rows: list[dict[str, Any]], wide: bool) -> Table:
    shown = Table(title="Methods: five answers each" if wide else "Methods", show_lines=wide)
    shown.add_column("method", style="bold", no_wrap=True)
    for question in QUESTIONS if wide else ("what it is",):
        shown.add_column(question)
    for row in rows:
        answers = [row["answers"][q] for q in QUESTIONS] if wide else [row["title"]]
        shown.add_row(row["name"], *map(Text, answers))
    shown.caption = "More of one: warmstart show METHOD"
    return shown


def _tasks(rows: list[dict[str, Any]], wide: bool) -> Table:
    shown = Table(title="Tasks", show_lines=not wide)
    for column in ("task", "what it is", "steps", "floor", *(["data"] if wide else [])):
        shown.add_column(column, no_wrap=column != "what it is" and column != "data")
    domain = None
    for row in rows:
        if row["domain"] != domain:
            domain = row["domain"]
            shown.add_section()
            shown.add_row(Text(domain, style="bold italic"))
        purpose = Text(_purpose(row)) if wide else Text(f"{_purpose(row)} Data: {_size(row)}.")
        shown.add_row(
            Text(row["name"], style="bold"),
            purpose,
            str(row["horizon"]),
            _height(row["floor"]),
            *([_size(row)] if wide else []),
        )
    shown.caption = (
        "Floor: what a policy that has learnt nothing scores; –: not measured, !: above 5 % of "
        "the scale.\n"
        "Your own: warmstart run METHOD --env ENV --data FILE"
    )
    return shown


def _height(floor: dict[str, Any] | None) -> str:
    if floor is None:
        return "–"
    return f"{floor['score']:.1f}" + (" !" if floor["high"] else "")


def _purpose(row: dict[str, Any]) -> str:
    role = row["stands_in_for"]
    return f"{row['description']} Stands in for {role}." if role else row["description"]


def _size(row: dict[str, Any]) -> str:
    """How large the datasets are that lie here; else what making one costs."""
    if not row["made"]:
        return row["data"]
    sizes = Counter(made["rows"] for made in row["made"])
    words = (f"{rows:,} rows" + (f" ({n} times)" if n > 1 else "") for rows, n in sizes.items())
    return "made already: " + ", ".join(words)
