"""Whether actor and learner speak of the same observations and actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from warmstart.envs.spaces import is_camera_part


def numbers_like(said: Any, like: np.ndarray) -> np.ndarray | None:
    """What somebody said, as finite numbers of another array's type and shape; None: it is not."""
    try:
        held = np.asarray(said, like.dtype)
    except (TypeError, ValueError):
        return None
    return held if held.shape == like.shape and np.isfinite(held).all() else None


def slim(interface: Mapping[str, Any]) -> dict[str, Any]:
    """An interface without bounds and offsets of observations; of their types it says alone which
    of them are images."""
    seen = interface["observation"]
    parts = [
        {
            "path": part["path"],
            "shape": part["shape"],
            "image": is_camera_part(part),
        }
        for part in seen["parts"]
    ]
    return {
        "observation": {"parts": parts, "ignored": seen["ignored"]},
        "action": interface["action"],
    }


def difference(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> str | None:
    """The first thing in which two interfaces differ, in words; None: they do not.

    Keys and shapes of observations and which of them are images, and the shape, type and box of
    actions. Bounds of observations may differ, since sensors are described more or less carefully.
    """
    try:
        ignored = [_ignored(side["observation"]) for side in (mine, theirs)]
        seen = [_parts(side["observation"], set().union(*ignored)) for side in (mine, theirs)]
        done = [_action(side["action"]) for side in (mine, theirs)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return f"spaces that cannot be read ({error!r})"
    for name in dict.fromkeys([*seen[0], *seen[1]]):
        here, there = (side.get(name, "nothing") for side in seen)
        if here != there:
            return f"observation {name}: {here} here, {there} there"
    for name, here in done[0].items():
        if here != (there := done[1][name]):
            return f"action {name}: {here} here, {there} there"
    return None


def _parts(told: Mapping[str, Any], ignored: set[str]) -> dict[str, str]:
    named = {}
    for part in told["parts"]:
        kind = "image of bytes" if part["image"] else "numbers"
        named[_name(part["path"])] = f"{kind}, shape {list(part['shape'])}"
    return {name: shape for name, shape in named.items() if name not in ignored}


def _ignored(told: Mapping[str, Any]) -> set[str]:
    """What is observed and not looked at."""
    return {_name(path) for path in told["ignored"]}


def _name(path: Sequence[Any]) -> str:
    return "/".join(map(str, path)) or "array"


def _action(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "shape": list(told["shape"]),
        "type": str(told["dtype"]),
        "low": np.float32(told["low"]).tolist(),
        "high": np.float32(told["high"]).tolist(),
    }
