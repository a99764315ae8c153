"""Runs of which a part would do nothing: refused, with the number to change."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from warmstart.api.declare import Declared
from warmstart.api.numbers import names_for
from warmstart.engine import Problem
from warmstart.errors import RunError
from warmstart.learners import unwrapped
from warmstart.recipe import Recipe
from warmstart.replay import Layout


def require_learning(declared: Declared, until: Literal["pretrained", "done"] = "done") -> None:
    """Refuse (RunError) a run of which a phase would learn nothing, as far as its numbers tell.

    A method may do without learning online, and 0 online steps are no phase.
    """
    recipe = declared.recipe
    for k, stage in enumerate(recipe.pretrain):
        where = f"pretrain.{k}"
        _require_steps(stage.learner, stage.updates, f"{where}.updates={stage.updates}", where)
    rhythm, steps = recipe.finetune.rhythm, recipe.finetune.steps
    if until == "pretrained" or steps == 0 or rhythm.updates == 0:
        return
    blocks, warmup = online_blocks(recipe), recipe.replay.warmup.steps
    if blocks == 0 and warmup >= steps:
        raise RunError(
            f"all {steps:,} online steps are warm-up, in which nothing is learnt "
            f"(replay.warmup.steps={warmup}); give --steps {2 * warmup} or more, or "
            f"--set replay.warmup.steps={steps // 10}"
        )
    if blocks == 0:
        sooner = (
            ""
            if getattr(recipe.finetune.learner, "on_policy", False)
            else ", or --set finetune.rhythm.every=1"
        )
        raise RunError(
            f"{steps:,} online steps end before the first update: one block of learning is due "
            f"every {rhythm.every:,} steps, after {warmup:,} of warm-up; give --steps "
            f"{warmup + 2 * rhythm.every} or more{sooner}"
        )
    if blocks is not None:
        updates = rhythm.updates * (blocks - 1 + rhythm.first)
        said = f"{steps:,} online steps with {updates:,} updates"
        _require_steps(recipe.finetune.learner, updates, said, "finetune")


def require_chunks(declared: Declared, problem: Problem) -> None:
    """Refuse (RunError) chunks that no episode is long enough for: no target would be known."""
    chunk, horizon = declared.recipe.finetune.learner.chunk, problem.spec.horizon
    if chunk == 1:
        return
    named = "length" in names_for(declared.method)
    how = "--set length={0}" if named else "--set learner.length={0} --set acting.length={0}"
    ways = f"make chunks shorter, with {how}"
    if horizon and chunk > horizon:
        raise RunError(
            f"chunks of {chunk} actions are longer than an episode of {problem.env_name}, which "
            f"ends after {horizon} steps; {ways.format(max(1, horizon // 5))}"
        )
    if problem.rows is None or not len(problem.rows):
        return
    ends = np.flatnonzero(problem.rows[:, Layout.of(problem.spec).last] > 0) + 1
    longest = int(np.max(np.diff(ends, prepend=0), initial=0))
    if chunk > longest:
        raise RunError(
            f"chunks of {chunk} actions are longer than the longest logged episode, of {longest} "
            f"steps; {ways.format(max(1, longest // 5))}"
        )


def online_blocks(recipe: Recipe) -> int | None:
    """Blocks of learning within the online steps; None: whole episodes decide."""
    every, steps = recipe.finetune.rhythm.every, recipe.finetune.steps
    warmup = recipe.replay.warmup.steps
    if steps <= warmup:
        return 0
    return steps // every - warmup // every if every else None


def _require_steps(learner: Any, updates: int, said: str, where: str) -> None:
    """Refuse updates of which no whole one, or none of the actor's, would be taken."""
    u = learner.minibatches
    if updates < u:
        raise RunError(
            f"{said} is less than one update of {u} minibatches: nothing would be learnt; give a "
            f"multiple of {u}"
        )
    inner = unwrapped(learner)
    every, first = getattr(inner, "actor_every", 1), getattr(inner, "actor_from", 0)
    last = updates // u // every * every
    if "actor" in getattr(inner, "trains", ("actor",)) and (last == 0 or (last - 1) * u < first):
        name = "actor_from" if first else "actor_every"
        raise RunError(
            f"{said}: the policy would never learn, its first step comes later "
            f"({where}.learner.{name}={first or every}); give more, or a smaller {name}"
        )


def remarks(declared: Declared, problem: Problem) -> list[tuple[str, str]]:
    """(name, sentence) of what a run will do less than one might think."""
    recipe, said = declared.recipe, []
    rhythm, steps = recipe.finetune.rhythm, recipe.finetune.steps
    asked = [path for path, _ in declared.changes]
    if rhythm.updates == 0 and steps and "finetune.rhythm.updates" in asked:
        text = f"Nothing is learnt in the {steps:,} online steps (finetune.rhythm.updates=0)."
        said.append(("nothing-learnt", text))
    rows = 0 if problem.rows is None else len(problem.rows)
    for stage in recipe.pretrain:
        batch = stage.learner.batch
        if rows and batch > rows:
            text = (
                f"A batch has {batch:,} rows and the data only {rows:,}: each stands in it about "
                f"{batch / rows:.0f} times. Try --set learner.batch={max(1, rows // 4)}."
            )
            said.append(("few-rows", text))
            break
    return said
