"""TD3-BC with policy refinement, then fine-tuning (Beeson & Montana 2022).

    refine     critics stand still;  L_pi = -Q_1 / mean|Q_1| + (w / lambda) (pi(s) - a)^2
    fine-tune  w_k = w_0 kappa^k,  kappa = exp(log(w_N / w_0) / N),  then held at w_N

pretrain   TD3-BC, then the actor alone with the weaker constraint
handover   networks and slow copies are kept, the optimisers' moments are fresh
replay     the dataset's last 2,500 rows, then 2,500 steps of the frozen policy, then online rows
acting     pi(s) + N(0, 0.1^2), clipped
finetune   TD3-BC with the decaying weight (0.4 to 0.2 over 50,000 updates), one update a step

**Differences.** The paper's code is not public: lambda, the length of the refinement and N follow
the authors' later code and a re-implementation (lambda 5, 250,000 updates, 50,000). Also behind a
refinement the fine-tuning starts from w, not from w / lambda, as that re-implementation has it.
While refined, the actor moves every update and its slow copy with it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.acting import Noisy
from warmstart.config import only, resolve
from warmstart.handover import Handover
from warmstart.learners import ActorCritic
from warmstart.methods import td3_bc
from warmstart.methods.fields import PretrainSteps, Warmup
from warmstart.parts import BehaviourCloning, Scheduled
from warmstart.ranges import Count, Finite, Positive
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage, WarmUp


@dataclass(frozen=True)
class Refined(td3_bc.Config):
    """TD3-BC's numbers, and those of the refinement."""

    relax: Annotated[Positive, "lambda, by which w is divided in the refinement"] = 5.0
    refine: Annotated[Count, "gradient steps of the refinement"] = 250_000
    pretrain_steps: Annotated[PretrainSteps, "gradient steps of TD3-BC"] = 1_000_000


@dataclass(frozen=True)
class Faded(td3_bc.Config):
    """TD3-BC's numbers, and the fall of the online weight."""

    end: Annotated[Finite, "w_N"] = 0.2
    decay: Annotated[Count, "N, online updates in which w falls"] = 50_000


@dataclass(frozen=True)
class Online(Faded):
    """The same, and the first rows of the buffer."""

    warmup: Warmup = 2_500
    count: Annotated[Count, "the dataset's last rows, in the buffer at first"] = 2_500


@dataclass(frozen=True)
class Config(Refined, Online):
    """The numbers of TD3-BC, refined and fine-tuned."""


PRESETS: dict[str, Config] = {
    "paper": Config(),
    "quick": Config(
        hidden=(128, 128), batch=128, pretrain_steps=8_000, refine=2_000, steps=20_000,
        decay=10_000, warmup=1_000, count=1_000,
    ),
}  # fmt: skip
CITE = (
    "Beeson & Montana 2022, Improving TD3-BC: Relaxed Policy Constraint for Offline Learning and "
    "Stable Online Fine-Tuning, NeurIPS workshop",
)


def refiner(weight: float, relax: float, **numbers: Any) -> ActorCritic:
    """TD3-BC's learner with frozen critics and the weight divided by `relax`."""
    base = td3_bc.learner(weight=weight / relax, **numbers)
    return dataclasses.replace(base, trains=("actor",), actor_every=1)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """TD3-BC, refined, then fine-tuned with a decaying weight."""
    config = resolve(PRESETS, preset, changes)
    numbers = only(config, td3_bc.Numbers)
    faded = BehaviourCloning(Scheduled(config.weight, config.end, config.decay))
    return Recipe(
        name="td3_bc_pr_ft",
        pretrain=(
            Stage(td3_bc.learner(**numbers), config.pretrain_steps),
            Stage(refiner(relax=config.relax, **numbers), config.refine),
        ),
        handover=Handover(moments="fresh"),
        replay=Replay(
            preload=Preload("last", config.count),
            warmup=WarmUp(config.warmup, "policy"),
            capacity=250_000,
        ),
        acting=Noisy(0.1),
        finetune=Finetune(td3_bc.learner(constraint=faded, **numbers), Rhythm(), config.steps),
    )
