"""JSRL: jump-start reinforcement learning (Uchendu et al. 2023).

A guide acts for the first h steps of an episode, the learner goes on; h shrinks while it keeps up.

    h_k = H (1 - k / n),  k <- k + 1 where the moving average of evaluations keeps up   (alg. 1)

pretrain   IQL, the guide, its actor's rate falling by a cosine
handover   everything is fresh (`start="warm"`: everything is kept); the guide stays, frozen
replay     a quarter dataset, three quarters of the newest 100,000 online rows
acting     the guide, then the learner: by curriculum, by a random h, or rolled in
finetune   IQL, one update after every step

With `variant="roll_in"` the guide is WSRL's pre-training and the learner its high-ratio SAC, from
the same weights, on online rows only: the baseline that WSRL compares with.

**Differences.** H is the mean length of the evaluation at the switch. The evaluation interval is
part of the method: the paper's is 10,000 steps. Evaluated as it acts, guide included. The roll-in
follows ExPLORe's code (probability 0.9, then 0.99 a step), as WSRL's authors advise.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from warmstart.acting import JumpStart
from warmstart.errors import RecipeError
from warmstart.handover import Handover
from warmstart.methods import iql, wsrl
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage, WarmUp
from warmstart.replay import Mixed

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {"expectile": 0.9, "beta": 10.0},  # antmaze; 1M updates, 1M steps
    "random": {"expectile": 0.9, "beta": 10.0, "variant": "random"},
    "roll_in": {"variant": "roll_in"},  # networks of WSRL's `paper` preset
    "quick": {
        "hidden": (128, 128),
        "batch": 128,
        "expectile": 0.9,
        "beta": 10.0,
        "pretrain": 6_000,
        "steps": 20_000,
    },
}
CITE = ("Uchendu et al. 2023, Jump-Start Reinforcement Learning, ICML",)


def recipe(
    preset: str = "paper",
    variant: Literal["curriculum", "random", "roll_in"] | None = None,
    start: Literal["cold", "warm"] | None = None,
    **changes: Any,
) -> Recipe:
    """A guide, then a learner that takes over.

    `variant` None: the preset's, else the curriculum. `start` None: cold.
    Raises RecipeError for a cold start with the roll-in, which goes on from the guide's weights.
    """
    numbers = {"variant": "curriculum", **PRESETS[preset], **changes}
    usual = numbers.pop("variant")
    rule = JumpStart(variant or usual)
    if rule.kind == "roll_in":
        if start == "cold":
            raise RecipeError(
                "jsrl's roll-in goes on from the guide's weights; leave start='cold' out, or set "
                "handover.actor=fresh and handover.critic=fresh"
            )
        base = wsrl.recipe(preset if preset in wsrl.PRESETS else "paper", **changes)
        replay = dataclasses.replace(base.replay, warmup=WarmUp())
        return dataclasses.replace(base, name="jsrl", replay=replay, acting=rule)
    pretrain, steps = numbers.pop("pretrain", 1_000_000), numbers.pop("steps", 1_000_000)
    kept = Handover() if start == "warm" else Handover(actor="fresh", critic="fresh", value="fresh")
    return Recipe(
        name="jsrl",
        pretrain=(Stage(iql.learner(decay="cosine", **numbers), pretrain),),
        handover=kept,
        replay=Replay(Mixed(0.25), capacity=100_000),
        acting=rule,
        finetune=Finetune(iql.learner(**numbers), Rhythm(), steps),
    )
