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

from typing import Any

from warmstart.acting import Noisy
from warmstart.learners import ActorCritic
from warmstart.methods import td3
from warmstart.nets.spec import NetSpec
from warmstart.parts import BehaviourCloning, Fixed, MaximiseQ, ReturnControlled, Weight
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},  # released code: 256x2, 10 critics, 1M updates, 250k steps
    "adroit": {
        "offline": 8.0, "weight": 8.0, "proportional": 6e-4, "derivative": 2e-3, "updates": 1,
    },
    "walker2d_random": {"offline": 100.0},
    "quick": {
        "hidden": (128, 128), "batch": 128, "members": 4, "updates": 2, "pretrain": 8_000,
        "steps": 20_000, "count": 5_000,
    },
}  # fmt: skip
CITE = (
    "Zhao et al. 2022, Adaptive Behavior Cloning Regularization for Stable Offline-to-Online "
    "Reinforcement Learning, ESANN",
)


def learner(
    weight: Weight, hidden: tuple[int, ...] = (256, 256), members: int = 10, **numbers: Any
) -> ActorCritic:
    """TD3's learner with many critics, their mean for the actor, and the cloning term."""
    own = {
        "subset": 2,
        "actor_net": NetSpec(hidden, init="torch", scale=1.0),
        "critic_net": NetSpec(hidden, init="lecun_normal", scale=0.5),
        "improvement": MaximiseQ("mean", normalise=True),
        "constraint": BehaviourCloning(weight),
    }
    return td3.learner(members=members, **{**own, **numbers})


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """REDQ TD3-BC, then with the adapted weight."""
    numbers = {
        "offline": 0.4, "weight": 0.4, "proportional": 3e-5, "derivative": 1e-4, "updates": 10,
        "pretrain": 1_000_000, "steps": 250_000, "count": 50_000, **PRESETS[preset], **changes,
    }  # fmt: skip
    offline, weight = numbers.pop("offline"), numbers.pop("weight")
    p, d, updates = (numbers.pop(k) for k in ("proportional", "derivative", "updates"))
    pretrain, steps, count = (numbers.pop(k) for k in ("pretrain", "steps", "count"))
    online = learner(ReturnControlled(weight, p, d), **numbers)
    return Recipe(
        name="adaptive_bc",
        pretrain=(Stage(learner(Fixed(offline), **numbers), pretrain),),
        replay=Replay(preload=Preload("random", count), capacity=250_000),
        acting=Noisy(0.1),
        finetune=Finetune(online, Rhythm(1, updates), steps),
    )
