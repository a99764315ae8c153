"""`python -m benchmarks.gpu`: many seeds on one accelerator, beside what others published.

For 1, 8, 32 and 128 seeds side by side: updates a second in total, and how long a million updates
of each seed take, of IQL, TD3-BC and WSRL (its pre-training and its online updates) at 256 x 256;
then environment steps a second of whole-loop training in the JAX maze. `--seconds` is spent on
each line, behind its compilation, and what a million updates take is carried on from it. It runs
on a processor too, where no line means much: `--seeds 1,2 --seconds 1`. `--json FILE` keeps the
numbers.

Published, all from the pages of their authors: JAX-CORL's IQL and TD3+BC 9 minutes each for one
seed of 1M updates on a GTX 1080 Ti, which is about 1,850 updates a second; rejax on an A100 in
total about 94,000 (TD3, 200 agents) and 115,000 (SAC, 300 agents), if one update a step is meant;
SAC at replay ratio 32 with ten seeds about 6,350 in total on an A100, with its environments on the
processor.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax

from benchmarks.updates import update_ms
from warmstart.api import declare
from warmstart.api.prepare import problem_of
from warmstart.engine import Schedule, Trainer
from warmstart.learners import Learner
from warmstart.methods import METHODS, iql, td3_bc

MILLION = 1_000_000
PUBLISHED = 1_850.0
"""Updates a second of one seed of IQL or TD3-BC."""
WANTED = "ten seeds of 1M updates in under 6 minutes"


def learners() -> dict[str, Learner]:
    """What is timed, at the papers' sizes."""
    wsrl = METHODS["wsrl"].recipe("antmaze")
    return {
        "iql": iql.learner(),
        "td3_bc": td3_bc.learner(),
        "wsrl, pre-training": wsrl.pretrain[0].learner,
        "wsrl, online": wsrl.finetune.learner,
    }


@dataclasses.dataclass(frozen=True)
class Line:
    """One case: `ms` of an update of all `seeds` together, `compile_s` before the first."""

    name: str
    seeds: int
    ms: float
    compile_s: float

    @property
    def total(self) -> float:
        """Updates a second of all seeds."""
        return 1e3 * self.seeds / self.ms

    @property
    def minutes(self) -> float:
        """Of a million updates of every seed, compilation included."""
        return (self.ms * MILLION / 1e3 + self.compile_s) / 60

    def __str__(self) -> str:
        return (
            f"{self.name:22s} {self.seeds:4d} {self.ms:10.3f} {self.total:12,.0f} "
            f"{self.total / PUBLISHED:8.1f} {self.minutes:10.1f} {self.compile_s:9.1f}"
        )


def maze_steps(seeds: int, seconds: float) -> float:
    """Environment steps a second of all seeds: SAC in the JAX maze, an update a step."""
    declared = declare("sac", "jax-pointmaze-medium", preset="quick", changes=_SMALL)
    problem, looks = problem_of(declared), dataclasses.replace(_NEVER, log_every=500)
    trainer = Trainer(declared.recipe, problem, range(seeds), looks, lambda: False)
    first: tuple[int, float] | None = None
    rate = 0.0
    try:
        for event in trainer.run("done"):
            if event.kind != "train":
                continue
            now = time.perf_counter()
            if first is None or event.env_steps == first[0]:
                first = (event.env_steps, now)  # compiled, and every seed's line of this step
                continue
            rate = seeds * (event.env_steps - first[0]) / (now - first[1])
            if now - first[1] >= seconds:
                break
    finally:
        trainer.close()
    return rate


_SMALL = {"finetune.steps": 10 * MILLION, "replay.capacity": MILLION, "nets.hidden": "256,256"}
_NEVER = Schedule(
    episodes=1, fixed_episodes=1, offline_every=0, online_every=0, early=(), films=False
)


def main(argv: Sequence[str] | None = None) -> list[Line]:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--seeds", default="1,8,32,128")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--methods", default="", help="comma-separated beginnings of names")
    parser.add_argument("--json", type=Path, default=None)
    chosen = parser.parse_args(argv)
    counts = [int(word) for word in chosen.seeds.split(",")]
    print(f"device: {jax.devices()[0].device_kind}; wanted: {WANTED}\n")
    heads = f"{'':22s} {'seeds':>4s} {'ms':>10s} {'updates/s':>12s} {'x 1,850':>8s}"
    print(f"{heads} {'min for 1M':>10s} {'compile s':>9s}")
    lines: list[Line] = []
    for name, learner in learners().items():
        if not name.startswith(tuple(chosen.methods.split(","))):
            continue
        for count in counts:
            # A round is 0.8 seconds.
            found = update_ms(learner, count, max(1, round(chosen.seconds / 0.8)))
            lines.append(Line(name, count, *found))
            print(lines[-1], flush=True)
    print("\nenvironment steps a second in the JAX maze, all seeds, an update a step:")
    steps: dict[str, Any] = {}
    for count in counts:
        steps[str(count)] = rate = maze_steps(count, chosen.seconds)
        print(f"{count:4d} seeds: {rate:12,.0f}", flush=True)
    if chosen.json is not None:
        updates = [dataclasses.asdict(line) for line in lines]
        device = jax.devices()[0].device_kind
        record = {"device": device, "updates": updates, "maze_steps": steps}
        chosen.json.write_text(json.dumps(record, indent=1) + "\n")
    return lines


if __name__ == "__main__":
    main()
