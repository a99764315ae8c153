"""Critics that agree with the policy that they are handed over with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from warmstart.errors import RecipeError
from warmstart.parts.weights import Scheduled
from warmstart.ranges import Positive
from warmstart.values import register


@register
@dataclass(frozen=True)
class Align:
    """Critics as w g(log pi_0) + R: the weight w over the updates, and where g's floor lies."""

    weight: Scheduled = Scheduled(1.0, 0.5, 20_000, "linear")
    width: Positive = 7.0

    def check(self, learner: Any) -> None:
        """The frozen policy is a squashed Gaussian that sees observations as they are."""
        if learner.normalise != "none" or learner.policy.distribution != "squashed":
            raise RecipeError(
                "align needs a squashed Gaussian and observations as they are; "
                "set learner.normalise=none, or learner.align=none"
            )
