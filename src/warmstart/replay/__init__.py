"""Rows, the ring buffer, and what a batch is made of."""

from warmstart.replay.balanced import Balanced
from warmstart.replay.faded import Faded
from warmstart.replay.gated import Gated
from warmstart.replay.imagined import Imagined
from warmstart.replay.newest import Newest
from warmstart.replay.resampled import Resampled
from warmstart.replay.ring import Ring, close, empty_ring, push
from warmstart.replay.rows import Layout, taken
from warmstart.replay.sources import (
    Drawn,
    FromDataset,
    FromRing,
    Mixed,
    Remembers,
    Source,
    Stores,
    Wanted,
    online_rows,
    pick,
    plain,
    whole_rows,
)
from warmstart.replay.windows import Windows

__all__ = [
    "Balanced",
    "Drawn",
    "Faded",
    "FromDataset",
    "FromRing",
    "Gated",
    "Imagined",
    "Layout",
    "Mixed",
    "Newest",
    "Remembers",
    "Resampled",
    "Ring",
    "Source",
    "Stores",
    "Wanted",
    "Windows",
    "close",
    "empty_ring",
    "online_rows",
    "pick",
    "plain",
    "push",
    "taken",
    "whole_rows",
]
