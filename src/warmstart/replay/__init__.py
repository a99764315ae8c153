"""Rows, the ring buffer, and what a batch is made of."""

from warmstart.replay.balanced import Balanced
from warmstart.replay.faded import Faded
from warmstart.replay.frames import (
    Frames,
    Logged,
    compact,
    empty_frames,
    frames_for,
    pictured,
)
from warmstart.replay.gated import Gated
from warmstart.replay.imagined import Imagined
from warmstart.replay.intervened import Intervened
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
    "Frames",
    "FromDataset",
    "FromRing",
    "Gated",
    "Imagined",
    "Intervened",
    "Layout",
    "Logged",
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
    "compact",
    "empty_frames",
    "empty_ring",
    "frames_for",
    "online_rows",
    "pick",
    "pictured",
    "plain",
    "push",
    "taken",
    "whole_rows",
]
