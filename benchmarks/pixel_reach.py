"""`python -m benchmarks.pixel_reach`: what WSRL gains on `pixel-reach`, over five seeds.

One run, with the frozen pre-trained policy evaluated beside it all along. Then the table of
docs/cameras.md, and docs/figures/pixel-reach.png. A run that was stopped goes on, and one that is
finished is only shown.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import warmstart as ws
from warmstart.api.result import curve_of
from warmstart.reports.statistics import bootstrap_interval, iqm
from warmstart.runs.folder import is_finished
from warmstart.runs.records import Record, read

ROOT = Path(__file__).parents[1]
RUNS, FIGURE = ROOT / "runs" / "benchmarks", ROOT / "docs" / "figures" / "pixel-reach.png"
STEPS = 2_000
NUMBERS: dict[str, Any] = {
    "seeds": range(5),
    "pretrain_steps": 1_000,
    "steps": STEPS,
    "batch": 64,
    "warmup": 300,
    "changes": {"learner.encoder.filters": "[8,16,16]", "learner.encoder.shift": "2"},
    "schedule": {
        "episodes": 10,
        "fixed_episodes": 50,
        "offline_every": 0,
        "online_every": 500,
        "early": (),
        "frozen": True,
        "films": False,
        "compare": False,
    },
}
MOMENTS = {"pretrained": "pre-trained", "switch": "after the switch", "final": "at the end"}
FROZEN, GAIN = "the frozen policy, at the end", "gain on it"


def finished(root: Path) -> Path:
    """The folder of the whole run, made or gone on with where it is not there."""
    folder = root / "pixel-reach"
    if not (folder / "run.json").exists():
        ws.run("wsrl", "pixel-reach", root=root, name=folder.name, **NUMBERS)
    elif not is_finished(folder):
        ws.resume(folder)
    return folder


def table(records: Sequence[Record], seeds: Sequence[int], steps: int = STEPS) -> list[str]:
    """Markdown: the score of every seed at the moments that count, and what was gained."""

    def scores(tag: str, at: int | None = None) -> list[float]:
        found = {
            r["seed"]: float(r["values"]["score"])
            for r in records
            if r["kind"] == "eval" and r.get("tag") == tag and at in (None, r["env_steps"])
        }
        return [found[seed] for seed in seeds]

    rows = {words: scores(tag) for tag, words in MOMENTS.items()}
    rows[FROZEN] = scores("frozen", steps)
    pairs = zip(rows[MOMENTS["final"]], rows[FROZEN], strict=True)
    rows[GAIN] = [end - still for end, still in pairs]
    lines = [
        f"| | {' | '.join(f'seed {seed}' for seed in seeds)} | IQM [95 %] |",
        "|---" * (len(seeds) + 2) + "|",
    ]
    for words, values in rows.items():
        low, high = bootstrap_interval(values)
        each = " | ".join(f"{value:.1f}" for value in values)
        lines.append(f"| {words} | {each} | {iqm(values):.1f} [{low:.1f}, {high:.1f}] |")
    return lines


def main() -> None:
    """Run what is missing, print the table, draw the figure."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    folder = finished(RUNS)
    print("\n".join(table(read(folder), NUMBERS["seeds"])))
    if (figure := curve_of(folder)) is not None:
        figure.savefig(FIGURE, dpi=130)


if __name__ == "__main__":
    main()
