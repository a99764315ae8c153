"""From what a `run.json` says to the fields of a declared run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, get_args

from warmstart.api.given import check_seeds
from warmstart.api.own import code_named_by, find_method, is_file
from warmstart.engine import Schedule
from warmstart.errors import RunError, WarmstartError
from warmstart.files.machine import versions
from warmstart.recipe import Recipe
from warmstart.tasks import Task
from warmstart.user_code.trust import UntrustedCode, require_trusted

Until = Literal["pretrained", "done"]
"""How far a run goes."""
Made = TypeVar("Made")


def declared_by(data: Mapping[str, Any], made: Callable[..., Made]) -> Made:
    """`made` (which is `Declared`) of the fields that a record holds.

    Raises:
        RunError: a record that lacks something, or holds what cannot be.
        UntrustedCode: it names a file or module that may not run: `warmstart.user_code.trust`.
        WarmstartError: a part, task or schedule that there is not; of another version it says so.
    """
    try:
        return made(**_fields(data))
    except KeyError as missing:
        raise RunError(
            f"run.json lacks {missing}; it was not written by this version of warmstart. "
            "Start the run again"
        ) from missing
    except (TypeError, ValueError, AttributeError) as error:
        raise RunError(
            f"run.json does not hold a run ({error}); restore it from a backup"
        ) from error
    except UntrustedCode:
        raise
    except WarmstartError as error:
        told, ours = data.get("versions"), versions().get("warmstart")
        theirs = told.get("warmstart") if isinstance(told, dict) else None
        if theirs in (None, ours):
            raise type(error)(f"what run.json says cannot be done: {error}") from error
        raise type(error)(
            f"what run.json says cannot be done here: {error}; it was written by warmstart "
            f"{theirs}, this is {ours}: use that one"
        ) from error


def _fields(data: Mapping[str, Any]) -> dict[str, Any]:
    method = data.get("method_source", data["method"])
    if not isinstance(method, str):
        raise TypeError(f"the method is {method!r}")
    if data["until"] not in get_args(Until):
        raise ValueError(f"until is {data['until']!r}")
    task = Task.from_json(json.dumps(data["task_facts"]))
    policy, mark = data.get("policy"), data.get("policy_sha256")
    if not all(isinstance(fact, str | None) for fact in (policy, mark)):
        raise TypeError(f"the policy is {policy!r}")
    require_trusted(code_named_by(method, task, policy))
    if is_file(method):
        find_method(method)  # the parts that it defines stand in the recipe
    looks = {**data["schedule"], "early": tuple(data["schedule"]["early"])}
    return {
        "method": method,
        "preset": data["preset"],
        "recipe": Recipe.from_json(data["recipe"]),
        "task": task,
        "seeds": check_seeds(data["seeds"]),
        "schedule": Schedule.of(looks),
        "changes": tuple((path, value) for path, value in data["changes"]),
        "holdout": data["holdout"],
        "data_seed": data["data_seed"],
        "source": data["source"],
        "ignore": tuple(data.get("ignore", ())),
        "policy": policy,
        "policy_sha256": mark,
    }
