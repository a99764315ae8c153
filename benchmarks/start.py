"""From the command to the first 250 online steps: `python -m benchmarks.start`.

`warmstart run wsrl pointmaze-umaze` (one seed, 200 updates offline) is started on one core with no
program kept from before, and again with what the first left; processor seconds and the clock are
read when the metrics have the look at step 250. `--against CHECKOUT` measures a checkout of another
version in turn, with the packages of this environment, and prints ratios of the processor seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LINE = (
    "run wsrl pointmaze-umaze --seeds 0 --pretrain-steps 200 --steps 1250 --fixed-episodes 2 "
    "--episodes 2 --online-every 250 --no-films --name run"
)
STEPS = 250


def arrived(metrics: Path) -> bool:
    """Whether a run's metrics have something of the online step."""
    if not metrics.exists():
        return False
    for line in metrics.read_text().splitlines():
        try:
            found = json.loads(line)
        except ValueError:  # it is being written
            continue
        if found.get("phase") == "online" and found.get("env_steps", 0) >= STEPS:
            return True
    return False


def processor_seconds(pid: int) -> float:
    """User and system time of a process that goes on (Linux)."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def measure(checkout: Path, home: Path, core: int) -> tuple[float, float]:
    """Processor seconds and the clock's until the online step, with what `home` keeps."""
    with tempfile.TemporaryDirectory(dir=home) as root:
        own = {"XDG_CACHE_HOME": str(home / "cache"), "HOME": str(home), "TMPDIR": str(home)}
        began = time.monotonic()
        run = subprocess.Popen(
            [sys.executable, "-m", "warmstart", *LINE.split(), "--root", root],
            cwd=root,
            env=os.environ | own | {"PYTHONPATH": str(checkout / "src")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        try:
            while not arrived(Path(root) / "run" / "metrics.jsonl"):
                if run.poll() is not None:
                    raise SystemExit(f"the run of {checkout} ended before step {STEPS}")
                time.sleep(0.02)
            return processor_seconds(run.pid), time.monotonic() - began
        finally:
            run.kill()
            run.wait()


def main() -> None:
    """Measure in turn, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, default=None, metavar="CHECKOUT")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=0)
    given = parser.parse_args()
    checkouts = {"here": Path(__file__).resolve().parents[1]}
    if given.against is not None:
        checkouts["there"] = given.against.resolve()
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(given.rounds):
        for name, checkout in checkouts.items():
            with tempfile.TemporaryDirectory() as home:
                for time_ in ("first", "second"):
                    took = measure(checkout, Path(home), given.core)
                    found.setdefault(f"{name}, {time_} time", []).append(took)
    medians = {name: [statistics.median(column) for column in zip(*took, strict=True)]
               for name, took in found.items()}  # fmt: skip
    print(f"{'':24} {'CPU s':>8} {'clock s':>8}")
    for name, (processor, clock) in medians.items():
        there = medians.get(name.replace("here", "there"))
        ratio = f"   {processor / there[0]:.2f}" if there and name.startswith("here") else ""
        print(f"{name:24} {processor:>8.1f} {clock:>8.1f}{ratio}")


if __name__ == "__main__":
    main()
