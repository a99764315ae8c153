"""A claim, and what would have to be measured for it to hold.

A claim is judged by a tree: its leaves are numbers of one unit of work, one for each seed; `All`,
`Either` and `Most` stand above them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from warmstart.studies.leaf import Contrast, Leaf
from warmstart.studies.measures import LEAST_WORDS


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
    if isinstance(test, Leaf):
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
        found = {name: w for leaf in leaves(self.test) for name, w in leaf.measured.items()}
        return "; ".join(f"{name}: {words}" for name, words in found.items())

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
