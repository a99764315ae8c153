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
from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.acting import ByValue
from warmstart.config import only, resolve
from warmstart.handover import Handover
from warmstart.methods import iql
from warmstart.methods.fields import Online
from warmstart.parts.expansion import ExpansionRegression
from warmstart.ranges import NotNegative, Share, Whole
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage, WarmUp
from warmstart.replay import Mixed


@dataclass(frozen=True)
class Config(iql.Config):
    """The numbers of PEX; the defaults are those of the README's locomotion example."""

    inverse_temperature: Annotated[NotNegative, "1 / alpha of eq. 5"] = 10.0
    warmup: Annotated[Whole, "steps by the composite policy before the first update"] = 5_000
    share: Online = 0.5
    expectile: Share = 0.9
    beta: NotNegative = 10.0


PRESETS: dict[str, Config] = {
    "paper": Config(),  # README's locomotion example: 0.9, 10
    "antmaze": Config(),
    "quick": Config(
        hidden=(128, 128), batch=128, beta=3.0, pretrain_steps=6_000, steps=20_000, warmup=1_000
    ),
}
CITE = ("Zhang, Xu & Yu 2023, Policy Expansion for Bridging Offline-to-Online RL, ICLR", *iql.CITE)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """IQL, then the expanded policy."""
    config = resolve(PRESETS, preset, changes)
    numbers, sharp = only(config, iql.Numbers), config.inverse_temperature
    offline, online = iql.learner(decay="cosine", **numbers), iql.learner(**numbers)
    grown = ExpansionRegression(config.beta, inverse_temperature=sharp)
    expanded = dataclasses.replace(online, improvement=grown)
    return Recipe(
        name="pex",
        pretrain=(Stage(offline, config.pretrain_steps),),
        handover=Handover(actor="fresh", moments="fresh"),
        replay=Replay(Mixed(config.share), WarmUp(config.warmup)),
        acting=ByValue(sharp),
        finetune=Finetune(expanded, Rhythm(), config.steps),
    )
