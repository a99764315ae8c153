"""`python -m benchmarks.small --against FOLDER`: updates of small networks, 128 x 128, batch 128.

FOLDER is a checkout of another commit. The online update of WSRL (`quick`, four critics with
LayerNorm, one step an update), SAC, TD3 and IQL is measured in both trees in turn, in processes of
their own, `--pairs` times; the table gives medians, the median ratio of the pairs, and the share of
the arithmetic peak. Without `--against` this tree alone is measured.
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
METHODS = ("wsrl", "sac", "td3", "iql")
MEASURE = """
import json, sys
from warmstart.methods import METHODS
from benchmarks.updates import update_ms
found = {}
for name in sys.argv[1].split(","):
    same = {"ratio": 1, "layer_norm": "critic"} if name == "wsrl" else {}
    found[name] = update_ms(METHODS[name].recipe("quick", **same).finetune.learner, 1, 5)[0]
print(json.dumps(found))
"""


def updates_ms(tree: Path, methods: str) -> dict[str, float]:
    """Milliseconds of each method's update, by the code in a folder."""
    own = {"PYTHONPATH": os.pathsep.join([str(tree), str(tree / "src")]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, methods],
        cwd=tree, env={**os.environ, **own}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise SystemExit(f"{tree}: {last}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Measure in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, default=None, metavar="FOLDER")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    trees = [HERE] if given.against is None else [HERE, given.against.resolve()]
    found: list[list[dict[str, float]]] = []
    for k in range(given.pairs):
        found.append([updates_ms(tree, given.methods) for tree in trees])
        print(f"pair {k + 1} of {given.pairs}: {found[-1]}", flush=True)
    for name in given.methods.split(","):
        pairs = [[own[name] for own in pair] for pair in found]
        words = f"{name}: {statistics.median(pair[0] for pair in pairs):.3f} ms"
        if given.against is not None:
            there = statistics.median(pair[1] for pair in pairs)
            ratio = statistics.median(pair[0] / pair[1] for pair in pairs)
            words += f", against {there:.3f} ms: {ratio:.2f} of it"
        print(words)


if __name__ == "__main__":
    main()
