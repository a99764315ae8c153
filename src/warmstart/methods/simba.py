"""SimBa: SAC with a network that favours simple functions (Lee et al. 2025).

    o   = (s - mean) / sqrt(var + 1e-8), running statistics of what was seen             (eq. 5)
    x <- x + W_2 relu(W_1 LN(x)),  four times as wide inside, LN before the linear head  (eq. 6, 7)

pretrain   nothing
handover   nothing crosses
replay     online rows only, after 5,000 uniformly random steps; rows are stored unscaled
acting     a draw from the policy; its mode in evaluation
finetune   SAC with AdamW, two updates after every step

**Differences.** Statistics follow the rows that are drawn for updates, not each row once as it is
seen. No action repeat: an agent step is an environment step. The discount is the task's, where the
authors compute it from the episode's length. The same network under another method:
`--set finetune.learner.policy.net.kind=simba`, and so on for every network of every stage.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from warmstart.learners import ActorCritic
from warmstart.methods import sac
from warmstart.nets.spec import CriticSpec, NetSpec, PolicySpec
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, WarmUp
from warmstart.state import Optimiser

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},  # one critic: DMC and MyoSuite
    "humanoid": {"members": 2, "steps": 2_000_000},  # two critics where episodes can fail
    "quick": {
        "actor_size": (64,), "critic_size": (128,), "batch": 128, "members": 2, "lr": 3e-4,
        "updates": 1, "steps": 30_000, "random": 1_000,
    },
}  # fmt: skip
CITE = (
    "Lee et al. 2025, SimBa: Simplicity Bias for Scaling Up Parameters in Deep Reinforcement "
    "Learning, ICLR",
    *sac.CITE,
)


def learner(
    actor_size: tuple[int, ...] = (128,),
    critic_size: tuple[int, ...] = (512, 512),
    members: int = 1,
    lr: float = 1e-4,
    weight_decay: float = 1e-2,
    **numbers: Any,
) -> ActorCritic:
    """SAC's learner with SimBa's networks; one number of `*_size` for each block."""
    base = sac.learner(
        actor_lr=lr, critic_lr=lr, init_temperature=0.01, target_entropy=-0.5, **numbers
    )
    actor = NetSpec(actor_size, kind="simba", init="orthogonal", scale=1.0)
    return dataclasses.replace(
        base,
        policy=PolicySpec(actor, std="tanh", log_std_range=(-10.0, 2.0)),
        critic=CriticSpec(dataclasses.replace(actor, hidden=critic_size), members),
        actor_optimiser=Optimiser(lr, weight_decay),
        critic_optimiser=Optimiser(lr, weight_decay),
        normalise="running",
    )


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """SAC with SimBa's networks, from scratch."""
    numbers = {"updates": 2, "steps": 500_000, "random": 5_000, **PRESETS[preset], **changes}
    updates, steps, random = (numbers.pop(k) for k in ("updates", "steps", "random"))
    return Recipe(
        name="simba",
        replay=Replay(warmup=WarmUp(random, "random")),
        finetune=Finetune(learner(**numbers), Rhythm(1, updates), steps),
    )
