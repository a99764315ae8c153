"""What `run.json` holds, by its types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_NONE = type(None)
_KINDS: dict[str, tuple[type, ...]] = {
    "id": (str,), "created": (str,), "commit": (str, _NONE), "versions": (dict,),
    "method": (str,), "method_source": (str,), "preset": (str,), "task": (str,),
    "task_facts": (dict,), "recipe": (dict,), "describe": (list,), "handover": (list,),
    "seeds": (list,), "schedule": (dict,), "changes": (list,), "holdout": (int, float),
    "data_seed": (int,), "source": (str, _NONE), "ignore": (list,), "warmup_steps": (int,),
    "score_label": (str,), "command": (str, _NONE), "until": (str,), "driven": (bool,),
}  # fmt: skip
_ITEMS: dict[str, Callable[[Any], bool]] = {
    "describe": lambda item: _is_pair(item),
    "changes": lambda item: _is_pair(item),
    "handover": lambda item: isinstance(item, dict),
    "seeds": lambda item: type(item) is int,
    "ignore": lambda item: isinstance(item, str),
}


def odd_fact(record: Mapping[str, Any]) -> str | None:
    """The first key of a `run.json` that is there and not of its type, in words; None: all are."""
    for key in sorted(_KINDS.keys() & record.keys()):
        value = record[key]
        if type(value) not in _KINDS[key]:
            return f"{key} is {_shown(value)}"
        for item in value if key in _ITEMS else ():
            if not _ITEMS[key](item):
                return f"{key} holds {_shown(item)}"
    for name, version in record.get("versions", {}).items():
        if not isinstance(version, str):
            return f"versions.{name} is {_shown(version)}"
    return None


def _is_pair(item: Any) -> bool:
    return isinstance(item, list) and len(item) == 2 and all(isinstance(x, str) for x in item)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
