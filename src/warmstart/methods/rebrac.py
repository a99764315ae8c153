"""ReBRAC: TD3-BC with a penalty in the actor and one in the critic (Tarasov et al. 2023).

    y    = r + gamma m [min_j Q'_j(s', a') - b_Q ||a' - a'_data||^2],
           a' = clip(pi'(s') + clip(eps, -c, c), -1, 1),  eps ~ N(0, sigma^2)        (eq. 4)
    L_pi = -min_j Q_j(s, pi(s)) / mean|min_j Q_j| + b_pi ||pi(s) - a||^2              (eq. 3)

a'_data is the action that was logged at s'; norms are sums over the action's numbers, the
normaliser is a constant. Critics have LayerNorm and three layers; the actor and all targets move
at every second update.

pretrain   the two losses on the dataset
handover   everything is kept
replay     half dataset, half online in every minibatch
acting     pi(s) + N(0, 0.03^2), clipped
finetune   b_Q = 0, b_pi falling to 0 over the run, one update after every step

**Differences.** Behind the last row of an episode nothing was logged: there the critic's penalty
is left out. The authors drop the rows at a time limit; the released code of FQL takes the first
action of the next episode. LayerNorm stands before the activation, biases begin as the weights do.
The critics' loss is their mean and not their sum, which Adam does not see. The actor moves at the
second update of a pair, and its slow copy follows after that step, not before. Antmaze rewards are
scaled by the task, where the released code takes 100 times the reward, and `b_Q` counts in rewards.
The discount is the task's (theirs in antmaze: 0.999).
The presets `ogbench...` are the baseline of Park et al. 2025: the dataset stays in the buffer,
both penalties stay, exploration noise 0.2 (there clipped at 0.5). There the next action online is
the one that was executed, where the authors of ReBRAC draw another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.acting import Noisy
from warmstart.config import only, parted, resolve
from warmstart.learners import ActorCritic
from warmstart.methods.fields import (
    Activation,
    Batch,
    CriticRate,
    Hidden,
    Init,
    Phases,
    Rate,
    Tau,
)
from warmstart.nets.spec import CriticSpec, NetSpec, PolicySpec
from warmstart.parts import BehaviourCloning, Fixed, MaximiseQ, Scheduled, SmoothedBackup, Weight
from warmstart.ranges import Finite, NotNegative
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage
from warmstart.replay import FromRing, Mixed
from warmstart.state import Optimiser


@dataclass(frozen=True)
class Numbers:
    """What `learner` takes by name."""

    critic_penalty: Annotated[NotNegative, "b_Q of eq. 4, in rewards"] = 0.001
    hidden: Hidden = (256, 256, 256)
    activation: Activation = "relu"
    init: Init = "torch"
    lr: Annotated[Rate, "learning rate of the actor"] = 3e-4
    critic_lr: CriticRate = 3e-4
    batch: Batch = 256
    tau: Tau = 0.005


@dataclass(frozen=True)
class Config(Phases, Numbers):
    """The numbers of ReBRAC; the defaults are those of antmaze-large-play, for fine-tuning."""

    actor_penalty: Annotated[Finite, "b_pi of eq. 3"] = 0.002
    end: Annotated[Finite, "share of b_pi that is left at the end (where `mixed`)"] = 0.0
    mixed: Annotated[bool, "half of a batch is logged and penalties go; else both stay"] = True
    noise: Annotated[NotNegative, "deviation of the exploring noise"] = 0.03
    critic_lr: Rate = 5e-5


OGBENCH: dict[str, Any] = {
    "hidden": (512, 512, 512, 512), "activation": "gelu", "init": "xavier_uniform",
    "critic_lr": 3e-4, "mixed": False, "noise": 0.2,
}  # fmt: skip
PRESETS: dict[str, Config] = {
    # Released code for fine-tuning: antmaze-large-play and pen-cloned.
    "antmaze": Config(),
    "adroit": Config(actor_penalty=0.05, critic_penalty=0.5, critic_lr=3e-4),
    # Released code offline: hopper-medium. Each set has penalties of its own there, of 0.001 to
    # 0.1 and of 0 to 0.5.
    "locomotion": Config(actor_penalty=0.01, lr=1e-3, critic_lr=1e-3, batch=1024),
    # Park et al. 2025, table of hyperparameters.
    "ogbench": Config(**OGBENCH, actor_penalty=1.0, critic_penalty=0.0),  # cube-single
    "ogbench_double": Config(**OGBENCH, actor_penalty=0.1, critic_penalty=0.0),  # cube-double
    "ogbench_scene": Config(**OGBENCH, actor_penalty=0.1, critic_penalty=0.01),
    "ogbench_puzzle": Config(**OGBENCH, actor_penalty=0.3, critic_penalty=0.01),
    "ogbench_antmaze": Config(**OGBENCH, actor_penalty=0.003, critic_penalty=0.01),
    "quick": Config(
        hidden=(128, 128), batch=128, tau=0.02, critic_lr=3e-4, actor_penalty=1.0,
        critic_penalty=0.01, end=0.5, pretrain_steps=10_000, steps=15_000,
    ),
    "paper": Config(),
}  # fmt: skip
CITE = (
    "Tarasov et al. 2023, Revisiting the Minimalist Approach to Offline Reinforcement Learning, "
    "NeurIPS",
    "Park et al. 2025, Flow Q-Learning, ICML (preset ogbench)",
)


PENALTY = Fixed(0.002)


def learner(actor_penalty: Weight = PENALTY, **given: Any) -> ActorCritic:
    """TD3's learner with both penalties, by `Numbers`; whatever else is given is a field of it."""
    n, more = parted(Numbers, given)
    small = {"head_init": "uniform", "head_scale": 1e-3} if n.init == "torch" else {}
    net = NetSpec(n.hidden, n.activation, init=n.init, scale=1.0, **small)
    wide = {"head_scale": 3e-3} if small else {}
    critic = NetSpec(n.hidden, n.activation, True, n.init, 1.0, **{**small, **wide})
    return ActorCritic(
        policy=PolicySpec(net, kind="deterministic"),
        critic=CriticSpec(critic, 2),
        backup=SmoothedBackup(penalty=n.critic_penalty),
        improvement=MaximiseQ("min", normalise=True),
        constraint=BehaviourCloning(actor_penalty, "sum"),
        actor_optimiser=Optimiser(n.lr),
        critic_optimiser=Optimiser(n.critic_lr),
        tau=n.tau,
        batch=n.batch,
        actor_every=2,
        target_every=2,
        target_actor=True,
        **more,
    )


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """ReBRAC, offline and online."""
    config = resolve(PRESETS, preset, changes)
    numbers, weight = only(config, Numbers), config.actor_penalty
    offline = learner(Fixed(weight), **numbers)
    online, replay = offline, Replay(FromRing(), preload=Preload("all"), capacity=2_000_000)
    if config.mixed:
        falling = Scheduled(weight, config.end * weight, max(config.steps, 1), "linear")
        online = learner(falling, **{**numbers, "critic_penalty": 0.0})
        replay = Replay(Mixed(0.5), capacity=2_000_000)
    return Recipe(
        name="rebrac",
        pretrain=(Stage(offline, config.pretrain_steps),),
        replay=replay,
        acting=Noisy(config.noise),
        finetune=Finetune(online, Rhythm(), config.steps),
    )
