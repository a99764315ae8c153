"""`python -m benchmarks.peers`: whole loop and update beside SBX, Stable-Baselines3 and d3rlpy.

Every pair is measured in turn, ours and theirs, `--pairs` times, each in a process of its own on
one core; the table gives medians and the ratio theirs / ours of times (above 1: ours is faster).
The peers live in an environment of their own, `--python` of it; `make bench-peers` makes one. Only
the ratios mean something on another machine. `--json FILE` keeps the numbers; what is there is
measured no more, so that the command can be stopped and typed again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SIDE = Path(__file__).with_name("peers_side.py")
START = 600
"""Steps of a loop before its clock starts: 500 of random actions, then everything is compiled."""


@dataclass(frozen=True)
class Case:
    """What is measured; `env` is "-" for an update."""

    what: str
    method: str
    env: str
    width: int
    peer: str

    @property
    def name(self) -> str:
        """In the table and in the file."""
        where = f"{self.env}, " if self.what == "loop" else ""
        return f"{self.what} {self.method}, {where}{self.width} x {self.width}, {self.peer}"


LOOPS = [
    Case("loop", "sac", env, width, peer)
    for env in ("Pendulum-v1", "Hopper-v5")
    for width in (256, 128)
    for peer in ("sbx", "sb3")
]
UPDATES = [
    *(Case("update", method, "-", 256, "sbx") for method in ("sac", "td3")),
    *(
        Case("update", method, "-", 256, "d3rlpy")
        for method in ("sac", "td3", "td3_bc", "iql", "cal_ql")
    ),
]


def ours(case: Case, seconds: float) -> float:
    """Steps a second, or milliseconds of an update, as a user's run takes them."""
    from warmstart.methods import METHODS

    module = METHODS[case.method]
    if case.what == "update":
        from benchmarks.updates import update_ms

        recipe = module.recipe("paper", hidden=(case.width, case.width))
        return update_ms(recipe.finetune.learner, 1, 3)[0]
    from warmstart.api import declare
    from warmstart.api.prepare import problem_of
    from warmstart.engine import Schedule, Trainer

    size = (case.width, case.width)
    changes = {
        "finetune.learner.policy.net.hidden": size,
        "finetune.learner.critic.net.hidden": size,
        "replay.warmup.steps": 500,
        "finetune.steps": 1_000_000,
    }
    declared = declare(case.method, case.env, preset="paper", changes=changes)
    looks = Schedule(fixed_episodes=1, online_every=0, early=(), films=False, compare=False)
    trainer = Trainer(declared.recipe, problem_of(declared), (0,), looks)
    began, first = 0.0, 0
    try:
        for event in trainer.run():
            if not began and event.env_steps >= START:
                began, first = time.perf_counter(), event.env_steps
            elif began and time.perf_counter() - began >= seconds and event.env_steps > first:
                return (event.env_steps - first) / (time.perf_counter() - began)
    finally:
        trainer.close()
    raise SystemExit("the run ended before its clock: take fewer --seconds")


def measured(case: Case, whose: str, python: Path, seconds: float) -> float:
    """One number, in a process of its own on one core."""
    words = [case.what, case.method, case.env, str(case.width), "--seconds", str(seconds)]
    if whose == "ours":
        command = [sys.executable, "-m", "benchmarks.peers", "--one", *words[:4], str(seconds)]
    else:
        command = [str(python), str(SIDE), whose, *words]
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        command, env={**os.environ, **one}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise SystemExit(f"{case.name}, {whose}: {last}")
    return float(json.loads(done.stdout.strip().splitlines()[-1])["value"])


def times(case: Case, found: dict[str, list[float]]) -> tuple[float, float, float]:
    """Medians of ours and theirs, and the median over pairs of their time / our time."""
    mine, theirs = found["ours"], found[case.peer]
    pairs = list(zip(mine, theirs, strict=False))
    ratios = [a / b if case.what == "loop" else b / a for a, b in pairs]
    return statistics.median(mine), statistics.median(theirs), statistics.median(ratios)


def table(kept: dict[str, dict[str, list[float]]]) -> Iterator[str]:
    """The rows of those cases that have a pair."""
    yield f"{'':<46} {'ours':>9} {'theirs':>9} {'times faster':>13}"
    for case in [*LOOPS, *UPDATES]:
        found = kept.get(case.name, {})
        if found.get("ours") and found.get(case.peer):
            mine, theirs, ratio = times(case, found)
            unit = "steps/s" if case.what == "loop" else "ms"
            yield f"{case.name:<46} {mine:>9.2f} {theirs:>9.2f} {ratio:>13.2f}  {unit}"


def main() -> None:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, default=Path(".venv-peers/bin/python"))
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--only", default="", help="cases with this text in their name")
    parser.add_argument("--json", type=Path, default=None, metavar="FILE")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        from warmstart.commands.threads import bound_threads

        what, method, env, width, seconds = given.one
        bound_threads(1)
        value = ours(Case(what, method, env, int(width), ""), float(seconds))
        print(json.dumps({"value": value}))
        return
    cases = [case for case in (*LOOPS, *UPDATES) if given.only in case.name]
    if cases and not given.python.exists():
        raise SystemExit(f"there is no {given.python}: `make bench-peers` makes it")
    kept: dict[str, dict[str, list[float]]] = {}
    if given.json is not None and given.json.exists():
        kept = json.loads(given.json.read_text())
    for _ in range(given.pairs):
        for case in cases:
            found = kept.setdefault(case.name, {"ours": [], case.peer: []})
            if min(map(len, found.values())) >= given.pairs:
                continue
            for whose in ("ours", case.peer):
                value = measured(case, whose, given.python, given.seconds)
                found[whose].append(value)
                print(f"{case.name}, {whose}: {value:.2f}", flush=True)
            if given.json is not None:
                given.json.write_text(json.dumps(kept, indent=1) + "\n")
    print("\n".join(table(kept)))


if __name__ == "__main__":
    main()
