"""What the runs that a claim lacks would cost, by the pace of the runs that are there."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence

from warmstart.studies.bundles import STUDIES
from warmstart.studies.claim import Claim, Test, leaves
from warmstart.studies.effects import BLOCKS
from warmstart.studies.evidence import Evidence
from warmstart.studies.leaf import Unit
from warmstart.studies.result import Result
from warmstart.studies.study import Study

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


def core_hours(claim: Claim, evidence: Evidence, pace: Pace, seeds: int = BLOCKS[0]) -> float:
    """Core-hours until each of the claim's tasks has so many seeds that say all that it measures.

    What counts as there is what a verdict would stand on. A seed that was begun needs the arms that
    it lacks, and their pre-training again, whose folder may be gone. nan: nothing can be run, or
    running it again would say no more.
    """
    if claim.study is None or claim.test is None:
        return float("nan")
    study, total = STUDIES[claim.study], 0.0
    for tasks in [claim.across] if claim.across else [(t,) for t in claim.tasks or study.tasks]:
        costs: defaultdict[int, float] = defaultdict(float)
        fresh = 0.0
        for task in tasks:
            units = evidence.having(task, claim.arms)
            online = _steps(units.values()) or study.steps or 0  # as what is there
            whole = _seconds(study, task, set(claim.arms), online, pace)
            for seed in units.keys() - costs.keys():
                costs[seed] += fresh  # of the task before
            fresh += whole
            for seed in costs:
                lacks = _lacks(claim.test, claim.arms, units.get(seed))
                costs[seed] += _seconds(study, task, lacks, online, pace)
        begun = sorted(costs.values())
        total += sum([*begun, *[fresh] * seeds][:seeds])
    return total / 3600 if total else float("nan")


def _steps(units: Iterable[Unit]) -> int:
    return max((r.steps for unit in units for r in unit.results.values()), default=0)


def _lacks(test: Test, arms: Sequence[str], unit: Unit | None) -> set[str]:
    """The arms of a seed that have no result, or one that could say more than it does."""
    if unit is None:
        return set(arms)
    lacks = set(arms) - unit.results.keys()
    for leaf in leaves(test):
        for arm in set(leaf.arms) & unit.results.keys():
            result = unit.results[arm]
            whole = result.diagnose and unit.frozen.get(result.pretraining or "")
            silent = any(unit.number(measure, arm) is None for measure in leaf.measured)
            lacks |= {arm} if silent and not whole else set()
    return lacks


def _seconds(study: Study, task: str, lacks: set[str], online: int, pace: Pace) -> float:
    """Of the arms that a seed lacks, with each pre-training once."""
    again = {name for name in lacks if name in study.pretrainings}
    arms = [study.arms[name] for name in sorted(lacks - again)]
    again |= {arm.source for arm in arms if arm.source is not None}
    return sum(pace.of(arm.method, task, online) for arm in arms) + sum(
        pace.of(study.pretrainings[name].method, task, 0) for name in sorted(again)
    )
