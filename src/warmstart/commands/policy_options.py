"""What can be typed of policies that leave their run. Nothing here imports JAX."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from warmstart.commands.kinds import Flag, Number, Run_, Text, Whole


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


@dataclass(frozen=True, kw_only=True)
class Serve:
    """Answer requests for actions over HTTP, for one policy or several, until Ctrl-C."""

    folders: Positional[
        Annotated[tuple[Path, ...], arg(metavar="FOLDER [FOLDER ...]", help_behavior_hint="")]
    ]
    """Folders that `export` wrote, or of runs (the first seed's newest policy). A policy is called
    as its folder."""
    host: str = "127.0.0.1"
    """Where to listen: by default for this machine alone. Any other host needs a token."""
    port: int = 8000
    """Which port; 0: any that is free."""
    link: Annotated[str | None, arg(metavar="HOST:PORT", help_behavior_hint="")] = None
    """Give the one policy to robots too: `warmstart actor --connect HOST:PORT`. It needs a token,
    and on another host than this machine's own --certfile."""
    token: Text = None
    """What clients must show as `Authorization: Bearer TOKEN`. Other users of this machine see
    what is typed here; $WARMSTART_TOKEN they do not."""
    most_mb: Number = None
    """Largest request in MB (default 16)."""
    certfile: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Speak TLS with this certificate (PEM)."""
    keyfile: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Its key, where it does not stand in the same file."""
