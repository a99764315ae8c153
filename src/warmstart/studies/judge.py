"""From evidence to verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.reports.statistics import iqm
from warmstart.studies.claim import All, Claim, Most, Test, leaves
from warmstart.studies.effects import BLOCKS, Outcome, enough, outcome
from warmstart.studies.evidence import Evidence, separate_score
from warmstart.studies.leaf import Leaf, Unit
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
    """What all results together say about a claim, or why they say nothing.

    `core_hours` is what the first block of seeds would cost where it says nothing for want of runs.
    """

    claim: Claim
    outcome: Outcome
    tasks: tuple[OnTask, ...] = ()
    commits: tuple[str, ...] = ()
    isas: tuple[str, ...] = ()
    reason: str = ""
    core_hours: float | None = None

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
            "reason": self.reason, "core_hours": self.core_hours, "seeds": self.seeds,
            "commits": list(self.commits),
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
    for tasks in _grounds(claim, evidence):
        units = {task: evidence.having(task, claim.arms) for task in tasks}
        found = _on_tasks(claim, units)
        if found.outcome != "not run":
            on.append(found)
            used += [
                u.results[a]
                for each in units.values()
                for u in each.values()
                for a in claim.arms
                if a in u.results
            ]
    if not on:
        return Verdict(claim, "not run", reason=_missing(claim, evidence))
    commits = tuple(sorted({(r.commit or "unknown")[:12] for r in used}))
    isas = tuple(sorted({r.isa for r in used}))
    return Verdict(claim, together([t.outcome for t in on]), tuple(on), commits, isas)


def _missing(claim: Claim, evidence: Evidence) -> str:
    """What no task of the claim has."""
    if claim.across:
        both = " and ".join(claim.across)
        return f"no results of all its arms in study {claim.study} on both {both}"
    assert claim.test is not None
    for (task,) in _grounds(claim, evidence):
        for unit in evidence.having(task, claim.arms).values():
            if set(claim.arms) <= unit.results.keys():
                ran = f"its arms ran in study {claim.study}"
                silent = _silent(leaves(claim.test), unit)
                if any(not unit.results[arm].diagnose for _, arm in silent):
                    return f"{ran} without --diagnose-every, which measures it"
                measures = ", ".join(sorted({measure for measure, _ in silent}))
                return f"{ran}, but their results cannot say: {measures}"
    return f"no results of all its arms in study {claim.study}"


def _silent(test: Iterable[Leaf], unit: Unit) -> set[tuple[str, str]]:
    """Measures that a unit's results cannot say, each with its arm."""
    each = [(measure, arm) for leaf in test for measure in leaf.measured for arm in leaf.arms]
    return {(measure, arm) for measure, arm in each if unit.number(measure, arm) is None}


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


def _grounds(claim: Claim, evidence: Evidence) -> list[tuple[str, ...]]:
    """What the claim is judged on in turn: each task alone, or the two that it compares."""
    if claim.across is not None:
        return [claim.across]
    return [(task,) for task in sorted(evidence.units) if not claim.tasks or task in claim.tasks]


def _on_tasks(claim: Claim, on: Mapping[str, Mapping[int, Unit]]) -> OnTask:
    """The claim on one task, or on the first of two less the second."""
    assert claim.test is not None
    before: dict[str, float] = {}
    for task, units in on.items():
        where = f" on {task}" if len(on) > 1 else ""
        before |= {name + where: score for name, score in starts(claim.arms, units).items()}
    parts = {leaf: _leaf(leaf, list(on.values()), claim.room) for leaf in leaves(claim.test)}
    said, shown = _tree(claim.test, parts), _deciding(claim.test, parts)
    return OnTask(" less ".join(on), said, tuple(parts.values()), before, shown)


def starts(arms: Sequence[str], units: Mapping[int, Unit]) -> dict[str, float]:
    """What the arms' pre-trainings score on separate episodes, by name."""
    results = [r for u in units.values() for a in arms if (r := u.results.get(a)) is not None]
    found: dict[str, float] = {}
    for name in sorted({r.pretraining for r in results if r.pretraining is not None}):
        scores = [s for u in units.values() if (s := separate_score(u, name)) is not None]
        if scores:
            found[name] = float(iqm(np.array(scores)))
    return found


def numbers(leaf: Leaf, units: Mapping[int, Unit]) -> dict[int, float]:
    """The leaf's number of every seed that has one."""
    found = {seed: leaf.effect(unit) for seed, unit in sorted(units.items())}
    return {seed: value for seed, value in found.items() if value is not None}


def _leaf(leaf: Leaf, on: Sequence[Mapping[int, Unit]], room: bool) -> Judged:
    """One part of a claim; of two tasks what a seed has on the first, less on the second."""
    success = any(r.success for units in on for u in units.values() for r in u.results.values())
    least = smallest(leaf.scale, success)
    first, *others = (numbers(leaf, units) for units in on)
    found = {
        seed: value - sum(other[seed] for other in others)
        for seed, value in first.items()
        if all(seed in other for other in others)
    }
    said, interval = outcome(list(found.values()), least, leaf.relation)
    before = [starts(leaf.arms, units) for units in on]
    if room and said != "not run" and not _fair(before, success):
        said = "void"
    effect = float(iqm(np.array(list(found.values())))) if found else None
    low, high = (None, None) if interval is None else (float(interval.low), float(interval.high))
    return Judged(leaf.words(), said, leaf.scale, least, tuple(found), effect, low, high)


def _fair(before: Sequence[Mapping[str, float]], success: bool) -> bool:
    """Whether every start leaves room, and those of two tasks lie within the smallest effect."""
    if any(not ROOM[0] <= score <= ROOM[1] for task in before for score in task.values()):
        return False
    scores = [[task[name] for task in before if name in task] for name in before[0]]
    return all(max(each) - min(each) <= smallest("score", success) for each in scores)


def _tree(test: Test, parts: Mapping[Leaf, Judged]) -> Outcome:
    """The outcome of a tree from those of its leaves."""
    if isinstance(test, Leaf):
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
    if isinstance(test, Leaf):
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
        if claim.test is None or claim.across or not set(claim.arms) <= set(arms):
            continue
        for leaf in leaves(claim.test):
            found = list(numbers(leaf, units).values())
            if not enough(found, smallest(leaf.scale, success)):
                return block
    return ()
