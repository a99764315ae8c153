"""A claim, and what would have to be measured for it to hold.

A claim is judged by a tree: leaves are numbers of one unit of work (a task and a seed, with all
of its arms), one for each seed; `All`, `Any` and `Most` stand above them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import scipy

from warmstart.studies.effects import Relation
from warmstart.studies.measures import LEAST_WORDS, MEASURES, Scale
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


@dataclass(frozen=True)
class All:
    """Every part must hold; one that does not refutes it."""

    parts: tuple[Test, ...]


@dataclass(frozen=True)
class Either:
    """One part that holds is enough; it is refuted where none does."""

    parts: tuple[Test, ...]


@dataclass(frozen=True)
class Most:
    """More than half of the parts must hold; it is refuted where more than half do not."""

    parts: tuple[Test, ...]


Leaf = Contrast | Trend
Test = Leaf | All | Either | Most


def every(*parts: Test) -> All:
    """All of these."""
    return All(parts)


def either(*parts: Test) -> Either:
    """Any of these."""
    return Either(parts)


def most(*parts: Test) -> Most:
    """More than half of these."""
    return Most(parts)


def more(
    measure: str, arm: str, against: str | None = None, beside: tuple[str, str] | None = None
) -> Contrast:
    """The arm's number is larger than the other's, or than 0."""
    return Contrast(measure, arm, against, beside=beside)


def fewer(measure: str, arm: str, against: str) -> Contrast:
    """The arm's number is smaller than the other's."""
    return Contrast(measure, against, arm)


def not_less(measure: str, arm: str, against: str | None = None) -> Contrast:
    """The arm's number is as large as the other's (as 0), or larger."""
    return Contrast(measure, arm, against, "not less")


def equal(measure: str, arm: str, against: str | None = None) -> Contrast:
    """The two numbers are level, or the arm's is 0."""
    return Contrast(measure, arm, against, "equal")


def leaves(test: Test) -> Iterator[Leaf]:
    """The leaves of a test, from left to right."""
    if isinstance(test, Contrast | Trend):
        yield test
        return
    for part in test.parts:
        yield from leaves(part)


@dataclass(frozen=True)
class Claim:
    """What a source asserts, and what a run here would say to it.

    Attributes:
        id: letter and number, as in docs/studies.md.
        headline: one of those that matter most.
        text: the claim, in our words.
        source: the slides on WSRL, the WSRL paper, a survey talk, the TD3-C paper.
        refuted: one sentence: what would have refuted it.
        bundle: the runs that carry it, R1 to R13.
        test: how it is judged, or None where `unable` says why it is not.
        study: name of the study whose results decide it.
        tasks: only these tasks of the study count; empty: all.
        across: two tasks of the study: the test's numbers on the first, less those on the second.
        room: whether the pre-trained score must lie between 15 and 85 for the test to mean
            anything.
        unable: why nothing here can decide it, or not yet.
    """

    id: str
    headline: bool
    text: str
    source: str
    refuted: str
    bundle: str
    test: Test | None = None
    study: str | None = None
    tasks: tuple[str, ...] = ()
    room: bool = True
    unable: str = ""
    across: tuple[str, str] | None = None

    @property
    def measure(self) -> str:
        """What is measured, in words."""
        if self.test is None:
            return "–"
        names = dict.fromkeys(leaf.measure for leaf in leaves(self.test))
        return "; ".join(f"{name}: {MEASURES[name].words}" for name in names)

    @property
    def contrast(self) -> str:
        """What is compared with what, in words."""
        if self.test is None:
            return "–"
        words = "; ".join(dict.fromkeys(leaf.words() for leaf in leaves(self.test)))
        return words if self.across is None else f"{' less '.join(self.across)}: {words}"

    @property
    def smallest_effect(self) -> str:
        """The smallest effects of interest, in words."""
        if self.test is None:
            return "–"
        scales = dict.fromkeys(leaf.scale for leaf in leaves(self.test))
        return "; ".join(LEAST_WORDS[scale] for scale in scales)

    @property
    def arms(self) -> tuple[str, ...]:
        """Every arm that the verdict needs."""
        if self.test is None:
            return ()
        return tuple(dict.fromkeys(arm for leaf in leaves(self.test) for arm in leaf.arms))
