"""What Python users hand in, or one sentence on what is wrong with it."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from warmstart.api.python_values import FACTS
from warmstart.engine.problem import Schedule
from warmstart.errors import RecipeError, RunError, did_you_mean


def by_name(
    what: str, given: Any, example: str, wrong: type[RecipeError] | type[RunError]
) -> dict[str, Any]:
    """Values by name, of which None has none. Raises `wrong` for anything else."""
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise wrong(f"{what} are values by name, not {given!r}; give {what}={example}")
    return dict(given)


def check_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    """Seeds as a tuple. Raises RunError where there is none, one twice, or one out of range."""
    try:
        chosen = tuple(operator.index(seed) for seed in seeds)
    except TypeError:
        raise RunError(
            f"seeds {seeds!r} cannot be used; give a list of whole numbers, such as seeds=[0, 1, 2]"
        ) from None
    if not chosen or len(set(chosen)) != len(chosen) or min(chosen) < 0 or max(chosen) >= 2**31:
        raise RunError(
            f"seeds {list(chosen)} cannot be used; give different whole numbers from 0 on, "
            "such as --seeds 0,1,2"
        )
    return chosen


_RUN = ("root", "name", "observe", "progress", "callbacks", "log")
_AGENT = ("seed", "folder", "progress", "intervened_share")
OWN = {
    "finetune": (*_RUN, "allow_code"),
    "Agent": _AGENT,
    "Agent.finetune": (*_AGENT[1:], "allow_code"),
}
"""What these take themselves, beside what is declared, for the advice; all others: as a run."""


def known_words(
    name: str, given: Mapping[str, Any], declare: Callable[..., Any], numbers: Sequence[str]
) -> None:
    """Refuse (RunError) keyword arguments of `name` that are neither `numbers` of the method nor
    anything that `declare` would take."""
    parameters = inspect.signature(declare).parameters.values()
    known = [*(p.name for p in parameters if p.kind is p.KEYWORD_ONLY), *numbers]
    if name == "Agent":  # it is one seed
        known.remove("seeds")
    if any(p.name == "facts" for p in parameters):
        known += FACTS
    for word in given:
        if word not in known:
            hint = did_you_mean(word, [*known, *OWN.get(name, _RUN)])
            if "schedule" in known and word in {f.name for f in fields(Schedule)}:
                hint = f'It is said in the schedule: schedule={{"{word}": {given[word]!r}}}'
            raise RunError(f"{name} takes no argument '{word}'. {hint}")
