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
from typing import Any, Literal

from warmstart.acting import Sampled
from warmstart.learners import ActorCritic
from warmstart.nets.spec import CriticSpec, NetSpec, PolicySpec
from warmstart.parts import MaximiseQ, SampledBackup, temperature
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, WarmUp
from warmstart.state import Optimiser

STD_1E5_10 = (math.log(1e-5), math.log(10.0))
"""A standard deviation clipped to [1e-5, 10] (released WSRL code)."""

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},  # 2018b, table 1: 256x2, lr 3e-4, batch 256, target entropy -A
    "quick": {"hidden": (128, 128), "batch": 128, "steps": 30_000, "random": 1_000},
}
CITE = (
    "Haarnoja et al. 2018, Soft Actor-Critic: Off-Policy Maximum Entropy Deep Reinforcement "
    "Learning with a Stochastic Actor, ICML",
    "Haarnoja et al. 2018b, Soft Actor-Critic Algorithms and Applications, arXiv:1812.05905",
)


def learner(
    hidden: tuple[int, ...] = (256, 256),
    critic_hidden: tuple[int, ...] | None = None,
    members: int = 2,
    subset: int | None = None,
    replacement: bool = False,
    shared_head: bool = False,
    layer_norm: Literal["none", "critic", "both"] = "none",
    init: str = "orthogonal",
    last_hidden_scale: float | None = None,
    std: str = "exp",
    log_std: tuple[float, float] = (-20.0, 2.0),
    entropy_backup: bool = True,
    max_actions: int = 1,
    aggregate: Literal["min", "mean", "first"] = "min",
    actor_lr: float = 3e-4,
    critic_lr: float = 3e-4,
    target_entropy: float = -1.0,
    init_temperature: float = 1.0,
    temperature_form: Literal["exp", "softplus"] = "exp",
    temperature_on: Literal["obs", "next_obs"] = "obs",
    batch: int = 256,
    minibatches: int = 1,
    actor_batch: Literal["last", "whole"] = "last",
    **more: Any,
) -> ActorCritic:
    """The soft actor-critic update; `more` sets further fields of the learner."""
    scale = 1.0 if init == "xavier_uniform" else math.sqrt(2.0)
    base = NetSpec(hidden, init=init, scale=scale, last_hidden_scale=last_hidden_scale)
    actor = NetSpec(**{**vars(base), "layer_norm": layer_norm == "both"})
    critic = NetSpec(
        **{**vars(base), "hidden": critic_hidden or hidden, "layer_norm": layer_norm != "none"}
    )
    return ActorCritic(
        policy=PolicySpec(actor, std=std, log_std_range=log_std),
        critic=CriticSpec(critic, members, shared_head),
        backup=SampledBackup(subset, replacement, entropy_backup, max_actions),
        improvement=MaximiseQ(aggregate),
        temperature=temperature(target_entropy, init_temperature, actor_lr, temperature_form),
        temperature_on=temperature_on,
        actor_optimiser=Optimiser(actor_lr),
        critic_optimiser=Optimiser(critic_lr),
        batch=batch,
        minibatches=minibatches,
        actor_batch=actor_batch,
        **more,
    )


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """SAC from scratch."""
    numbers = {"steps": 1_000_000, "random": 5_000, **PRESETS[preset], **changes}
    steps, random = numbers.pop("steps"), numbers.pop("random")
    return Recipe(
        name="sac",
        replay=Replay(warmup=WarmUp(random, "random")),
        acting=Sampled(),
        finetune=Finetune(learner(**numbers), Rhythm(), steps),
    )
