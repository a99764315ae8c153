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
from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.config import only, parted, resolve
from warmstart.learners import ActorCritic
from warmstart.methods import sac
from warmstart.methods.fields import Batch, Decay, Members, Random, Rate, Steps, Tau
from warmstart.nets.spec import CriticSpec, NetSpec, PolicySpec
from warmstart.ranges import Count, Finite, Positive, Whole
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, WarmUp
from warmstart.state import Optimiser


@dataclass(frozen=True)
class Numbers:
    """What `learner` takes by name."""

    actor_size: Annotated[tuple[Count, ...], "width of the actor, once for each block"] = (128,)
    critic_size: Annotated[tuple[Count, ...], "width of the critics, once for each block"] = (
        512,
        512,
    )
    members: Members = 1
    lr: Rate = 1e-4
    weight_decay: Decay = 1e-2
    target_entropy: Annotated[Finite, "H_target for each action dimension"] = -0.5
    init_temperature: Annotated[Positive, "alpha before the first update"] = 0.01
    batch: Batch = 256
    tau: Tau = 0.005


@dataclass(frozen=True)
class Config(Numbers):
    """The numbers of SimBa; the defaults are those of DMC and MyoSuite."""

    updates: Annotated[Whole, "updates after every step"] = 2
    steps: Steps = 500_000
    random: Random = 5_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # one critic: DMC and MyoSuite
    "humanoid": Config(members=2, steps=2_000_000),  # two critics where episodes can fail
    "quick": Config(
        actor_size=(64,), critic_size=(128,), batch=128, members=2, lr=3e-4, updates=1,
        steps=30_000, random=1_000,
    ),
}  # fmt: skip
CITE = (
    "Lee et al. 2025, SimBa: Simplicity Bias for Scaling Up Parameters in Deep Reinforcement "
    "Learning, ICLR",
    *sac.CITE,
)


def learner(**given: Any) -> ActorCritic:
    """SAC's learner with SimBa's networks, by `Numbers`; whatever else is given is its field."""
    n, more = parted(Numbers, given)
    numbers = {**only(n, sac.Numbers), "actor_lr": n.lr, "critic_lr": n.lr}
    actor = NetSpec(n.actor_size, kind="simba", init="orthogonal", scale=1.0)
    return dataclasses.replace(
        sac.learner(**numbers, **more),
        policy=PolicySpec(actor, std="tanh", log_std_range=(-10.0, 2.0)),
        critic=CriticSpec(dataclasses.replace(actor, hidden=n.critic_size), n.members),
        actor_optimiser=Optimiser(n.lr, n.weight_decay),
        critic_optimiser=Optimiser(n.lr, n.weight_decay),
        normalise="running",
    )


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """SAC with SimBa's networks, from scratch."""
    config = resolve(PRESETS, preset, changes)
    update = learner(**only(config, Numbers))
    return Recipe(
        name="simba",
        replay=Replay(warmup=WarmUp(config.random, "random")),
        finetune=Finetune(update, Rhythm(1, config.updates), config.steps),
    )
