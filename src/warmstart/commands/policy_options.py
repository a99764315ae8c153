"""Floor 8: what can be typed of policies that leave their run. Nothing here imports JAX."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from warmstart.commands.words import Flag, Run_, Text, Whole


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write a run's policy as a folder that acts without the run and without JAX."""

    run: Positional[Run_]
    """The run's folder, or a policy folder."""
    to: Annotated[Path, arg(metavar="FOLDER", help_behavior_hint="(required)")]
    """A new folder."""
    seed: Whole = None
    """Whose policy; default: the first seed's."""
    best: Flag = False
    """Take the best checkpoint instead of the latest."""
    onnx: Flag = False
    """Write model.onnx too, and compare it (needs the extra `onnx`)."""
    names: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """JSON with names, and units where you like, of what is observed and done:
    {"observation": ["angle", {"name": "speed", "unit": "rad/s"}], "action": [...]}."""
    license: Text = None
    """Of the policy, as the Hub calls it, such as mit."""
