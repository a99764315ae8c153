"""The command that explains a method."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from warmstart.api.in_words import QUESTIONS, answer, crossing, numbers
from warmstart.api.own import find_method, short_name, the_users
from warmstart.commands.options import Show
from warmstart.config import Number, differences, names_of, numbers_of
from warmstart.errors import RecipeError, did_you_mean, typed
from warmstart.methods import METHODS
from warmstart.runs.folder import read_run
from warmstart.values import as_text, to_json

COMPONENT = 24
"""Places of the longest component's name."""


def index() -> list[dict[str, Any]]:
    """What `list methods` shows, from the methods themselves; kept in methods/index.json."""
    return [
        {
            "name": name,
            "title": _title(module.__doc__ or ""),
            "answers": {q: answer(module.__doc__ or "", q) for q in QUESTIONS},
            "presets": list(module.PRESETS),
            "cite": list(module.CITE),
        }
        for name, module in METHODS.items()
    ]


def show(given: Show) -> int:
    """One method in full."""
    if given.method not in METHODS and (Path(given.method) / "run.json").is_file():
        run = Path(given.method)
        page = f" whose page is {run / 'report.html'}" if (run / "report.html").is_file() else ""
        raise RecipeError(
            f"'{run}' is the folder of a run{page}; write its page with {typed('report', run)}, or "
            f"see its method with {typed('show', read_run(run).get('method', 'METHOD'))}"
        )
    method = find_method(the_users(given.method))
    preset = given.preset or ("paper" if "paper" in method.PRESETS else next(iter(method.PRESETS)))
    if preset not in method.PRESETS:
        hint = did_you_mean(preset, method.PRESETS)
        raise RecipeError(f"{short_name(given.method)} has no preset '{preset}'. {hint}")
    recipe, text = method.recipe(preset), inspect.cleandoc(method.__doc__ or "")
    paths, crossed = numbers(recipe), crossing(recipe)
    config = type(method.PRESETS[preset])
    own = numbers_of(config) if names_of(config) else ()
    if given.json:
        shown = {
            "name": short_name(given.method),
            "title": _title(text),
            "text": text,
            "answers": {q: answer(text, q) for q in QUESTIONS},
            "presets": {n: to_json(differences(v)) for n, v in method.PRESETS.items()},
            "numbers": [
                {
                    "name": number.name,
                    "meaning": number.meaning,
                    "takes": number.takes,
                    "default": to_json(number.default),
                    "value": to_json(getattr(method.PRESETS[preset], number.name)),
                }
                for number in own
            ],
            "cite": list(method.CITE),
            "preset": preset,
            "set": {path: to_json(value) for path, value in paths},
            "recipe": recipe.to_json(),
            "handover": [row._asdict() for row in crossed],
        }
        print(json.dumps(shown))
        return 0
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(text)
    console.print(Text("\nPresets", style="bold"), "(choose with --preset)")
    for name, values in method.PRESETS.items():
        changed = differences(values).items()
        words = ", ".join(f"{key} {as_text(value)}" for key, value in changed)
        console.print(f"  {name:<12} {words or 'the defaults'}")
    if method.CITE:
        console.print(Text("\nCite", style="bold"))
    for paper in method.CITE:
        console.print(f"  {paper}")
    if crossed:
        console.print(Text(f"\nAt the switch ({preset})", style="bold"))
    for component, outcome, reason in crossed:
        console.print(f"  {component:<{COMPONENT}}  {outcome:<9}  {reason}")
    if own:
        said = "(change with --set NAME=VALUE, in Python with NAME=VALUE)"
        console.print(Text(f"\nIts numbers ({preset})", style="bold"), said)
        for line in _lines(own, method.PRESETS[preset]):
            console.print(f"  {line}")
    console.print(
        Text(f"\nEvery number ({preset})", style="bold"), "(change with --set PATH=VALUE)"
    )
    width = max(len(path) for path, _ in paths)
    for path, value in paths:
        console.print(f"  {path:<{width}}  {as_text(value)}")
    return 0


def _lines(own: Sequence[Number], config: Any) -> list[str]:
    """Each number with its value, what it means, what it takes, and the default where that is
    another value."""
    shown = [(number, as_text(getattr(config, number.name))) for number in own]
    name = max(len(number.name) for number in own)
    value = max(len(text) for _, text in shown)
    lines = []
    for number, text in shown:
        usual = as_text(number.default)
        takes = number.takes if text == usual else f"{number.takes}; by default {usual}"
        lines.append(f"{number.name:<{name}}  {text:<{value}}  {number.meaning} [{takes}]")
    return lines


def _title(text: str) -> str:
    """The first line of a docstring without its full stop."""
    return text.strip().splitlines()[0].rstrip(".") if text.strip() else ""
