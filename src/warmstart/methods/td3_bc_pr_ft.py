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
from typing import Any

from warmstart.acting import Noisy
from warmstart.handover import Handover
from warmstart.learners import ActorCritic
from warmstart.methods import td3_bc
from warmstart.parts import BehaviourCloning, Scheduled
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage, WarmUp

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "quick": {
        "hidden": (128, 128), "batch": 128, "pretrain": 8_000, "refine": 2_000, "steps": 20_000,
        "decay": 10_000, "warmup": 1_000, "count": 1_000,
    },
}  # fmt: skip
CITE = (
    "Beeson & Montana 2022, Improving TD3-BC: Relaxed Policy Constraint for Offline Learning and "
    "Stable Online Fine-Tuning, NeurIPS workshop",
)


def refiner(weight: float, relax: float, **numbers: Any) -> ActorCritic:
    """TD3-BC's learner with frozen critics and the weight divided by `relax`."""
    base = td3_bc.learner(weight / relax, **numbers)
    return dataclasses.replace(base, trains=("actor",), actor_every=1)


def recipe(
    preset: str = "paper", name: str = "td3_bc_pr_ft", refined: bool = True, **changes: Any
) -> Recipe:
    """TD3-BC, refined (or not), then fine-tuned with a decaying weight."""
    numbers: dict[str, Any] = {
        "weight": 0.4, "end": 0.2, "relax": 5.0, "decay": 50_000, "pretrain": 1_000_000,
        "refine": 250_000, "steps": 250_000, "warmup": 2_500, "count": 2_500,
        **PRESETS[preset], **changes,
    }  # fmt: skip
    weight, end, relax, decay = (numbers.pop(k) for k in ("weight", "end", "relax", "decay"))
    pretrain, refine, steps = (numbers.pop(k) for k in ("pretrain", "refine", "steps"))
    warmup, count = numbers.pop("warmup"), numbers.pop("count")
    stages = (Stage(td3_bc.learner(weight, **numbers), pretrain),)
    if refined:
        stages += (Stage(refiner(weight, relax, **numbers), refine),)
    faded = BehaviourCloning(Scheduled(weight, end, decay))
    return Recipe(
        name=name,
        pretrain=stages,
        handover=Handover(moments="fresh"),
        replay=Replay(
            preload=Preload("last", count), warmup=WarmUp(warmup, "policy"), capacity=250_000
        ),
        acting=Noisy(0.1),
        finetune=Finetune(td3_bc.learner(constraint=faded, **numbers), Rhythm(), steps),
    )
