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
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from warmstart.acting import JumpStart
from warmstart.config import only, resolve
from warmstart.errors import RecipeError
from warmstart.handover import Handover
from warmstart.methods import iql, wsrl
from warmstart.methods.fields import Online
from warmstart.ranges import NotNegative, Share
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage, WarmUp
from warmstart.replay import Mixed


@dataclass(frozen=True)
class Config(iql.Config):
    """The numbers of JSRL; the defaults are those of antmaze.

    Of the roll-in they are the sizes and lengths alone: the others are WSRL's.
    """

    variant: Annotated[
        Literal["curriculum", "random", "roll_in"], "when the learner takes over"
    ] = "curriculum"
    start: Annotated[
        Literal["cold", "warm"] | None,
        "how the learner begins (none: cold; with the roll-in from the guide's weights)",
    ] = None
    share: Annotated[Online, "share of dataset rows in an online batch"] = 0.25
    expectile: Share = 0.9
    beta: NotNegative = 10.0


PRESETS: dict[str, Config] = {
    "paper": Config(),  # antmaze; 1M updates, 1M steps
    "random": Config(variant="random"),
    "roll_in": Config(variant="roll_in", steps=500_000),  # networks of WSRL's `paper` preset
    "quick": Config(hidden=(128, 128), batch=128, beta=3.0, pretrain_steps=6_000, steps=20_000),
}
CITE = ("Uchendu et al. 2023, Jump-Start Reinforcement Learning, ICML",)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """A guide, then a learner that takes over.

    Raises RecipeError for a cold start with the roll-in, which goes on from the guide's weights.
    """
    config = resolve(PRESETS, preset, changes)
    rule = JumpStart(config.variant)
    if rule.kind == "roll_in":
        if config.start == "cold":
            raise RecipeError(
                "jsrl's roll-in goes on from the guide's weights; leave start='cold' out, or set "
                "handover.actor=fresh and handover.critic=fresh"
            )
        base = wsrl.recipe(wsrl.Config(**only(config, wsrl.Config)))
        replay = dataclasses.replace(base.replay, warmup=WarmUp())
        return dataclasses.replace(base, name="jsrl", replay=replay, acting=rule)
    fresh = Handover(actor="fresh", critic="fresh", value="fresh")
    numbers = only(config, iql.Numbers)
    return Recipe(
        name="jsrl",
        pretrain=(Stage(iql.learner(decay="cosine", **numbers), config.pretrain_steps),),
        handover=Handover() if config.start == "warm" else fresh,
        replay=Replay(Mixed(config.share), capacity=100_000),
        acting=rule,
        finetune=Finetune(iql.learner(**numbers), Rhythm(), config.steps),
    )
