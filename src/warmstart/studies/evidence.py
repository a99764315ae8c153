"""Results as units that may be compared, and what had to be left out.

Only arms of one task and seed are paired that ran on one instruction set with equal numerics
under one protocol, and whose common pre-training is the same to the last bit.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from warmstart.studies.leaf import Unit
from warmstart.studies.result import Points, Result
from warmstart.studies.store import once, results_are

SAME_RANGE = 1e-5
"""Ranges of returns that differ relatively by no more are one, summed in different orders."""


@dataclass(frozen=True)
class Evidence:
    """The units of one study, by task and seed, and what had to be left out.

    `units` are those of the machine with most arms, `elsewhere` the same seed's on other machines.
    """

    units: Mapping[str, Mapping[int, Unit]]
    said: tuple[str, ...]
    elsewhere: Mapping[str, Mapping[int, Sequence[Unit]]] = field(default_factory=dict)

    def having(self, task: str, arms: Collection[str]) -> dict[int, Unit]:
        """Of each seed of a task the unit that counts for a claim about these arms.

        That is the one of the machine that has most of them; of equal ones that with most arms.
        """
        found: dict[int, Unit] = {}
        for seed, unit in self.units.get(task, {}).items():
            machines = (unit, *self.elsewhere.get(task, {}).get(seed, ()))
            found[seed] = max(machines, key=lambda each: len(set(arms) & each.results.keys()))
        return found


def gather(results: Iterable[Result], numerics: str) -> Evidence:
    """Units of one study's results with these numerics; every seed of a task counts once."""
    fitting, said = [], []
    other = 0
    for result in results:
        if result.numerics == numerics:
            fitting.append(result)
        else:
            other += 1
    if other:
        said.append(
            f"{results_are(other)} of other numerics than this version's ({numerics}), and left "
            "out. Run the study again to compare with them."
        )
    counted = protocols(fitting)
    kept = [r for r in fitting if r.protocol == counted[r.task]]
    if lost := len(fitting) - len(kept):
        said.append(
            f"{results_are(lost)} of another protocol (steps, schedule, data or task) than most "
            "of their task, and left out."
        )
    fitting, former = _one_recipe(kept)  # of the recipes under that protocol
    said += former
    fitting, twice = once(fitting)
    said += twice
    units: dict[str, dict[int, Unit]] = {}
    elsewhere: dict[str, dict[int, list[Unit]]] = {}
    for (task, seed), found in _grouped(fitting).items():
        (unit, odd), *others = (_unit(machine) for machine in _machines(found))
        units.setdefault(task, {})[seed] = unit
        said += odd
        if others:
            elsewhere.setdefault(task, {})[seed] = [other for other, _ in others]
        lacking = {r.pretraining for r in unit.results.values() if r.pretraining}
        if lacking := lacking - unit.frozen.keys():
            said.append(
                f"{task}, seed {seed}, has no control from {', '.join(sorted(lacking))} (the "
                "frozen policy on the same schedule): no dip beyond the noise is known there."
            )
    if several := sum(map(len, elsewhere.values())):
        said.append(
            f"{several} seed{'s' * (several > 1)} ran on machines of different instruction sets; "
            "a claim counts the one that has most of its arms, tables the one with most of all."
        )
    return Evidence(units, tuple(said), elsewhere)


def _one_recipe(results: Sequence[Result]) -> tuple[list[Result], list[str]]:
    """Of each arm of a task the recipe that was run last; what is left out, in sentences."""
    newest: dict[tuple[str, str], Result] = {}
    for r in results:
        held = newest.setdefault((r.task, r.arm), r)
        if r.created > held.created:
            newest[r.task, r.arm] = r
    kept = [r for r in results if r.declared == newest[r.task, r.arm].declared]
    former = Counter((r.task, r.arm) for r in results) - Counter((r.task, r.arm) for r in kept)
    return kept, [
        f"{results_are(count)} of an earlier recipe of {arm} on {task}, and left out."
        for (task, arm), count in sorted(former.items())
    ]


