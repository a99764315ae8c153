"""Floor 8: the commands that explain: list, show."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from warmstart.api import find_method, short_name
from warmstart.api.describe import QUESTIONS, answer, crossing, numbers
from warmstart.api.own import the_users
from warmstart.commands.options import List, Show
from warmstart.edge.datasets.manifest import is_folder, read_manifest
from warmstart.edge.makers import data_root
from warmstart.errors import RecipeError, did_you_mean
from warmstart.methods import METHODS
from warmstart.tasks import TASKS, Task, floor_of, package_of
from warmstart.values import as_text, to_json


def tables(given: List | Show) -> int:
    """Print one of them. Raises WarmstartError."""
    if isinstance(given, Show):
        return show(given)
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
    Console().print(_methods(rows) if given.what == "methods" else _tasks(rows))
    return 0


def _matches(row: dict[str, Any], word: str | None) -> bool:
    return word is None or word.lower() in f"{row['name']} {row.get('domain', '')}"


def methods() -> list[dict[str, Any]]:
    """What `list methods --json` prints; see docs/schema.md."""
    return [
        {
            "name": name,
            "title": _title(module.__doc__ or ""),
            "answers": {q: answer(module.__doc__ or "", q) for q in QUESTIONS},
            "families": list(module.FAMILIES),
            "cite": list(module.CITE),
        }
        for name, module in METHODS.items()
    ]


def tasks() -> list[dict[str, Any]]:
    """What `list tasks --json` prints; see docs/schema.md."""
    return [
        {
            "name": task.name,
            "domain": task.domain,
            "description": task.description,
            "family": task.family,
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
    return package.extra if package is not None else "locomotion"


def _made(task: Task) -> list[dict[str, Any]]:
    """The datasets of this task on this machine."""
    found = []
    for folder in sorted(data_root().glob(f"{task.name}-seed*-*")):
        if is_folder(folder):
            manifest = read_manifest(folder)
            seed, rows = manifest["recipe"].get("seed"), manifest["statistics"]["rows"]
            found.append({"folder": str(folder), "seed": seed, "rows": rows})
    return found


def _methods(rows: list[dict[str, Any]]) -> Table:
    shown = Table(title="Methods: five answers each", show_lines=True)
    shown.add_column("method", style="bold", no_wrap=True)
    for question in QUESTIONS:
        shown.add_column(question)
    for row in rows:
        shown.add_row(row["name"], *(Text(row["answers"][q]) for q in QUESTIONS))
    shown.caption = "More of one: warmstart show METHOD"
    return shown


def _tasks(rows: list[dict[str, Any]]) -> Table:
    shown = Table(title="Tasks")
    for column in ("domain", "task", "what it is", "steps", "floor", "data"):
        shown.add_column(column, no_wrap=column == "task")
    domain = None
    for row in rows:
        shown.add_row(
            "" if row["domain"] == domain else row["domain"],
            Text(row["name"], style="bold"),
            Text(_purpose(row)),
            str(row["horizon"]),
            _height(row["floor"]),
            _size(row),
        )
        domain = row["domain"]
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


def show(given: Show) -> int:
    """One method in full."""
    method = find_method(the_users(given.method))
    family = given.family or (
        "paper" if "paper" in method.FAMILIES else next(iter(method.FAMILIES))
    )
    if family not in method.FAMILIES:
        hint = did_you_mean(family, method.FAMILIES)
        raise RecipeError(f"{short_name(given.method)} has no family '{family}'. {hint}")
    recipe, text = method.recipe(family), inspect.cleandoc(method.__doc__ or "")
    paths, crossed = numbers(recipe), crossing(recipe)
    if given.json:
        shown = {
            "name": short_name(given.method),
            "title": _title(text),
            "text": text,
            "answers": {q: answer(text, q) for q in QUESTIONS},
            "families": {name: to_json(dict(values)) for name, values in method.FAMILIES.items()},
            "cite": list(method.CITE),
            "family": family,
            "set": {path: to_json(value) for path, value in paths},
            "recipe": recipe.to_json(),
            "handover": [row._asdict() for row in crossed],
        }
        print(json.dumps(shown))
        return 0
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(text)
    console.print(Text("\nFamilies", style="bold"), "(choose with --family)")
    for name, values in method.FAMILIES.items():
        words = ", ".join(f"{key} {as_text(value)}" for key, value in values.items())
        console.print(f"  {name:<12} {words or 'the defaults'}")
    console.print(Text("\nCite", style="bold"))
    for paper in method.CITE:
        console.print(f"  {paper}")
    if crossed:
        console.print(Text(f"\nAt the switch ({family})", style="bold"))
    for component, outcome, reason in crossed:
        console.print(f"  {component:<{COMPONENT}}  {outcome:<9}  {reason}")
    console.print(
        Text(f"\nEvery number ({family})", style="bold"), "(change with --set PATH=VALUE)"
    )
    width = max(len(path) for path, _ in paths)
    for path, value in paths:
        console.print(f"  {path:<{width}}  {as_text(value)}")
    return 0


COMPONENT = 24
"""Places of the longest component's name."""


def _title(text: str) -> str:
    """The first line of a docstring without its full stop."""
    return text.strip().splitlines()[0].rstrip(".") if text.strip() else ""
