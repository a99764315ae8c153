"""Floor 2: rows, the ring buffer, and what a batch is made of."""

from warmstart.replay.ring import Ring, close, empty_ring, push
from warmstart.replay.rows import Layout
from warmstart.replay.sources import FromDataset, FromRing, Mixed, Source, Stores

__all__ = [
    "FromDataset",
    "FromRing",
    "Layout",
    "Mixed",
    "Ring",
    "Source",
    "Stores",
    "close",
    "empty_ring",
    "push",
]
