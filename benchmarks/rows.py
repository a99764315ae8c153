"""What a long log costs: `python -m benchmarks.rows 100000 1000000 10000000`.

For each number of rows (11 observations, 3 actions, episodes of 1,000 steps) a folder of
`data convert`'s kind is written below `--folder`, and TD3-BC (`quick`) pre-trained on it by a
process of its own, as `warmstart pretrain` does. The table has

- `ms`: milliseconds an update, the median over spans of 1,000;
- `MB`: what that process held at its peak beyond what it held for a log of 10,000 rows;
- `of the log`: that as a multiple of the log (two observations, action, reward, two flags);
- `of the rows`: as a multiple of the rows that learning reads, which have the return to go, the
  place in the episode and the like beside them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.data import ACTIONS, OBS, arrays, folder
from warmstart.replay import Layout
from warmstart.types import Spec

LEAST = 10_000
LOGGED = 4 * (2 * OBS + ACTIONS + 1) + 2
"""Bytes of a row as it is logged."""
LEARNT = 4 * Layout.of(Spec(OBS, ACTIONS, 1_000)).width
"""Bytes of a row as it is learnt from."""


def train(path: Path, updates: int) -> dict[str, float]:
    """Pre-train on a folder: milliseconds an update, megabytes at the peak."""
    import warmstart as ws
    from warmstart.files.machine import peak_memory_mb

    with tempfile.TemporaryDirectory(dir=path.parent) as root:
        run = ws.pretrain(
            "td3_bc",
            "hopper",
            data=path,
            preset="quick",
            seeds=(0,),
            root=Path(root),
            pretrain_steps=updates,
            schedule={
                "log_every": 1_000,
                "offline_every": 0,
                "fixed_episodes": 1,
                "films": False,
                "compare": False,
            },
        )
        lines = [m for m in run.metrics if m["kind"] == "train" and m["phase"] == "pretrain"]
    at = [(line["updates"], line["wall"]) for line in lines]
    spans = [(t - s) / (u - v) for (v, s), (u, t) in itertools.pairwise(at)]
    return {"ms": 1e3 * statistics.median(spans), "mb": peak_memory_mb() or 0.0}


def main() -> None:
    """Measure each size, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="+")
    parser.add_argument("--updates", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--only", type=Path, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.updates < 3_000 or min(given.rows) < 0:
        parser.error("the median wants 3,000 updates or more, and a log has rows")
    if given.only is not None:
        print(json.dumps(train(given.only, given.updates)))
        return
    print(f"{'rows':>12} {'ms':>8} {'MB':>8} {'of the log':>12} {'of the rows':>12}")
    least = 0.0
    for rows in (LEAST, *given.rows):
        with tempfile.TemporaryDirectory(dir=given.folder) as name:
            path = Path(name) / "log"
            folder(path, arrays(rows))
            command = [sys.executable, "-m", "benchmarks.rows", "0", "--only", str(path)]
            command += ["--updates", str(given.updates)]
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr[-2_000:])
        found = json.loads(done.stdout.splitlines()[-1])
        least = least or found["mb"]
        more = found["mb"] - least
        shares = [f"{more * 1e6 / (rows * size):.2f}" if more else "–" for size in (LOGGED, LEARNT)]
        print(
            f"{rows:>12,} {found['ms']:>8.3f} {more:>8.0f} {shares[0]:>12} {shares[1]:>12}",
            flush=True,
        )


if __name__ == "__main__":
    main()
