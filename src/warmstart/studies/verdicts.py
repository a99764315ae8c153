"""The table of all claims."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

from warmstart.studies.claims import CLAIMS
from warmstart.studies.evidence import Evidence, gather, with_ranges
from warmstart.studies.fingerprint import numerics
from warmstart.studies.judge import Judged, Verdict, judge
from warmstart.studies.price import Pace, core_hours
from warmstart.studies.result import Result
from warmstart.studies.store import Store


def verdicts(results: Path | str) -> tuple[list[Verdict], tuple[str, ...]]:
    """Every claim with what the results say, and a sentence on each thing that was left out."""
    found, said = Store(results).read()
    judged, more = verdicts_of(found, numerics())
    return judged, (*said, *more)


def verdicts_of(found: Sequence[Result], of: str) -> tuple[list[Verdict], list[str]]:
    """The same of results with these numerics, whatever is installed here."""
    found, said = with_ranges(found)
    evidence: dict[str, Evidence] = {}
    for study in sorted({r.study for r in found}):
        evidence[study] = gather([r for r in found if r.study == study], of)
        said += [f"{study}: {sentence}" for sentence in evidence[study].said]
    nothing, pace = Evidence({}, ()), Pace(found)
    of_claim = {c.id: evidence.get(c.study or "", nothing) for c in CLAIMS.values()}
    return [_priced(judge(c, of_claim[c.id]), of_claim[c.id], pace) for c in CLAIMS.values()], said


def _priced(verdict: Verdict, evidence: Evidence, pace: Pace) -> Verdict:
    """The verdict; of a claim that was not run, and could be, with what that would cost."""
    if verdict.outcome != "not run":
        return verdict
    hours = core_hours(verdict.claim, evidence, pace)
    return verdict if math.isnan(hours) else dataclasses.replace(verdict, core_hours=hours)


def effects(verdict: Verdict) -> str:
    """The part that decides, of each task."""
    return "\n".join(effect(t.deciding) for t in verdict.tasks)


def effect(part: Judged) -> str:
    """An effect with its interval; factors as factors."""
    if part.effect is None:
        return "–"

    def word(value: float) -> str:
        return f"x{math.exp(value):.2f}" if part.scale == "factor" else f"{value:+.2f}"

    if part.low is None or part.high is None:
        return word(part.effect)
    return f"{word(part.effect)} [{word(part.low)}, {word(part.high)}]"