def protocols(results: Iterable[Result]) -> dict[str, str]:
    """Of each task the protocol that counts: with most results, of equal ones the newest."""
    counts: dict[str, Counter[str]] = {}
    newest: dict[str, str] = {}
    for r in results:
        counts.setdefault(r.task, Counter())[r.protocol] += 1
        newest[r.protocol] = max(newest.get(r.protocol, ""), r.created)
    return {t: max(c, key=lambda p, c=c: (c[p], newest[p])) for t, c in counts.items()}


def with_ranges(results: Iterable[Result]) -> tuple[list[Result], list[str]]:
    """The results, each with its task's range of returns where it bears none; and what was said.

    The range is of the task's held-out rows alone, and measured where `--diagnose-every` asks for
    it. It is passed on from results of the same study, or else of others, where all that know it
    say the same but for rounding.
    """
    results = list(results)
    known: dict[tuple[str, ...], list[float]] = {}
    for r in results:
        if r.value_range is not None:
            for key in ((r.task, r.numerics, r.study), (r.task, r.numerics)):
                known.setdefault(key, []).append(r.value_range)
    told, apart = [], set[str]()
    for r in results:
        if r.value_range is None:
            own = known.get((r.task, r.numerics, r.study))
            ranges = own or known.get((r.task, r.numerics), [])
            if ranges and max(ranges) - min(ranges) > SAME_RANGE * max(map(abs, ranges)):
                apart.add(r.task)
            elif ranges:
                r = dataclasses.replace(r, value_range=ranges[0])
        told.append(r)
    return told, [
        f"Results on {task} disagree on the range of its returns: of those that do not know it, "
        "nothing is judged that is counted in it."
        for task in sorted(apart)
    ]


def _grouped(results: Iterable[Result]) -> dict[tuple[str, int], list[Result]]:
    found: dict[tuple[str, int], list[Result]] = {}
    for result in results:
        found.setdefault((result.task, result.seed), []).append(result)
    return found


def _machines(results: Sequence[Result]) -> list[list[Result]]:
    """The results of each machine, the one with most arms first; of equal ones the earliest."""
    found: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        found.setdefault(result.machine, []).append(result)
    return sorted(found.values(), key=lambda rs: (-len(rs), min(r.created for r in rs)))


def _unit(results: Sequence[Result]) -> tuple[Unit, list[str]]:
    """Arms of one start; where a pre-training has several, the one that most branched from."""
    hashes: dict[str, Counter[str]] = {}
    for r in results:
        if r.pretraining is not None:
            hashes.setdefault(r.pretraining, Counter())[r.pretrained or ""] += 1
    start = {name: counts.most_common(1)[0][0] for name, counts in hashes.items()}
    kept = [
        r
        for r in results
        if start.get(r.pretraining or r.arm, r.pretrained or "") == (r.pretrained or "")
    ]
    frozen: dict[str, Points] = {}
    for r in kept:
        if r.pretraining is not None and r.frozen:
            frozen.setdefault(r.pretraining, r.frozen)
    said = []
    if len(kept) < len(results):
        r = results[0]
        said.append(
            f"{results_are(len(results) - len(kept))} of another pre-training than most of "
            f"{r.task}, seed {r.seed}, and left out."
        )
    return Unit({r.arm: r for r in kept}, frozen), said


def separate_score(unit: Unit, pretraining: str) -> float | None:
    """The pre-trained policy's mean score on episodes that no phase boundary is judged by.

    Those are the frozen control's evaluations on the way; without them its score before.
    """
    points = unit.frozen.get(pretraining, ())
    between = [value for step, value in points[1:-1] if step > 0]
    if between:
        return float(np.mean(between))
    starts = [r.before for r in unit.results.values() if r.pretraining == pretraining]
    own = unit.results.get(pretraining)
    return next((s for s in (own.before if own else None, *starts) if s is not None), None)
