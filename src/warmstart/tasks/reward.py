"""The one affine transform of rewards, for logged and for fresh rows alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from warmstart.errors import TaskError
from warmstart.ranges import Finite, require_fields


@dataclass(frozen=True)
class RewardTransform:
    """`scale * reward + bias`, for a number or an array of any shape.

    Raw rewards stay on disk; the transform is applied when rows enter a store, to the dataset and
    to online rows by this same object, so that it can be neither forgotten nor applied twice.
    """

    scale: Finite = 1.0
    bias: Finite = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and self.scale and math.isfinite(self.bias)):
            raise TaskError(
                f"rewards cannot be learnt from as {self.scale} * reward + {self.bias}; give a "
                "finite scale other than 0 and a finite bias"
            )
        require_fields(self, TaskError)

    def __call__(self, reward: Any) -> Any:
        return self.scale * reward + self.bias
