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

from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.acting import Noisy
from warmstart.config import only, parted, resolve
from warmstart.learners import ActorCritic
from warmstart.methods import td3
from warmstart.methods.fields import Normalised, PretrainSteps, Steps
from warmstart.parts import BehaviourCloning, Fixed, MaximiseQ
from warmstart.ranges import Finite
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage


@dataclass(frozen=True)
class Numbers(td3.Numbers):
    """What `learner` takes by name."""

    weight: Annotated[Finite, "w of the cloning term, 1 / alpha of eq. 5"] = 0.4
    normalise: Normalised = "dataset"


@dataclass(frozen=True)
class Config(Numbers):
    """The numbers of TD3-BC."""

    pretrain_steps: PretrainSteps = 1_000_000
    steps: Steps = 250_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # alpha 2.5, 1M updates, 256x2
    "quick": Config(hidden=(128, 128), batch=128, pretrain_steps=10_000, steps=20_000),
}
CITE = ("Fujimoto & Gu 2021, A Minimalist Approach to Offline Reinforcement Learning, NeurIPS",)


def learner(**given: Any) -> ActorCritic:
    """TD3's learner with the cloning term and the normalised critic, by `Numbers`; whatever else
    is given is a field of the learner."""
    n, more = parted(Numbers, given)
    own = {
        "improvement": MaximiseQ("first", normalise=True),
        "constraint": BehaviourCloning(Fixed(n.weight)),
        "normalise": n.normalise,
    }
    return td3.learner(**only(n, td3.Numbers), **{**own, **more})


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """TD3-BC, offline and online."""
    config = resolve(PRESETS, preset, changes)
    update = learner(**only(config, Numbers))
    return Recipe(
        name="td3_bc",
        pretrain=(Stage(update, config.pretrain_steps),),
        replay=Replay(preload=Preload("all")),
        acting=Noisy(0.1),
        finetune=Finetune(update, Rhythm(), config.steps),
    )
