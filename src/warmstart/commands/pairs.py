"""Options of the form NAME=VALUE. Nothing here imports JAX."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from warmstart.errors import RecipeError


def pairs(given: Iterable[str], option: str) -> list[tuple[str, str]]:
    """`name=value` as (name, value). Raises RecipeError where there is no `=`."""
    split = [text.partition("=") for text in given]
    for name, equals, value in split:
        if not (name and equals):
            raise RecipeError(
                f"{option} {name}{equals}{value} is no pair; write {option} name=value"
            )
        others = {v.strip() for n, _, v in split if n.strip() == name.strip()}
        if len(others) > 1:
            raise RecipeError(
                f"{option} {name.strip()} is given with different values "
                f"({', '.join(sorted(others))}); give it once"
            )
    return [(name.strip(), value.strip()) for name, _, value in split]


def env_kwargs(given: Iterable[str]) -> dict[str, Any]:
    """`--env-arg KEY=VALUE` as keyword arguments. Raises RecipeError."""
    return {key: _plain(value) for key, value in pairs(given, "--env-arg")}


def _plain(text: str) -> Any:
    """Numbers, true, false, null and lists as in JSON; anything else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
