"""From evidence to verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.reports.statistics import iqm
from warmstart.studies.claim import All, Claim, Contrast, Leaf, Most, Test, Trend, Unit, leaves
from warmstart.studies.effects import BLOCKS, Outcome, enough, outcome
from warmstart.studies.evidence import Evidence, separate_score
from warmstart.studies.measures import smallest
from warmstart.studies.result import Result

ROOM = (15.0, 85.0)
"""A pre-trained score outside leaves no room to fall or to rise: the test is void."""


@dataclass(frozen=True)
class Judged:
    """A leaf of a claim on one task.

    `effect`, `low` and `high` are None without results, and the interval with fewer than two.
    """

    words: str
    outcome: Outcome
    scale: str
    least: float
    seeds: tuple[int, ...] = ()
    effect: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class OnTask:
    """A claim on one task; `before` are pre-trained scores on separate episodes, by name.

    `deciding` is the part that tables show: the first one by which the whole came out so.
    """

    task: str
    outcome: Outcome
    parts: tuple[Judged, ...]
    before: Mapping[str, float]
    deciding: Judged


@dataclass(frozen=True)
class Verdict:
    """What all results together say about a claim, or why they say nothing."""

    claim: Claim
    outcome: Outcome
    tasks: tuple[OnTask, ...] = ()
    commits: tuple[str, ...] = ()
    isas: tuple[str, ...] = ()
    reason: str = ""

    @property
    def seeds(self) -> int:
        """Of the parts that decided, the seeds of the one with fewest."""
        return min((len(t.deciding.seeds) for t in self.tasks), default=0)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        c = self.claim
        return {
            "claim": c.id, "headline": c.headline, "text": c.text, "source": c.source,
            "bundle": c.bundle, "study": c.study, "measure": c.measure, "contrast": c.contrast,
            "smallest_effect": c.smallest_effect, "refuted": c.refuted, "verdict": self.outcome,
            "reason": self.reason, "seeds": self.seeds, "commits": list(self.commits),
            "instruction_sets": list(self.isas),
            "tasks": [
                {
                    "task": t.task, "verdict": t.outcome, "before": dict(t.before),
                    "parts": [{**vars(p), "seeds": list(p.seeds)} for p in t.parts],
                }
                for t in self.tasks
            ],
        }  # fmt: skip


def judge(claim: Claim, evidence: Evidence) -> Verdict:
    """What the evidence says about a claim. Tasks are judged each alone, then counted."""
    if claim.test is None:
        return Verdict(claim, "not run", reason=claim.unable)
    on: list[OnTask] = []
    used: list[Result] = []
    for task, units in sorted(evidence.units.items()):
        if claim.tasks and task not in claim.tasks:
            continue
        found = _on_task(claim, task, units)
        if found.outcome != "not run":
            on.append(found)
            used += [u.results[a] for u in units.values() for a in claim.arms if a in u.results]
    if not on:
        missing = f"no results of all its arms in study {claim.study}"
        return Verdict(claim, "not run", reason=missing)
    commits = tuple(sorted({(r.commit or "unknown")[:12] for r in used}))
    isas = tuple(sorted({r.isa for r in used}))
    return Verdict(claim, together([t.outcome for t in on]), tuple(on), commits, isas)


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """The tasks' outcomes as one: void tasks have no voice, of the others more than half decide.

    Of two tasks that is both.
    """
    voices = [o for o in outcomes if o not in ("void", "not run")]
    if not voices:
        return "void" if "void" in outcomes else "not run"
    if 2 * voices.count("holds") > len(voices):
        return "holds"
    return "does not" if 2 * voices.count("does not") > len(voices) else "unclear"


def _on_task(claim: Claim, task: str, units: Mapping[int, Unit]) -> OnTask:
    assert claim.test is not None
    before: dict[str, float] = {}
    names = {
        r.pretraining
        for u in units.values()
        for a in claim.arms
        if (r := u.results.get(a)) is not None and r.pretraining is not None
    }
    for name in sorted(names):
        scores = [s for u in units.values() if (s := separate_score(u, name)) is not None]
        if scores:
            before[name] = float(iqm(np.array(scores)))
    parts = {leaf: _leaf(leaf, units, before, claim.room) for leaf in leaves(claim.test)}
    said, shown = _tree(claim.test, parts), _deciding(claim.test, parts)
    return OnTask(task, said, tuple(parts.values()), before, shown)


def numbers(leaf: Leaf, units: Mapping[int, Unit]) -> dict[int, float]:
    """The leaf's number of every seed that has one."""
    found = {seed: leaf.effect(unit) for seed, unit in sorted(units.items())}
    return {seed: value for seed, value in found.items() if value is not None}


def _leaf(leaf: Leaf, units: Mapping[int, Unit], before: Mapping[str, float], room: bool) -> Judged:
    found = numbers(leaf, units)
    success = any(r.success for u in units.values() for r in u.results.values())
    least = smallest(leaf.scale, success)
    said, interval = outcome(list(found.values()), least, leaf.relation)
    starts = {
        r.pretraining
        for u in units.values()
        for a in leaf.arms
        if (r := u.results.get(a)) is not None
    }
    full = [n for n in starts if n and n in before and not ROOM[0] <= before[n] <= ROOM[1]]
    if room and full and said != "not run":
        said = "void"
    effect = float(iqm(np.array(list(found.values())))) if found else None
    low, high = (None, None) if interval is None else (float(interval.low), float(interval.high))
    return Judged(leaf.words(), said, leaf.scale, least, tuple(found), effect, low, high)


def _tree(test: Test, parts: Mapping[Leaf, Judged]) -> Outcome:
    """The outcome of a tree from those of its leaves."""
    if isinstance(test, Contrast | Trend):
        return parts[test].outcome
    outcomes: list[Outcome] = [_tree(part, parts) for part in test.parts]
    if isinstance(test, Most):
        return together(outcomes)
    decides: Outcome = "does not" if isinstance(test, All) else "holds"
    lacking: list[Outcome] = [decides, "not run", "void", "unclear"]
    for said in lacking:
        if said in outcomes:
            return said
    return "holds" if isinstance(test, All) else "does not"


def _deciding(test: Test, parts: Mapping[Leaf, Judged]) -> Judged:
    """The first leaf below those branches that came out as the whole did."""
    if isinstance(test, Contrast | Trend):
        return parts[test]
    said = _tree(test, parts)
    as_it = (part for part in test.parts if _tree(part, parts) == said)
    return _deciding(next(as_it, test.parts[0]), parts)


def more_seeds(
    claims: Iterable[Claim], units: Mapping[int, Unit], arms: Sequence[str], tried: Sequence[int]
) -> tuple[int, ...]:
    """The next block of seeds of a task by the stopping rule; none where there are enough.

    Args:
        claims: whose intervals are looked at, those alone that need no arm but `arms`.
        units: the results so far, by seed.
        tried: seeds that were run, whether or not they came to a result.
    """
    for size in BLOCKS:
        block = tuple(seed for seed in range(size) if seed not in tried)
        if block:
            break
    else:
        return ()
    if size == BLOCKS[0]:
        return block
    success = any(r.success for u in units.values() for r in u.results.values())
    for claim in claims:
        if claim.test is None or not set(claim.arms) <= set(arms):
            continue
        for leaf in leaves(claim.test):
            found = list(numbers(leaf, units).values())
            if not enough(found, smallest(leaf.scale, success)):
                return block
    return ()
