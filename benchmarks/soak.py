"""`python -m benchmarks.soak` (`make soak`): a long online run, whose memory must stand still.

SAC on a JAX task, an update every 50 steps, with a ring that is full after a twentieth of the run.
Resident memory, open files and threads of the process are read a tenth of the way in and at the
end: memory may differ by less than 3 %, the other two not at all. Exits with 1 where they do.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import warmstart as ws

TASK, EVERY = "jax-pointmass", 50
MOST = 0.03


def now() -> dict[str, int]:
    """Resident bytes, open files and threads of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "memory": pages * os.sysconf("SC_PAGE_SIZE"),
        "files": len(os.listdir("/proc/self/fd")),
        "threads": len(os.listdir("/proc/self/task")),
    }


def soak(steps: int, root: Path) -> dict[int, dict[str, int]]:
    """Run, and read at every tenth of the way."""
    found: dict[int, dict[str, int]] = {}

    def observe(event: Any) -> None:
        tenth = event.env_steps // (steps // 10)
        if event.kind == "safe" and event.phase == "online" and tenth not in found:
            found[tenth] = now()
            print(f"{event.env_steps:>10,} steps", found[tenth], flush=True)

    ws.run(
        "sac", TASK, steps=steps, root=root, name="soak", observe=observe,
        changes={"finetune.rhythm.every": EVERY, "finetune.rhythm.updates": 1,
                 "replay.capacity": steps // 20, "nets.hidden": "32",
                 "replay.warmup.steps": min(1_000, steps // 20)},
        schedule={"episodes": 1, "fixed_episodes": 1, "online_every": max(1, steps // 20),
                  "early": (), "log_every": max(1, steps // 200), "films": False},
    )  # fmt: skip
    return found


def main() -> None:
    """Run, compare, and say so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        found = soak(given.steps, Path(root))
    first, last = found[1], found[max(found)]
    grown = last["memory"] / first["memory"] - 1.0
    same = all(first[name] == last[name] for name in ("files", "threads"))
    print(f"memory {first['memory'] / 1e6:.1f} MB after a tenth, {grown:+.2%} at the end; "
          f"files {first['files']} and {last['files']}, "
          f"threads {first['threads']} and {last['threads']}")  # fmt: skip
    sys.exit(0 if abs(grown) < MOST and same else 1)


if __name__ == "__main__":
    main()
