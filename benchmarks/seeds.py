"""Eight seeds in one process against one: `python -m benchmarks.seeds`.

Milliseconds an update of one seed in a process that has one core, and of `--seeds` seeds side by
side in a process that has all of them, in turn, the least of some rounds. `share` is what a seed
costs then, as a multiple of one's alone divided by the cores: 1 where nothing is lost.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from benchmarks.updates import update_ms
from warmstart.learners import Learner
from warmstart.methods import METHODS


def learners() -> dict[str, Learner]:
    """What is measured: online learners and offline ones, of `quick` and of the paper's sizes."""
    quick = {name: METHODS[name].recipe(METHODS[name].PRESETS["quick"]) for name in ("wsrl", "iql")}
    paper = {name: METHODS[name].recipe("paper") for name in ("sac", "iql", "td3_bc")}
    return {
        "WSRL online, quick": quick["wsrl"].finetune.learner,
        "IQL, quick": quick["iql"].pretrain[0].learner,
        "SAC, paper": paper["sac"].finetune.learner,
        "IQL, paper": paper["iql"].pretrain[0].learner,
        "TD3-BC, paper": paper["td3_bc"].pretrain[0].learner,
    }


def alone(name: str, seeds: int, repeats: int, cores: set[int]) -> float:
    """Milliseconds an update, in a process of its own that has these cores."""
    words = ["--only", name, "--seeds", str(seeds), "--repeats", str(repeats)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.seeds", *words],
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2_000:])
    return float(done.stdout.split()[-1])


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only is not None:
        print(update_ms(learners()[given.only], given.seeds, given.repeats)[0])
        return
    cores = os.sched_getaffinity(0)
    print(f"{'':24} {'1 seed, ms':>12} {f'{given.seeds} seeds, ms':>14} {'share':>8}")
    for name in learners():
        one = alone(name, 1, given.repeats, {min(cores)})
        many = alone(name, given.seeds, given.repeats, cores)
        share = many / given.seeds * min(len(cores), given.seeds) / one
        print(f"{name:24} {one:>12.3f} {many:>14.3f} {share:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
