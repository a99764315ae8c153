"""What a method's update costs against its parts: `python -m benchmarks.parts [METHOD ...]`.

The parts of an update are the same learner with one network alone in `trains`, each a program of
its own: the critics' step, the actor's (with that of further networks), the value's. Several agents
are so many single learners.
Composed in one program they must not cost over 15 % more than the parts' sum. `make bench` prints
these lines too. The programs of a method run one after the other: on a quiet machine, please.
"""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from benchmarks.updates import update_ms
from warmstart.engine.seeds import Seeds
from warmstart.learners import ActorCritic, Agents, Chunked
from warmstart.methods import METHODS

MORE = 1.15
Split = ActorCritic | Agents | Chunked
"""Learners whose update is made of parts."""


def parts_of(learner: Split) -> list[tuple[ActorCritic | Chunked, int]]:
    """The learners whose updates make up one update, and how often each."""
    if isinstance(learner, Chunked):
        inner = parts_of(learner.learner)
        return [(dataclasses.replace(learner, learner=part), n) for part, n in inner]
    if isinstance(learner, Agents):
        return [(learner.learner, learner.count)]
    names = [
        name
        for name in learner.trains
        if name == "actor" or getattr(learner, "value_fit" if name == "value" else name) is not None
    ]
    # Further networks learn with every critic step, and the actor's part may read them.
    beside = "actor" if "actor" in names else names[-1]
    return [
        (
            dataclasses.replace(
                learner, trains=(name,), extras=learner.extras if name == beside else ()
            ),
            1,
        )
        for name in names
    ]


def learners() -> dict[str, Split]:
    """What each method learns with at its authors' sizes; a learner that two share stands once."""
    found: dict[str, Split] = {}
    for name, module in METHODS.items():
        recipe = module.recipe("paper")
        for stage in (recipe.finetune, *recipe.pretrain):
            learner, offline = stage.learner, "" if stage is recipe.finetune else " offline"
            if isinstance(learner, Split) and learner not in found.values():
                found[name + offline] = learner
    return found


def table(repeats: int, names: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Print and return milliseconds of updates, of the sum of their parts, and the ratio."""
    print(f"\n{'an update against its parts':30s} {'whole':>9s} {'parts':>9s} {'ratio':>6s}")
    out = []
    for name, learner in learners().items():
        if names and name.partition(" ")[0] not in names:
            continue
        split = parts_of(learner)
        if len(split) == 1 == split[0][1]:
            continue  # one part: the update itself
        programs = [learner, *(part for part, _ in split)]
        whole, *times = (update_ms(program, 1, repeats)[0] for program in programs)
        total = sum(n * ms for (_, n), ms in zip(split, times, strict=True))
        note = "" if whole <= MORE * total else "  over 15 %"
        print(f"{name:30s} {whole:7.2f}ms {total:7.2f}ms {whole / total:6.2f}{note}", flush=True)
        out.append({"name": name, "ms": whole, "parts_ms": total})
    return out


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("names", nargs="*", metavar="METHOD")
    reader.add_argument("--repeats", type=int, default=3)
    given = reader.parse_args()
    Seeds(1)  # the allocator's setting comes before the first program
    table(given.repeats, tuple(given.names))
