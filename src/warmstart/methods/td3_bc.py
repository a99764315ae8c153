"""TD3-BC: TD3 with a behaviour-cloning term (Fujimoto & Gu 2021), offline and then online.

    L_pi = -Q_1(s, pi(s)) / mean|Q_1| + w (pi(s) - a)^2,  w = 1 / 2.5 = 0.4          (eq. 3, 5)

with the normaliser a constant, and observations scaled by the dataset's mean and deviation.

pretrain   TD3-BC on the dataset
handover   everything is kept
replay     the dataset stands in the buffer; online rows are appended
acting     pi(s) + N(0, 0.1^2), clipped
finetune   the same loss, one update after every step (Luo et al. 2023, table 1)

**Differences.** Written as -Q/mean|Q| + w (..)^2, the paper's loss divided by 2.5: Adam does not
see the scale. Observation statistics are exact and stay fixed online.
"""

from __future__ import annotations

from typing import Any

from warmstart.acting import Noisy
from warmstart.learners import ActorCritic
from warmstart.methods import td3
from warmstart.parts import BehaviourCloning, Fixed, MaximiseQ
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},  # alpha 2.5, 1M updates, 256x2
    "quick": {"hidden": (128, 128), "batch": 128, "pretrain": 10_000, "steps": 20_000},
}
CITE = ("Fujimoto & Gu 2021, A Minimalist Approach to Offline Reinforcement Learning, NeurIPS",)


def learner(weight: float = 0.4, **numbers: Any) -> ActorCritic:
    """TD3's learner with the cloning term and the normalised critic."""
    return td3.learner(
        **{
            "improvement": MaximiseQ("first", normalise=True),
            "constraint": BehaviourCloning(Fixed(weight)),
            "normalise": "dataset",
            **numbers,
        }
    )


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """TD3-BC, offline and online."""
    numbers = {"pretrain": 1_000_000, "steps": 250_000, **PRESETS[preset], **changes}
    pretrain, steps = numbers.pop("pretrain"), numbers.pop("steps")
    update = learner(**numbers)
    return Recipe(
        name="td3_bc",
        pretrain=(Stage(update, pretrain),),
        replay=Replay(preload=Preload("all")),
        acting=Noisy(0.1),
        finetune=Finetune(update, Rhythm(), steps),
    )
