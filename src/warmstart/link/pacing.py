"""A robot's period: when the next action is due, and how often it came late."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Protocol

import numpy as np


class Clock(Protocol):
    """Where the time comes from: the machine, or a rehearsal's own."""

    def now(self) -> float:
        """Seconds since some moment."""
        ...

    def sleep_until(self, moment: float) -> None:
        """Come back at this moment, or at once where it is over."""
        ...


class RealClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep_until(self, moment: float) -> None:
        """Come back at this moment, or at once where it is over."""
        left = moment - time.monotonic()
        if left > 0.0:
            time.sleep(left)


class Pacer:
    """One action each period.

    An action that is late by more than `SLACK` of a period has missed its deadline; the next
    one is due a whole period after it, so that a delay is never made up for in a hurry.

    Attributes:
        kept, missed: actions in time, and late ones.
        worst: seconds of the largest delay.
    """

    SLACK = 0.02

    def __init__(self, hz: float, clock: Clock) -> None:
        self.period: float = 1.0 / hz
        self.clock: Clock = clock
        self.kept: int = 0
        self.missed: int = 0
        self.worst: float = 0.0
        self._due: float | None = None
        self._late: deque[float] = deque(maxlen=100_000)

    def begin(self) -> None:
        """An episode begins: its first action is due at once."""
        self._due = None

    def wait(self) -> None:
        """Come back when the next action is due."""
        now = self.clock.now()
        if self._due is None:
            self._due = now + self.period
            return
        late = now - self._due
        if late > self.SLACK * self.period:
            self.missed += 1
            self.worst = max(self.worst, late)
            self._due = now + self.period
        else:
            self.clock.sleep_until(self._due)
            self.kept += 1
            self._late.append(max(0.0, self.clock.now() - self._due))
            self._due += self.period

    def told(self) -> dict[str, Any]:
        """Counts, and the delays of the actions that were in time (waking up takes some)."""
        late = np.array(self._late or [0.0]) * 1e3
        return {
            "hz": 1.0 / self.period,
            "in_time": self.kept,
            "missed": self.missed,
            "worst_late_ms": round(self.worst * 1e3, 2),
            "waking_ms": {
                "median": round(float(np.median(late)), 3),
                "p99": round(float(np.quantile(late, 0.99)), 3),
                "largest": round(float(late.max()), 3),
            },
        }
