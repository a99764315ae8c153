"""SAC: soft actor-critic (Haarnoja et al. 2018; automatic temperature: Haarnoja et al. 2018b).

    y    = r + gamma m (min_i Q'_i(s', a') - alpha log pi(a'|s')),  a' ~ pi(.|s')      (eq. 3, 8)
    L_Q  = mean_i (Q_i(s, a) - y)^2                                                    (eq. 5)
    L_pi = alpha log pi(a|s) - min_i Q_i(s, a),  a ~ pi(.|s)                           (eq. 9)
    L_alpha = alpha (H - H_target),  H_target = -A                                   (2018b, eq. 18)

pretrain   nothing
handover   nothing crosses
replay     online rows only, after uniformly random first steps
acting     a draw from the policy; its mode in evaluation
finetune   SAC, one update after every step

**Differences.** The temperature descends on alpha, not on log alpha (`temperature.loss_on`), and
without the factor 1/2 in the critic's loss, as the JAX code bases of the field have it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from warmstart.acting import Sampled
from warmstart.config import only, parted, resolve
from warmstart.learners import ActorCritic
from warmstart.methods.fields import (
    Aggregate,
    Batch,
    CriticHidden,
    CriticRate,
    Hidden,
    Init,
    LogStd,
    Members,
    Random,
    Rate,
    Std,
    Steps,
    Subset,
    Tau,
)
from warmstart.nets.spec import CriticSpec, NetSpec, PolicySpec
from warmstart.parts import MaximiseQ, SampledBackup, temperature
from warmstart.ranges import Count, Finite, Positive
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, WarmUp
from warmstart.state import Optimiser

STD_1E5_10 = (math.log(1e-5), math.log(10.0))
"""A standard deviation clipped to [1e-5, 10] (released WSRL code)."""


@dataclass(frozen=True)
class Networks:
    """How the networks of a soft actor-critic look."""

    hidden: Hidden = (256, 256)
    critic_hidden: CriticHidden = None
    shared_head: Annotated[bool, "critics share their output layer"] = False
    layer_norm: Annotated[Literal["none", "critic", "both"], "which networks have LayerNorm"] = (
        "none"
    )
    init: Init = "orthogonal"
    last_hidden_scale: Annotated[
        Positive | None, "factor of the last hidden layer's first weights (none: as the others)"
    ] = None
    std: Std = "exp"
    log_std: LogStd = (-20.0, 2.0)


@dataclass(frozen=True)
class Numbers(Networks):
    """What `learner` takes by name; the defaults are 2018b's, table 1."""

    members: Members = 2
    subset: Subset = None
    replacement: Annotated[bool, "that subset is drawn with replacement"] = False
    entropy_backup: Annotated[bool, "the target has the entropy term"] = True
    max_actions: Annotated[Count, "actions at s' of which the target takes the best"] = 1
    aggregate: Aggregate = "min"
    actor_lr: Annotated[Rate, "learning rate of actor and temperature"] = 3e-4
    critic_lr: CriticRate = 3e-4
    target_entropy: Annotated[Finite, "H_target for each action dimension (2018b, sec. 5)"] = -1.0
    init_temperature: Annotated[Positive, "alpha before the first update"] = 1.0
    temperature_form: Annotated[
        Literal["exp", "softplus"], "alpha is this function of its parameter"
    ] = "exp"
    temperature_on: Annotated[
        Literal["obs", "next_obs"], "where the entropy that moves alpha is taken"
    ] = "obs"
    batch: Batch = 256
    tau: Tau = 0.005


@dataclass(frozen=True)
class Config(Numbers):
    """The numbers of SAC."""

    steps: Steps = 1_000_000
    random: Random = 5_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # 2018b, table 1: 256x2, lr 3e-4, batch 256, target entropy -A
    "quick": Config(hidden=(128, 128), batch=128, steps=30_000, random=1_000),
}
CITE = (
    "Haarnoja et al. 2018, Soft Actor-Critic: Off-Policy Maximum Entropy Deep Reinforcement "
    "Learning with a Stochastic Actor, ICML",
    "Haarnoja et al. 2018b, Soft Actor-Critic Algorithms and Applications, arXiv:1812.05905",
)


def learner(
    minibatches: int = 1, actor_batch: Literal["last", "whole"] = "last", **given: Any
) -> ActorCritic:
    """The soft actor-critic update by `Numbers`; whatever else is given is a field of it."""
    n, more = parted(Numbers, given)
    scale = 1.0 if n.init == "xavier_uniform" else math.sqrt(2.0)
    base = NetSpec(n.hidden, init=n.init, scale=scale, last_hidden_scale=n.last_hidden_scale)
    actor = NetSpec(**{**vars(base), "layer_norm": n.layer_norm == "both"})
    wide = {"hidden": n.critic_hidden or n.hidden, "layer_norm": n.layer_norm != "none"}
    return ActorCritic(
        policy=PolicySpec(actor, std=n.std, log_std_range=n.log_std),
        critic=CriticSpec(NetSpec(**{**vars(base), **wide}), n.members, n.shared_head),
        backup=SampledBackup(n.subset, n.replacement, n.entropy_backup, n.max_actions),
        improvement=MaximiseQ(n.aggregate),
        temperature=temperature(
            n.target_entropy, n.init_temperature, n.actor_lr, n.temperature_form
        ),
        temperature_on=n.temperature_on,
        actor_optimiser=Optimiser(n.actor_lr),
        critic_optimiser=Optimiser(n.critic_lr),
        tau=n.tau,
        batch=n.batch,
        minibatches=minibatches,
        actor_batch=actor_batch,
        **more,
    )


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """SAC from scratch."""
    config = resolve(PRESETS, preset, changes)
    return Recipe(
        name="sac",
        replay=Replay(warmup=WarmUp(config.random, "random")),
        acting=Sampled(),
        finetune=Finetune(learner(**only(config, Numbers)), Rhythm(), config.steps),
    )
