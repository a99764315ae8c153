"""What the `metadata.json` of a Minari dataset says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read_metadata(path: Path) -> Mapping[str, Any]:
    """All of it; empty where there is none that can be read."""
    try:
        held = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}


def env_spec(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """The environment's id and arguments, as Gymnasium writes them; empty where unknown."""
    return _inside(metadata, "env_spec")


def observed_space(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """The observation space; empty where unknown."""
    return _inside(metadata, "observation_space")


def _inside(metadata: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    held = metadata.get(name)
    try:
        held = json.loads(held) if isinstance(held, str) else held
    except (ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}
