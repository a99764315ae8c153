"""REDQ: randomised ensembled double Q-learning (Chen et al. 2021).

    y    = r + gamma m (min_{i in M} Q'_i(s', a') - alpha log pi(a'|s')),  |M| = 2 of 10  (alg. 1)
    L_pi = alpha log pi(a|s) - mean_i Q_i(s, a)

pretrain   nothing
handover   nothing crosses
replay     online rows only, after 5,000 uniformly random steps
acting     a draw from the policy
finetune   SAC with the ensemble, 20 critic steps a step, then one actor step

**Differences.** The temperature's gradient is taken on alpha, not on log alpha. The target entropy
is -A; the authors use the per-robot table of MBPO (`temperature.target`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.config import only, resolve
from warmstart.methods import sac
from warmstart.methods.fields import Aggregate, Init, Members, Random, Steps, Subset
from warmstart.ranges import Count
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, WarmUp


@dataclass(frozen=True)
class Numbers(sac.Numbers):
    """SAC's numbers with an ensemble's defaults: table 4 of the paper."""

    members: Members = 10
    subset: Subset = 2
    aggregate: Aggregate = "mean"
    init: Init = "xavier_uniform"
    minibatches: Annotated[Count, "critic steps for one of the actor, and after every step"] = 20


@dataclass(frozen=True)
class Config(Numbers):
    """The numbers of REDQ."""

    steps: Steps = 1_000_000
    random: Random = 5_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # table 4 of the paper: N 10, M 2, UTD 20, 256x2, batch 256, lr 3e-4
    "quick": Config(
        hidden=(128, 128), batch=128, members=5, minibatches=4, steps=20_000, random=1_000
    ),
}
CITE = ("Chen et al. 2021, Randomized Ensembled Double Q-Learning: Learning Fast Without a Model",)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """REDQ from scratch."""
    config = resolve(PRESETS, preset, changes)
    update = sac.learner(minibatches=config.minibatches, **only(config, sac.Numbers))
    return Recipe(
        name="redq",
        replay=Replay(warmup=WarmUp(config.random, "random")),
        finetune=Finetune(update, Rhythm(1, config.minibatches), config.steps),
    )
