"""Floor 2: the one affine transform of rewards, for logged and for fresh rows alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RewardTransform:
    """`scale * reward + bias`, for a number or an array of any shape.

    Raw rewards stay on disk; the transform is applied when rows enter a store, to the dataset and
    to online rows by this same object, so that it can be neither forgotten nor applied twice.
    """

    scale: float = 1.0
    bias: float = 0.0

    def __call__(self, reward: Any) -> Any:
        return self.scale * reward + self.bias
