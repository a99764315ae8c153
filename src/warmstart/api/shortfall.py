"""At the end of pre-training: is the policy far below what the data, or a clone, do?"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from warmstart.api.declare import Declared
from warmstart.engine import Problem, RunEvent, Schedule, Trainer
from warmstart.errors import RecipeError
from warmstart.methods import METHODS, bc
from warmstart.methods.compose import compose
from warmstart.recipe import Recipe
from warmstart.tasks import floor_of

LOG = logging.getLogger("warmstart")
WHEN = {"pretrained": "Before the switch", "final": "At the end"}

CLONE_UPDATES, CLONE_EPISODES = 1_000, 20
FAR, POINTS = 0.25, 10.0
"""Far below a score is this share of its size below it, and on a scale of 100 at least so many
points: what an evaluation of 20 episodes tells from chance."""


def held_to_data(
    event: RunEvent, declared: Declared, problem: Problem, scores: Mapping[int, float]
) -> Iterator[RunEvent]:
    """Behind the event that ends pre-training: what there is to say of a policy far below the data.

    `scores` are the seeds' at that moment; a robot may have played no episode.
    """
    if not declared.schedule.compare or event.kind != "phase" or event.phase != "pretrain":
        return
    last = event.stage + 1 == len(declared.recipe.pretrain)
    if event.values["event"] == "end" and last and scores:
        found = shortfall(declared, problem, float(np.mean(list(scores.values()))))
        if found is not None:
            yield dataclasses.replace(event, kind="warning", values=found)


def shortfall(declared: Declared, problem: Problem, score: float) -> dict[str, Any] | None:
    """What to say of a pre-trained policy that scores far below the data; None: nothing.

    Where it does, and a simulator can tell, a clone is made of the same rows and evaluated on the
    first episodes of the first seed: seconds of learning, its compilation, and at most 20
    episodes. Nothing is said where the clone is far below the policy. A robot is not moved for it,
    and a pre-training shorter than the clone's own is not held to one.

    Returns `name`, `text` (a sentence or two), `policy_score`, `data_score` and, where a clone was
    made, `clone_score`.
    """
    data = problem.data_score
    if data is None or not _far(score, data, declared):
        return None
    found: dict[str, Any] = {"name": "below-the-data", "policy_score": score, "data_score": data}
    text = f"the data score {data:.1f}, the pre-trained policy {score:.1f}"
    updates = sum(stage.updates for stage in declared.recipe.pretrain)
    if not problem.physical and updates >= CLONE_UPDATES:
        found["clone_score"] = clone = clone_score(declared, problem)
        if _far(clone, score, declared):  # the data come from other starts, or a better view
            return None
        text += f", a clone of {CLONE_UPDATES:,} updates {clone:.1f}"
        if _far(score, clone, declared):
            return {**found, "text": f"{text}. Before fine-tuning try {_way_out(declared)}"}
    name = declared.recipe.name
    page = f" (docs/methods/{name}.md)" if name in METHODS else ""
    text += f". Before fine-tuning try other numbers for this one{page}, and look at the data "
    text += "with: warmstart data check"
    return {**found, "text": text}


def _far(score: float, other: float, declared: Declared) -> bool:
    task = declared.task
    scaled = task.success or task.reference is not None
    return score < other - max(FAR * abs(other), POINTS if scaled else 0.0)


def _way_out(declared: Declared) -> str:
    """The first pre-training of another method that this one's online learner can take over."""
    taken = dict(declared.changes).get("pretrain", declared.method)
    for name in ("iql", "td3_bc", "bc"):
        try:
            compose(declared.recipe, {"pretrain": name}, declared.preset)
        except RecipeError:
            continue
        if name != taken:
            return f"--set pretrain={name}"
    return "another method, such as bc_sac"


def clone_score(declared: Declared, problem: Problem) -> float:
    """Score of a policy cloned from the run's own rows by regression."""
    recipe = clone_recipe(declared, problem)
    episodes = min(CLONE_EPISODES, declared.schedule.fixed_episodes)
    looks = Schedule(fixed_episodes=episodes, offline_every=0, log_every=CLONE_UPDATES)
    trainer = Trainer(recipe, problem, declared.seeds[:1], looks, lambda: False)
    try:
        scores = [e.values["score"] for e in trainer.run("pretrained") if e.kind == "eval"]
    finally:
        trainer.close()
    return float(np.mean(scores))


def clone_recipe(declared: Declared, problem: Problem) -> Recipe:
    """Cloning by regression. It looks at images as the run does, in batches no larger than its:
    the default encoder would take minutes."""
    learner, batch = declared.recipe.pretrain[-1].learner, 256
    encoder = getattr(learner, "encoder", None) if problem.spec.cameras else None
    if encoder is not None:
        batch = min(batch, learner.batch)
    recipe = bc.recipe(
        "quick", pretrain_steps=CLONE_UPDATES, batch=batch, lr=1e-3, normalise="dataset"
    ).with_discount(declared.task.discount)
    if encoder is None:
        return recipe
    recipe = recipe.with_("pretrain.0.learner.encoder", encoder)
    return recipe.with_("finetune.learner.encoder", encoder)


def beside_floor(event: RunEvent, declared: Declared, ends: dict[str, dict[int, float]]) -> None:
    """Say it where seeds score no better than a policy that has learnt nothing.

    `ends` remembers the scores of a boundary until all seeds are there.
    """
    tag, floor = event.tag, floor_of(declared.task)
    if tag not in WHEN or event.seed is None:
        return
    scores = ends.setdefault(tag, {})
    scores[event.seed] = event.values["score"]
    if floor is None or len(scores) < len(declared.seeds):
        return
    if said := floor.said(scores, WHEN[tag]):
        LOG.warning("%s", said)
