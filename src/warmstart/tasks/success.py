"""What counts as a success, where the environment's `info` does not say it."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from warmstart.errors import TaskError

FORMS = "terminated, truncated, reward>=NUMBER or info:KEY, several joined by ' and '"


class SuccessRule(NamedTuple):
    """All of these at one step. `reward` is the environment's own, `keys` are true in `info`."""

    terminated: bool = False
    truncated: bool = False
    reward: float = -math.inf
    keys: tuple[str, ...] = ()


def read_success_rule(text: str) -> SuccessRule:
    """`terminated and reward>=0` as a rule. Raises TaskError where it is none."""
    rule = SuccessRule()
    for word in re.split(r"\s+and\s+", text.strip()) if isinstance(text, str) else [text]:
        least = re.fullmatch(r"reward\s*>=\s*(\S+)", word) if isinstance(word, str) else None
        if word in ("terminated", "truncated"):
            rule = rule._replace(**{word: True})
        elif least and _is_number(least[1]):
            rule = rule._replace(reward=max(rule.reward, float(least[1])))
        elif isinstance(word, str) and word.startswith("info:") and word[5:].strip():
            rule = rule._replace(keys=(*rule.keys, word[5:].strip()))
        else:
            raise TaskError(
                f"{word!r} is no rule of success; give {FORMS}, as in --success-when "
                "'terminated and reward>=1' (in Python success_when=)"
            )
    return rule


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
