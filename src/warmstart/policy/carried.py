"""The base policy that a stored policy corrects, as its folder holds it: card, tensors, files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from warmstart.policy.folder import Stored, read_beside
from warmstart.policy.onnx_file import alone

PREFIX = "base."
"""Before the names of its tensors."""
_KEPT = (
    "method", "task", "seed", "step", "observation", "action", "reward", "acting", "distribution",
    "normalise", "width", "state", "base",
)  # fmt: skip
"""What acting needs of its card."""


class Carried(NamedTuple):
    """What a policy folder holds of a base.

    Attributes:
        told: `base` of the card.
        tensors: by name, `PREFIX` before each.
        files: by name.
    """

    told: dict[str, Any]
    tensors: dict[str, np.ndarray]
    files: dict[str, bytes]


def of_policy(name: str, stored: Stored) -> Carried:
    """A policy folder of ours."""
    card = {key: stored.card[key] for key in _KEPT if key in stored.card}
    tensors = {f"{PREFIX}{key}": tensor for key, tensor in stored.tensors.items()}
    return Carried({"is": "policy", "name": name, "card": card}, tensors, files_of(stored))


def of_onnx(path: Path) -> Carried:
    """An ONNX file."""
    held = alone(path)
    if held is None:
        return apart(path.name, "its weights lie in a file beside it, which could not be joined")
    digest = hashlib.sha256(held).hexdigest()
    told = {"is": "onnx", "name": path.name, "file": f"base-{digest[:16]}.onnx", "sha256": digest}
    return Carried(told, {}, {told["file"]: held})


def apart(name: str, why: str) -> Carried:
    """One that the folder cannot hold."""
    return Carried({"is": "apart", "name": name, "why": why}, {}, {})


def inside(stored: Stored) -> Stored:
    """The policy folder that `of_policy` put into this one."""
    tensors = {
        key.removeprefix(PREFIX): tensor
        for key, tensor in stored.tensors.items()
        if key.startswith(PREFIX)
    }
    return Stored(stored.path, stored.card["base"]["card"], tensors)


def files_of(stored: Stored) -> dict[str, bytes]:
    """The files beside the weights that a card names, its bases' own included.

    Raises RunError: one is missing or damaged.
    """
    base = stored.card.get("base")
    while base is not None and base["is"] == "policy":
        base = base["card"].get("base")
    if base is None or base["is"] != "onnx":
        return {}
    return {base["file"]: read_beside(stored.path, base)}
