"""`python -m benchmarks.first_run`: does `make run` keep its promise, over seeds and processors?

Runs the study `first-run` (WSRL on two-rooms, the same without its warm-up, the same with half of
every batch from the data) for `--seeds` with this machine's instructions and with
`--xla_cpu_max_isa=AVX`, which rounds otherwise: no fused multiply-add. What has a result is not
run again; each set of instructions has folders of its own, since a study runs a seed once, on
whatever machine. Then the table, and docs/figures/first-run.png from this machine's own
instructions. `--show` leaves the runs out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from warmstart.reports.statistics import iqm
from warmstart.studies.curves import curves
from warmstart.studies.effects import interval
from warmstart.studies.evidence import gather
from warmstart.studies.fingerprint import numerics
from warmstart.studies.result import Result
from warmstart.studies.store import Store

STUDY = "first-run"
FIGURE = Path(__file__).parents[1] / "docs/figures/first-run.png"
FEWEST = 5
"""Seeds of an arm in the figure; in the table two, of which nothing follows yet."""
LOW, HIGH, GAIN = 15.0, 85.0, 15.0
PLACES = {"": Path("studies"), "--xla_cpu_max_isa=AVX": Path("studies/avx")}
SHOWN = {"wsrl": "WSRL", "no-warmup": "without warm-up", "keeps-half": "keeps half of the data"}


def main() -> None:
    """Run what is missing, print the table, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default=",".join(map(str, range(10))))
    parser.add_argument("--workers", default="2")
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    if not given.show:
        for flags, place in PLACES.items():
            command = [sys.executable, "-m", "warmstart", "study", "run", STUDY]
            command += ["--seeds", given.seeds, "--workers", given.workers]
            command += ["--runs", str(place / "runs"), "--results", str(place / "results")]
            own = os.environ.get("XLA_FLAGS", "")
            subprocess.run(command, check=True, env=os.environ | {"XLA_FLAGS": f"{own} {flags}"})
    results: list[Result] = []
    for place in PLACES.values():
        found, said = Store(place / "results").read(STUDY)
        results += found
        for line in said:
            print(line, file=sys.stderr)
    print("\n".join(table(results)))
    own = [r for r in results if r.isa != "AVX"]
    units = gather(own, _version(own)).units
    seeds = Counter(
        arm for found in units.values() for unit in found.values() for arm in unit.results
    )
    figure = curves(units, [arm for arm in SHOWN if seeds[arm] >= FEWEST])
    if figure is not None:
        figure.savefig(FIGURE, dpi=130)


def table(results: Sequence[Result]) -> list[str]:
    """One Markdown line for each instruction set and arm; every seed counts once."""
    lines = [
        "| instructions | arm | seeds | before: range, 15 to 85 | end: range, IQM [95 %] | "
        "end 15 above | end below | lowest on the way |",
        "|---|---|---|---|---|---|---|---|",
    ]
    groups: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for isa in {r.isa for r in results}:
        here = [r for r in results if r.isa == isa]
        units = gather(here, _version(here)).units
        for r in (
            r for found in units.values() for u in found.values() for r in u.results.values()
        ):
            if r.arm in SHOWN and r.before is not None and r.final is not None:
                groups[isa, r.arm].append(r)
    order = list(SHOWN)
    for (isa, arm), found in sorted(groups.items(), key=lambda g: (g[0][0], order.index(g[0][1]))):
        if len(found) < 2:
            continue
        before, end = [r.before or 0.0 for r in found], [r.final or 0.0 for r in found]
        pairs = list(zip(before, end, strict=True))
        about = interval(end)
        cells = [
            isa,
            SHOWN[arm],
            str(len(found)),
            f"{min(before):.0f} to {max(before):.0f}, {_of(LOW <= b <= HIGH for b in before)}",
            f"{min(end):.0f} to {max(end):.0f}, {iqm(end):.1f} [{about[1]:.1f}, {about[2]:.1f}]",
            _of(e >= b + GAIN for b, e in pairs),
            _of(e < b for b, e in pairs),
            f"{iqm([min(score for _, score in r.curve) for r in found]):.1f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _version(results: Sequence[Result]) -> str:
    """The numerics of this version, or of most results where this one has none yet."""
    known = Counter(r.numerics for r in results)
    mine = numerics()
    return mine if mine in known or not known else known.most_common(1)[0][0]


def _of(true: Iterable[bool]) -> str:
    marks = list(true)
    return f"{sum(marks)} of {len(marks)}"


if __name__ == "__main__":
    main()
