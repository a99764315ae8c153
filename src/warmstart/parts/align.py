"""Critics that agree with the policy that they are handed over with."""

from __future__ import annotations

from dataclasses import dataclass

from warmstart.parts.weights import Scheduled
from warmstart.ranges import Positive
from warmstart.values import register


@register
@dataclass(frozen=True)
class Align:
    """Critics as w g(log pi_0) + R: the weight w over the updates, and where g's floor lies."""

    weight: Scheduled = Scheduled(1.0, 0.5, 20_000, "linear")
    width: Positive = 7.0
