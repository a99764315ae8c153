"""Adaptive BC: REDQ TD3-BC whose cloning weight follows the returns (Zhao et al. 2022).

    y    = r + gamma m min_{i in M} Q'_i(s', clip(pi'(s') + eps)),  |M| = 2 of 10
    L_pi = -mean_i Q_i(s, pi(s)) / mean|..| + w (pi(s) - a)^2
    online, at the end of an episode of T steps with score R:
    w <- clip(w + T (k_p (R_avg - 1.05) + k_d max(0, R_avg - R)), 0, 0.4)               (eq. 5)

pretrain   the same losses with w = 0.4
handover   everything is kept
replay     50,000 random dataset rows, online rows are appended, 250,000 in all
acting     pi(s) + N(0, 0.1^2), clipped
finetune   the same losses, w by the rule, 10 updates after every step

**Differences.** The rule's factor T, clip and running average are the released code's; the paper
omits them. 50,000 rows always, where the code takes 5 % of a set of more than a million. R_avg
starts from the evaluation at the switch (20 or more episodes), not from one episode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.acting import Noisy
from warmstart.config import only, resolve
from warmstart.learners import ActorCritic
from warmstart.methods import td3
from warmstart.methods.fields import Members, PretrainSteps, Steps, Subset
from warmstart.nets.spec import NetSpec
from warmstart.parts import BehaviourCloning, Fixed, MaximiseQ, ReturnControlled, Weight
from warmstart.ranges import Count, Finite, Whole
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage


@dataclass(frozen=True)
class Config(td3.Numbers):
    """The numbers of Adaptive BC; the defaults are the released code's."""

    members: Members = 10
    subset: Subset = 2
    offline: Annotated[Finite, "w of the pre-training"] = 0.4
    weight: Annotated[Finite, "w of the first online episode"] = 0.4
    proportional: Annotated[Finite, "k_p of eq. 5"] = 3e-5
    derivative: Annotated[Finite, "k_d of eq. 5"] = 1e-4
    updates: Annotated[Whole, "updates after every step"] = 10
    count: Annotated[Count, "random dataset rows, in the buffer at first"] = 50_000
    pretrain_steps: PretrainSteps = 1_000_000
    steps: Steps = 250_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # released code: 256x2, 10 critics, 1M updates, 250k steps
    "adroit": Config(offline=8.0, weight=8.0, proportional=6e-4, derivative=2e-3, updates=1),
    "walker2d_random": Config(offline=100.0),
    "quick": Config(
        hidden=(128, 128), batch=128, members=4, updates=2, pretrain_steps=8_000, steps=20_000,
        count=5_000,
    ),
}  # fmt: skip
CITE = (
    "Zhao et al. 2022, Adaptive Behavior Cloning Regularization for Stable Offline-to-Online "
    "Reinforcement Learning, ESANN",
)


def learner(weight: Weight, config: Config) -> ActorCritic:
    """TD3's learner with many critics, their mean for the actor, and the cloning term."""
    return td3.learner(
        NetSpec(config.hidden, init="torch", scale=1.0),
        NetSpec(config.hidden, init="lecun_normal", scale=0.5),
        improvement=MaximiseQ("mean", normalise=True),
        constraint=BehaviourCloning(weight),
        **only(config, td3.Numbers),
    )


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """REDQ TD3-BC, then with the adapted weight."""
    config = resolve(PRESETS, preset, changes)
    held = ReturnControlled(config.weight, config.proportional, config.derivative)
    return Recipe(
        name="adaptive_bc",
        pretrain=(Stage(learner(Fixed(config.offline), config), config.pretrain_steps),),
        replay=Replay(preload=Preload("random", config.count), capacity=250_000),
        acting=Noisy(0.1),
        finetune=Finetune(learner(held, config), Rhythm(1, config.updates), config.steps),
    )
