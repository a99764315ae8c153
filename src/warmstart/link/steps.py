"""One step of a robot as a frame: what its log holds and its learner is told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from warmstart.link.frames import UNREADABLE, Frame, Torn, pack

STEP = "step"
_MOST_KEYS, _LONGEST = 50, 200


class RobotStep(NamedTuple):
    """One step, in the environment's own units.

    Attributes:
        number: of all steps of this robot, from 0.
        obs: what was shown before it, where an episode begins with it; else None.
        action: what was really executed.
        intervened: whether that was somebody else's than the policy's.
        weights: the version of the weights that acted; -1: none did.
        info: its plain values, in which success may stand.
    """

    number: int
    obs: Any
    action: np.ndarray
    next_obs: Any
    reward: float
    terminated: bool
    truncated: bool
    intervened: bool
    weights: int
    info: dict[str, Any]


def as_bytes(step: RobotStep) -> bytes:
    """The step as a frame."""
    arrays: dict[str, np.ndarray] = {"action": np.asarray(step.action)}
    shown = None if step.obs is None else _named("obs", step.obs, arrays)
    told = {
        "number": step.number,
        "obs": shown,
        "next_obs": _named("next", step.next_obs, arrays),
        "reward": step.reward,
        "terminated": step.terminated,
        "truncated": step.truncated,
        "intervened": step.intervened,
        "weights": step.weights,
        "info": step.info,
    }
    return pack(STEP, told, arrays)


def as_step(frame: Frame) -> RobotStep:
    """The inverse. Raises Torn for a frame that is no step."""
    told, arrays = frame.told, frame.arrays
    try:
        if frame.kind != STEP or type(told["number"]) is not int:
            raise ValueError("it has no number")
        return RobotStep(
            told["number"],
            None if told["obs"] is None else _read(told["obs"], arrays),
            arrays["action"],
            _read(told["next_obs"], arrays),
            float(told["reward"]),
            bool(told["terminated"]),
            bool(told["truncated"]),
            bool(told["intervened"]),
            int(told["weights"]),
            dict(told["info"]),
        )
    except UNREADABLE as error:
        raise Torn(f"a message of the kind '{frame.kind}' is no step ({error!r})") from error


def copied(obs: Any) -> Any:
    """An observation of arrays, which nobody else writes to."""
    if isinstance(obs, Mapping):
        return {key: copied(value) for key, value in obs.items()}
    return np.array(obs)


def plain_info(info: Mapping[str, Any]) -> dict[str, Any]:
    """What of an environment's `info` goes along: numbers, truths and short texts by name."""
    kept: dict[str, Any] = {}
    for key, value in info.items():
        if key == "tasks_to_complete":  # FrankaKitchen's, of which none is success
            kept[key] = [True] * bool(np.size(value))
            continue
        if isinstance(value, np.ndarray | np.generic) and value.ndim == 0:
            value = value.item()
        plain = isinstance(value, bool | str)
        plain |= isinstance(value, int) and abs(value) < 2**63
        plain |= isinstance(value, float) and math.isfinite(value)
        short = max(len(str(key)), len(str(value)) if plain else 0) <= _LONGEST
        if plain and short and len(kept) < _MOST_KEYS:
            kept[str(key)] = value
    return kept


def _named(prefix: str, value: Any, arrays: dict[str, np.ndarray]) -> list[Any]:
    """Where the arrays of an observation stand: [keys, name] for each; they join `arrays`."""
    if not isinstance(value, Mapping):
        name = f"{prefix}{sum(key.startswith(prefix) for key in arrays)}"
        arrays[name] = np.asarray(value)
        return [[[], name]]
    found = []
    for key, item in value.items():
        found += [[[str(key), *keys], name] for keys, name in _named(prefix, item, arrays)]
    return found


def _read(places: list[Any], arrays: Mapping[str, np.ndarray]) -> Any:
    """The inverse of `_named`."""
    out: dict[str, Any] = {}
    for keys, name in places:
        if not keys:
            return arrays[name]
        inside = out
        for key in keys[:-1]:
            inside = inside.setdefault(key, {})
        inside[keys[-1]] = arrays[name]
    return out
