"""What the runs that a claim lacks would cost, by the pace of the runs that are there."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence

from warmstart.studies.bundles import STUDIES
from warmstart.studies.claim import Claim, leaves
from warmstart.studies.effects import BLOCKS
from warmstart.studies.measures import MEASURES
from warmstart.studies.result import Result

_Key = tuple[str | None, str | None, bool]


class Pace:
    """Seconds of runs, as results tell them.

    Of a pre-training whole, of an arm each online step: the median over the runs of the method on
    the task; where there are none, over those on the task, or those of the method, or all.
    """

    def __init__(self, results: Iterable[Result]) -> None:
        self._seconds: dict[_Key, list[float]] = defaultdict(list)
        for r in results:
            online = r.steps > 0
            each = r.seconds / r.steps if online else r.seconds
            for method in (r.method, None):
                for task in (r.task, None):
                    self._seconds[method, task, online].append(each)

    def of(self, method: str, task: str, steps: int) -> float:
        """Seconds of a run with so many online steps; none: a pre-training. nan without results."""
        online = steps > 0
        for by, on in ((method, task), (None, task), (method, None), (None, None)):
            if found := self._seconds.get((by, on, online)):
                return statistics.median(found) * (steps if online else 1)
        return float("nan")


def core_hours(
    claim: Claim, results: Sequence[Result], seeds: int = BLOCKS[0], pace: Pace | None = None
) -> float:
    """Core-hours until each of the claim's tasks has so many seeds of all its arms.

    An arm that is missing needs its pre-training again, whose folder may be gone. `pace` is that
    of the results where it is not given. nan: the claim has no study, or there are no results.
    """
    if claim.study is None or claim.test is None:
        return float("nan")
    study = STUDIES[claim.study]
    pace = Pace(results) if pace is None else pace
    online = study.steps if study.steps is not None else 0
    have: dict[tuple[str, str], set[int]] = defaultdict(set)
    for r in results:
        if r.study == study.name and _says(r, claim):
            have[r.task, r.arm].add(r.seed)
    total = 0.0
    for task in claim.across or claim.tasks or study.tasks:
        again: dict[str, int] = {}
        for name in claim.arms:
            missing = max(0, seeds - len(have[task, name]))
            if name in study.pretrainings:
                again[name] = max(again.get(name, 0), missing)
                continue
            arm = study.arms[name]
            total += missing * pace.of(arm.method, task, online)
            if arm.source is not None:
                again[arm.source] = max(again.get(arm.source, 0), missing)
        for name, missing in again.items():
            total += missing * pace.of(study.pretrainings[name].method, task, 0)
    return total / 3600


def _says(result: Result, claim: Claim) -> bool:
    """Whether the result has what the claim measures of its arm."""
    assert claim.test is not None
    read = {leaf.measure for leaf in leaves(claim.test) if result.arm in leaf.arms}
    return all(MEASURES[name].of(result, result.curve) is not None for name in read)
