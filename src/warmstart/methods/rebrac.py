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
The presets `ogbench...` are the baseline of Park et al. 2025: the dataset stays in the buffer,
both penalties stay, exploration noise 0.2 (there clipped at 0.5). There the next action online is
the one that was executed, where the authors of ReBRAC draw another one.
"""

from __future__ import annotations

from typing import Any

from warmstart.acting import Noisy
from warmstart.learners import ActorCritic
from warmstart.nets.spec import CriticSpec, NetSpec, PolicySpec
from warmstart.parts import BehaviourCloning, Fixed, MaximiseQ, Scheduled, SmoothedBackup, Weight
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage
from warmstart.replay import FromRing, Mixed
from warmstart.state import Optimiser

OGBENCH: dict[str, Any] = {
    "hidden": (512, 512, 512, 512), "activation": "gelu", "init": "xavier_uniform",
    "mixed": False, "noise": 0.2, "steps": 1_000_000,
}  # fmt: skip
PRESETS: dict[str, dict[str, Any]] = {
    # Released code for fine-tuning: antmaze-large-play and pen-cloned.
    "antmaze": {"actor_penalty": 0.002, "critic_penalty": 0.001, "critic_lr": 5e-5},
    "adroit": {"actor_penalty": 0.05, "critic_penalty": 0.5},
    # Released code offline: hopper-medium. Each set has penalties of its own there, of 0.001 to
    # 0.1 and of 0 to 0.5.
    "locomotion": {
        "actor_penalty": 0.01, "critic_penalty": 0.001, "lr": 1e-3, "critic_lr": 1e-3,
        "batch": 1024,
    },
    # Park et al. 2025, table of hyperparameters.
    "ogbench": {**OGBENCH, "actor_penalty": 1.0, "critic_penalty": 0.0},  # cube-single
    "ogbench_double": {**OGBENCH, "actor_penalty": 0.1, "critic_penalty": 0.0},  # cube-double
    "ogbench_scene": {**OGBENCH, "actor_penalty": 0.1, "critic_penalty": 0.01},
    "ogbench_puzzle": {**OGBENCH, "actor_penalty": 0.3, "critic_penalty": 0.01},
    "ogbench_antmaze": {**OGBENCH, "actor_penalty": 0.003, "critic_penalty": 0.01},
    "quick": {
        "hidden": (128, 128), "batch": 128, "tau": 0.02, "actor_penalty": 1.0,
        "critic_penalty": 0.01, "end": 0.5, "pretrain": 10_000, "steps": 15_000,
    },
}  # fmt: skip
PRESETS["paper"] = PRESETS["antmaze"]
CITE = (
    "Tarasov et al. 2023, Revisiting the Minimalist Approach to Offline Reinforcement Learning, "
    "NeurIPS",
    "Park et al. 2025, Flow Q-Learning, ICML (preset ogbench)",
)


PENALTY = Fixed(0.002)


def learner(
    actor_penalty: Weight = PENALTY,
    critic_penalty: float = 0.001,
    hidden: tuple[int, ...] = (256, 256, 256),
    activation: str = "relu",
    init: str = "torch",
    lr: float = 3e-4,
    critic_lr: float = 3e-4,
    batch: int = 256,
    **more: Any,
) -> ActorCritic:
    """TD3's learner with both penalties; `more` sets further fields."""
    small = {"head_init": "uniform", "head_scale": 1e-3} if init == "torch" else {}
    net = NetSpec(hidden, activation, init=init, scale=1.0, **small)
    wide = {"head_scale": 3e-3} if small else {}
    critic = NetSpec(hidden, activation, True, init, 1.0, **{**small, **wide})
    return ActorCritic(
        policy=PolicySpec(net, kind="deterministic"),
        critic=CriticSpec(critic, 2),
        backup=SmoothedBackup(penalty=critic_penalty),
        improvement=MaximiseQ("min", normalise=True),
        constraint=BehaviourCloning(actor_penalty, "sum"),
        actor_optimiser=Optimiser(lr),
        critic_optimiser=Optimiser(critic_lr),
        batch=batch,
        actor_every=2,
        target_every=2,
        target_actor=True,
        **more,
    )


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """ReBRAC, offline and online."""
    numbers: dict[str, Any] = {
        "mixed": True, "noise": 0.03, "end": 0.0, "pretrain": 1_000_000, "steps": 1_000_000,
        **PRESETS[preset], **changes,
    }  # fmt: skip
    pretrain, steps, noise = (numbers.pop(k) for k in ("pretrain", "steps", "noise"))
    mixed, end, weight = (numbers.pop(k) for k in ("mixed", "end", "actor_penalty"))
    offline = learner(Fixed(weight), **numbers)
    online, replay = offline, Replay(FromRing(), preload=Preload("all"), capacity=2_000_000)
    if mixed:
        falling = Scheduled(weight, end * weight, max(steps, 1), "linear")
        online = learner(falling, **{**numbers, "critic_penalty": 0.0})
        replay = Replay(Mixed(0.5), capacity=2_000_000)
    return Recipe(
        name="rebrac",
        pretrain=(Stage(offline, pretrain),),
        replay=replay,
        acting=Noisy(noise),
        finetune=Finetune(online, Rhythm(), steps),
    )
