"""What a stranger needs to know of a policy: method, task, data, score, and names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warmstart.api.measured import measured
from warmstart.errors import RunError
from warmstart.methods import METHODS
from warmstart.policy.actor import NumpyPolicy
from warmstart.policy.graph import input_name
from warmstart.runs.folder import read_run

_KEPT = ("title", "cite", "task", "data", "score")
_OF_TASK = ("description", "horizon", "discount", "return_rule", "reference", "success_when")


def facts(folder: Path, card: Mapping[str, Any]) -> dict[str, Any]:
    """`title` and `cite` of the method, `task`, `data` and `score`; None where it is not known.

    Of a policy without its run they are what an export before told. Files are named without their
    folders, which are nobody else's business.
    """
    if not (folder / "run.json").exists():
        before = card.get("exported") or {}
        told = {**dict.fromkeys(_KEPT), **_cited(card["method"])}
        return {**told, **{name: before[name] for name in _KEPT if name in before}}
    record = read_run(folder)
    task = record["task_facts"]
    env_id = Path(str(task["env_id"] or task["jax_env"])).name
    return {
        **_cited(record.get("method_source", record["method"])),
        "task": {"env_id": env_id, **{name: task[name] for name in _OF_TASK}},
        "data": _data(task["data"]),
        "score": measured(folder, card),
    }


def _cited(method: str) -> dict[str, Any]:
    """Of a method of the table; a file of somebody's own is not read for it."""
    module: Any = METHODS.get(method)
    if module is None:
        return {"title": None, "cite": []}
    return {"title": module.__doc__.strip().splitlines()[0], "cite": list(module.CITE)}


def _data(source: Mapping[str, Any] | None) -> str | None:
    if source is not None and source["path"]:
        return Path(source["path"]).name
    if source is not None and source["maker"]:
        arguments = ", ".join(f"{k}={json.dumps(v)}" for k, v in source["kwargs"].items())
        return f"made by {source['maker']}({arguments})"
    return None


def named(card: Mapping[str, Any], names: Any, actor: NumpyPolicy) -> dict[str, Any]:
    """Both spaces with a name and, where it was given, a unit for each flat number."""
    parts = [(input_name(part.path), part.size) for part in actor.observations.parts]
    usual = {"observation": parts, "action": [("action", actor.box.size)]}
    told = {space: card[space].get("numbers") for space in usual}
    names = {k: v for k, v in told.items() if v} if names is None else names
    if not isinstance(names, Mapping) or not set(names) <= set(usual):
        raise RunError(
            "names are a dict of `observation` and `action`; give a list of names for one or both"
        )
    spaces = {}
    for space, held in usual.items():
        flat = [f"{name}[{i}]" for name, size in held for i in range(size)]
        numbers = [_number(each, space) for each in names.get(space, flat)]
        if len(numbers) != len(flat):
            raise RunError(
                f"names has {len(numbers)} for the {space}, which is of {len(flat)} numbers; give "
                "one for each"
            )
        spaces[space] = {**card[space], "numbers": numbers}
    return spaces


def _number(each: Any, space: str) -> dict[str, Any]:
    told = {"name": each} if isinstance(each, str) else each
    if (
        not isinstance(told, Mapping)
        or not {"name"} <= set(told) <= {"name", "unit"}
        or not all(value is None or isinstance(value, str) for value in told.values())
        or not told["name"]
    ):
        raise RunError(
            f"names has {each!r} for the {space}; give a text, or a dict of `name` and `unit`"
        )
    return {"name": told["name"], "unit": told.get("unit")}
