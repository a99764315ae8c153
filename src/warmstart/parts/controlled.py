"""A weight that follows the returns of training episodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array

from warmstart.parts.weights import Weight
from warmstart.ranges import Finite, NotNegative, Share
from warmstart.state import State
from warmstart.types import Clock, EpisodeEnd, Evaluated, Event
from warmstart.values import register

SIGNAL = "return_controlled"


@register
@dataclass(frozen=True)
class ReturnControlled(Weight):
    """A proportional-derivative rule on episode scores (Zhao et al. 2022, eq. 5, released code).

    At the end of an episode of T steps with score R, where R_avg is the running average:

        w <- clip(w + T (k_p (R_avg - R_target) + k_d max(0, R_avg - R)), 0, init)
        R_avg <- (1 - smoothing) R_avg + smoothing R

    Scores are shares of the reference (1 is the expert). R_avg starts from the evaluation at the
    switch. Falling returns raise the weight; while the average is below the target it decays.

    Attributes:
        init: first and largest weight.
        proportional, derivative: gains per environment step.
        target: the average score at which the weight stands still.
        smoothing: share of the newest score in the average.
    """

    init: NotNegative = 0.4
    proportional: NotNegative = 3e-5
    derivative: NotNegative = 1e-4
    target: Finite = 1.05
    smoothing: Share = 0.05

    subscribes: ClassVar[tuple[Any, ...]] = (EpisodeEnd, Evaluated)

    def signals(self) -> dict[str, Any]:
        """The weight and the average score."""
        zero = jnp.zeros((), jnp.float32)
        return {SIGNAL: {"weight": zero + self.init, "average": zero}}

    def observe(self, signals: dict[str, Any], event: Event) -> dict[str, Any]:
        """The rule above; of evaluations only the one at the switch counts."""
        weight, average = signals[SIGNAL]["weight"], signals[SIGNAL]["average"]
        if isinstance(event, Evaluated):
            average = jnp.where(event.switch > 0, event.score, average)
        else:
            pull = self.proportional * (average - self.target)
            pull += self.derivative * jnp.maximum(0.0, average - event.score)
            weight = jnp.clip(weight + event.length * pull, 0.0, self.init)
            average = (1.0 - self.smoothing) * average + self.smoothing * event.score
        return {SIGNAL: {"weight": weight, "average": average}}

    def at(self, state: State, name: str, clock: Clock) -> Array:
        """The weight now."""
        del name, clock
        return state.signals[SIGNAL]["weight"]
