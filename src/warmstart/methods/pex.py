"""PEX: policy expansion (Zhang, Xu & Yu 2023).

The offline policy stays as it is and a fresh one joins it; both propose, and the critic chooses.

    a_1 = mode pi_beta(.|s),  a_2 ~ pi_theta(.|s),  P(i) ~ exp(min_j Q_j(s, a_i) / alpha)   (eq. 5)
    L_theta = -min(exp(beta (min Q'(s, a~) - V(s))), 100) log pi_theta(a~|s),  a~ by that choice

pretrain   IQL, the actor's rate falling to 0 by a cosine
handover   critics, value and slow copies are kept; the actor is fresh, the old one stays, frozen
replay     half dataset, half online rows, after 5,000 steps of the composite policy
acting     the choice by value; in evaluation 10 % of actions and choices are drawn, not greedy
finetune   IQL's critic and value, the new policy regresses on the composite's own actions

**Differences.** Weights are orthogonal, not Xavier. Executed actions are clipped to the box before
they are stored. Evaluation uses environments of its own (the released script goes on from a stale
state).
"""

from __future__ import annotations

import dataclasses
from typing import Any

from warmstart.acting import ByValue
from warmstart.handover import Handover
from warmstart.methods import iql
from warmstart.parts.expansion import ExpansionRegression
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage, WarmUp
from warmstart.replay import Mixed

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},  # README's locomotion example: 0.9, 10
    "antmaze": {},
    "quick": {
        "hidden": (128, 128),
        "batch": 128,
        "pretrain": 6_000,
        "steps": 20_000,
        "warmup": 1_000,
    },
}
CITE = ("Zhang, Xu & Yu 2023, Policy Expansion for Bridging Offline-to-Online RL, ICLR", *iql.CITE)


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """IQL, then the expanded policy."""
    numbers: dict[str, Any] = {
        "expectile": 0.9,
        "beta": 10.0,
        "inverse_temperature": 10.0,
        "pretrain": 1_000_000,
        "steps": 1_000_000,
        "warmup": 5_000,
        **PRESETS[preset],
        **changes,
    }
    pretrain, steps, warmup = (numbers.pop(k) for k in ("pretrain", "steps", "warmup"))
    sharp, beta = numbers.pop("inverse_temperature"), numbers["beta"]
    offline, online = iql.learner(decay="cosine", **numbers), iql.learner(**numbers)
    grown = ExpansionRegression(beta, inverse_temperature=sharp)
    return Recipe(
        name="pex",
        pretrain=(Stage(offline, pretrain),),
        handover=Handover(actor="fresh", moments="fresh"),
        replay=Replay(Mixed(0.5), WarmUp(warmup)),
        acting=ByValue(sharp),
        finetune=Finetune(dataclasses.replace(online, improvement=grown), Rhythm(), steps),
    )
