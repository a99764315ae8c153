"""Two checkouts measured in turn, each in processes of its own, and what the pairs say."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]


def parser_of(about: str | None, pairs: int) -> argparse.ArgumentParser:
    """A command line with `--against` and `--pairs`."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--against", type=Path, default=None, metavar="FOLDER")
    parser.add_argument("--pairs", type=int, default=pairs)
    return parser


def measured(tree: Path, program: str, *words: str) -> dict[str, float]:
    """What a program, run by the code in a folder, prints last: names and numbers as JSON."""
    own = {"PYTHONPATH": os.pathsep.join([str(tree), str(tree / "src")]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(
        command, cwd=tree, env={**os.environ, **own}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise SystemExit(f"{tree}: {last}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def in_turn(given: argparse.Namespace, unit: str, program: str, *words: str) -> None:
    """Measure this tree and the one of `--against` in turn; print medians, and of the ratios."""
    trees = [HERE] if given.against is None else [HERE, given.against.resolve()]
    found: list[list[dict[str, float]]] = []
    for k in range(given.pairs):
        found.append([measured(tree, program, *words) for tree in trees])
        print(f"pair {k + 1} of {given.pairs}: {found[-1]}", flush=True)
    for name in found[0][0]:
        pairs = [[own[name] for own in pair] for pair in found]
        line = f"{name}: {statistics.median(pair[0] for pair in pairs):.4g} {unit}"
        if given.against is not None:
            there = statistics.median(pair[1] for pair in pairs)
            ratio = statistics.median(pair[0] / pair[1] for pair in pairs)
            line += f", against {there:.4g} {unit}: {ratio:.2f} of it"
        print(line)
