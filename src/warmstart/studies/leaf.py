"""The parts of a claim: a number of one unit of work, which is a task and a seed with all arms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import scipy

from warmstart.studies.effects import Relation
from warmstart.studies.measures import MEASURES, Scale
from warmstart.studies.result import Points, Result


@dataclass(frozen=True)
class Unit:
    """The results of one task and seed that may be compared: one machine, equal numerics.

    `results` are by arm, `frozen` by the pre-training whose unchanged policy they score.
    """

    results: Mapping[str, Result]
    frozen: Mapping[str, Points]

    def number(self, measure: str, arm: str) -> float | None:
        """A measure of one arm."""
        result = self.results.get(arm)
        if result is None:
            return None
        held = self.frozen.get(result.pretraining or "", ())
        return MEASURES[measure].of(result, held)


@dataclass(frozen=True)
class Contrast:
    """An arm's number, minus another arm's where there is one, and how it must lie.

    `beside`: a second pair of arms, whose difference is taken off (a difference of differences).
    """

    measure: str
    arm: str
    against: str | None = None
    relation: Relation = "more"
    beside: tuple[str, str] | None = None

    @property
    def arms(self) -> tuple[str, ...]:
        """Every arm that it reads."""
        return tuple(a for a in (self.arm, self.against, *(self.beside or ())) if a)

    @property
    def measured(self) -> dict[str, str]:
        """What it looks at, in words."""
        return {self.measure: MEASURES[self.measure].words}

    @property
    def scale(self) -> Scale:
        """What its effect is counted in."""
        return MEASURES[self.measure].scale

    def effect(self, unit: Unit) -> float | None:
        """The number of one unit; None where an arm is missing or cannot say it."""
        signs = {self.arm: 1.0} | ({self.against: -1.0} if self.against else {})
        total = 0.0
        pairs = [*signs.items()]
        if self.beside is not None:
            pairs += [(self.beside[0], -1.0), (self.beside[1], 1.0)]
        for arm, sign in pairs:
            number = unit.number(self.measure, arm)
            if number is None:
                return None
            total += sign * number
        return total

    def words(self) -> str:
        """The contrast in words."""
        text = f"{self.measure}, {self.arm}"
        text += f" minus {self.against}" if self.against else ""
        if self.beside:
            text += f", less that of {self.beside[0]} minus {self.beside[1]}"
        return text + {"more": " > 0", "not less": " not below 0", "equal": " = 0"}[self.relation]


@dataclass(frozen=True)
class Trend:
    """Spearman's rank correlation of a measure with the order of the arms, the least first."""

    measure: str
    ordered: tuple[str, ...]
    relation: Relation = "more"
    scale: Scale = "rank"

    @property
    def arms(self) -> tuple[str, ...]:
        """Every arm that it reads."""
        return self.ordered

    @property
    def measured(self) -> dict[str, str]:
        """What it looks at, in words."""
        return {self.measure: MEASURES[self.measure].words}

    def effect(self, unit: Unit) -> float | None:
        """The correlation of one unit; 0 where all arms are level."""
        numbers = [unit.number(self.measure, arm) for arm in self.ordered]
        if any(number is None for number in numbers):
            return None
        if len(set(numbers)) == 1:
            return 0.0
        found: Any = scipy.stats.spearmanr(range(len(numbers)), numbers)
        return float(found.statistic)

    def words(self) -> str:
        """The trend in words."""
        return f"{self.measure} grows along {', '.join(self.ordered)}"


Leaf = Contrast | Trend
