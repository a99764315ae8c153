"""The folder in which made datasets live."""

from __future__ import annotations

import os
from pathlib import Path


def data_root() -> Path:
    """Where made datasets live: $WARMSTART_DATA, else `warmstart` in the user's cache folder."""
    if chosen := os.environ.get("WARMSTART_DATA"):
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "warmstart"
