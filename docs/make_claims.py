"""Write `docs/claims.md`, every claim with its verdict: `python docs/make_claims.py`.

From `studies/results` alone, as `warmstart study verdicts` reads them, by the version of the
numerics that most of them have, whatever is installed here. `tests/test_claims_page.py` says when
it is stale.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from warmstart.studies.effects import Outcome
from warmstart.studies.judge import Verdict
from warmstart.studies.store import Store
from warmstart.studies.verdicts import effect, verdicts_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "claims.md"
RESULTS = ROOT / "studies" / "results"
SECTIONS = {
    "A": "What goes wrong at the switch",
    "B": "WSRL",
    "C": "Pessimism, calibration, and the data kept",
    "D": "TD3, TD3-BC and TD3-C behind the switch",
    "E": "The survey's methods",
}
HEAD = """# What holds here

Every claim that this project set out to test, with what its own runs say; those that matter most
are starred. How a verdict is made, and what each word means: [studies.md](studies.md). The same
table, from the same results: `warmstart study verdicts`. A verdict is about the tasks that it names
and the budgets of two processor cores: thousands of updates where the papers have a million.
Core-hours: what five seeds of the missing runs would take on every task of the claim, at the pace
of the runs that are there (the median of the method's on that task, or else of all on it, of the
method anywhere, or of all), most of them on cores with AVX-512.

{counts}
"""


def page() -> str:
    """The whole page."""
    results, _ = Store(RESULTS).read()
    numerics = Counter(result.numerics for result in results).most_common(1)[0][0]
    found, _ = verdicts_of(results, numerics)
    parts = [HEAD.format(counts=counts(found))]
    for letter, title in SECTIONS.items():
        rows = [v for v in found if v.claim.id.startswith(letter)]
        parts.append(f"\n## {letter}: {title}\n\n{table(rows)}")
    return "".join(parts)


def counts(found: Sequence[Verdict]) -> str:
    """How many claims came out how."""
    stars = Counter(v.outcome for v in found if v.claim.headline)
    every = Counter(v.outcome for v in found)
    lines = [f"| {said} | {stars[said]} | {every[said]} |" for said in get_args(Outcome)]
    total = f"| together | {sum(stars.values())} | {sum(every.values())} |"
    return "\n".join(["| verdict | starred | all |", "|---|---|---|", *lines, total])


def table(found: Sequence[Verdict]) -> str:
    """Claims with verdicts, those that were judged first."""
    judged = [v for v in found if v.outcome != "not run"]
    left = [v for v in found if v.outcome == "not run"]
    lines = []
    if judged:
        lines += ["| claim | verdict | what decided | would have refuted it |", "|---|---|---|---|"]
        lines += [f"| {name(v)} | {v.outcome} | {decided(v)} | {v.claim.refuted} |" for v in judged]
        lines += [""] if left else []
    if left:
        lines += ["| not run | why | core-hours |", "|---|---|---|"]
        lines += [f"| {name(v)} | {v.reason} | {hours(v)} |" for v in left]
    return "\n".join(lines) + "\n"


def name(verdict: Verdict) -> str:
    """The claim in one cell."""
    star = " ★" if verdict.claim.headline else ""
    return f"**{verdict.claim.id}{star}** {verdict.claim.text}"


def hours(verdict: Verdict) -> str:
    """What five seeds of the missing runs would cost."""
    return "–" if verdict.core_hours is None else f"{verdict.core_hours:.1f}"


def decided(verdict: Verdict) -> str:
    """Of each task the part that decides, with its effect."""
    cells = []
    for on in verdict.tasks:
        part = on.deciding
        said = "" if len(verdict.tasks) == 1 else f" ({on.outcome})"
        cells.append(f"`{on.task}`{said}: {part.words}: {effect(part)}, {len(part.seeds)} seeds")
    return "<br>".join(cells)


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.exit(0)
