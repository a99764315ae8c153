"""`python -m benchmarks.tick --against FOLDER`: an online step without simulator and update.

FOLDER is a checkout of another commit. Each tree's own `benchmarks.bench.step_overhead_us` is
measured in turn, in processes of their own, `--pairs` times; the table gives medians for one seed
and for two, and the median ratio of the pairs. Without `--against` this tree alone is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
MEASURE = (
    "import json; from benchmarks.bench import Seeds, step_overhead_us; Seeds(1); "
    "print(json.dumps([step_overhead_us(1), step_overhead_us(2)]))"
)


def step_us(tree: Path) -> list[float]:
    """Microseconds of a step for one seed and for two, by the code in a folder."""
    own = {"PYTHONPATH": os.pathsep.join([str(tree), str(tree / "src")]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", MEASURE]
    done = subprocess.run(
        command, cwd=tree, env={**os.environ, **own}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise SystemExit(f"{tree}: {last}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Measure in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, default=None, metavar="FOLDER")
    parser.add_argument("--pairs", type=int, default=5)
    given = parser.parse_args()
    trees = [HERE] if given.against is None else [HERE, given.against.resolve()]
    found: list[list[list[float]]] = []
    for k in range(given.pairs):
        found.append([step_us(tree) for tree in trees])
        print(f"pair {k + 1} of {given.pairs}: {found[-1]}", flush=True)
    for seeds in (1, 2):
        pairs = [[own[seeds - 1] for own in pair] for pair in found]
        here = statistics.median(pair[0] for pair in pairs)
        words = f"{seeds} seed{'s'[: seeds - 1]}: {here:.0f} us"
        if given.against is not None:
            there = statistics.median(pair[1] for pair in pairs)
            ratio = statistics.median(pair[0] / pair[1] for pair in pairs)
            words += f", against {there:.0f} us: {ratio:.2f} of it"
        print(words)


if __name__ == "__main__":
    main()
