"""The laws that every method of the table passes, for a method of the user's own."""

from __future__ import annotations

import math
import signal
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.api.base import stands_on_base
from warmstart.api.declare import Declared, declare
from warmstart.api.driver import Interrupted
from warmstart.api.run import resume, start
from warmstart.errors import DivergedError
from warmstart.recipe import Recipe
from warmstart.replay import Newest
from warmstart.runs.records import Record, comparable, read

TASK = "jax-pointmass"
SEEDS = (0, 3)
FINITE = "it runs from end to end, and every number is finite"
UPDATES, STEPS, BLOCK = 40, 240, 40
"""Of each pre-training stage; online; and of one block of learning at the most."""


@dataclass(frozen=True)
class Law:
    """Whether a law holds, and in words what was seen."""

    name: str
    holds: bool
    seen: str


def check(method: str, *, preset: str | None = None) -> Iterator[Law]:
    """Run a method's recipe on a small task and compare; each law as soon as it is known.

    The recipe keeps its parts and networks; its numbers of updates and steps are cut down. What
    is compared is compared to the last bit. Takes a minute or two; writes to a temporary folder.

    Raises:
        RecipeError: there is no such method or preset, or it gives no recipe.
        WarmstartError: the run is refused or fails; that is then the law's own message.
    """
    declared = _small(method, preset)
    same = Recipe.from_json(declared.recipe.to_json()) == declared.recipe
    yield Law(
        "written as JSON and read back it is the same recipe",
        same,
        "equal" if same else "a field is changed by it; give your part plain values and parts only",
    )
    with tempfile.TemporaryDirectory() as root:
        try:
            whole = read(start(declared, root, "whole", "done").folder)
        except DivergedError as error:
            yield Law(FINITE, False, str(error).partition(". ")[0])
            return
        yield _finite(whole)
        alone = read(start(_small(method, preset, SEEDS[1:]), root, "alone", "done").folder)
        yield _equal(
            "one seed alone equals it among others",
            [line for line in whole if line["seed"] == SEEDS[1]],
            [line for line in alone if line["seed"] == SEEDS[1]],
        )
        name = "stopped and resumed equals unbroken"
        again = _broken(declared, root)
        if again is None:
            yield Law(name, False, "not tried: Ctrl-C is not heard here; run it in the foreground")
        else:
            yield _equal(name, whole, again)


def _small(method: str, preset: str | None, seeds: tuple[int, ...] = SEEDS) -> Declared:
    recipe = declare(method, TASK, preset=preset).recipe
    rhythm, minibatches = recipe.finetune.rhythm, recipe.finetune.learner.minibatches
    updates = min(rhythm.updates, BLOCK // minibatches * minibatches or minibatches)
    changes: dict[str, Any] = {
        **{f"pretrain.{i}.updates": UPDATES for i in range(len(recipe.pretrain))},
        "finetune.rhythm.every": min(rhythm.every, BLOCK),
        "finetune.rhythm.updates": updates,
        "replay.warmup.steps": min(recipe.replay.warmup.steps, BLOCK),
        "finetune.steps": STEPS,
    }
    if isinstance(recipe.replay.source, Newest):
        changes["replay.source.rows"] = changes["finetune.rhythm.every"]
        changes["finetune.learner.batch"] = min(recipe.finetune.learner.batch, BLOCK)
    base = _still if stands_on_base(recipe) else None
    schedule = {
        "episodes": 1, "fixed_episodes": 2, "offline_every": UPDATES // 2, "online_every": STEPS,
        "early": (0, STEPS // 2), "log_every": UPDATES // 2,
    }  # fmt: skip
    return declare(
        method, TASK, preset=preset, seeds=seeds, changes=changes, schedule=schedule, policy=base
    )


def _still(obs: np.ndarray) -> np.ndarray:
    """A base policy that does nothing."""
    return np.zeros(2, np.float32)


def _finite(lines: list[Record]) -> Law:
    for line in lines:
        for key, value in line["values"].items():
            if value is None or (isinstance(value, float) and not math.isfinite(value)):
                where = f"{line['phase']} update {line['updates']}, seed {line['seed']}"
                return Law(FINITE, False, f"{key} is not finite at {where}")
    names = {key for line in lines if line["kind"] == "train" for key in line["values"]}
    return Law(FINITE, True, f"{len(names)} metrics logged: {', '.join(sorted(names))}")


def _broken(declared: Declared, root: str) -> list[Record] | None:
    """The lines of a run that is stopped half-way online, and resumed; None if it never stopped."""

    heard = threading.current_thread() is threading.main_thread()

    def stop(event: Any) -> None:
        half = event.phase == "online" and event.env_steps == STEPS // 2
        # Once: a second Ctrl-C would not wait for the run to save itself.
        if heard and half and event.kind == "eval" and event.seed == SEEDS[0]:
            signal.raise_signal(signal.SIGINT)

    try:
        start(declared, root, "broken", "done", stop)
    except Interrupted:
        return read(resume(f"{root}/broken", policy=declared.base).folder)
    return None


def _equal(name: str, ours: list[Record], theirs: list[Record]) -> Law:
    for a, b in zip(comparable(ours), comparable(theirs), strict=False):
        if a != b:
            where = f"{a['kind']} line, {a['phase']}, update {a['updates']}, step {a['env_steps']}"
            return Law(name, False, f"they part at the {where}")
    same = len(ours) == len(theirs)
    return Law(name, same, f"{len(ours)} lines, equal" if same else "one of them is shorter")
