"""WSRL: warm-start reinforcement learning (Zhou et al. 2025).

Fine-tune without keeping the offline data: pre-train with an offline method, roll out the frozen
policy for K steps, then run plain high-UTD SAC on the online buffer alone.

    offline  Cal-QL with an ensemble and LayerNorm in actor and critics           (appendix)
    step <= K = 5,000:  a ~ pi_pre(.|s), no updates                               (alg. 1)
    step  > K:          4 critic steps to y = r + gamma m min_{i in M} Q'_i(s', a'), |M| = 2 of 10,
                        then one actor step on alpha log pi(a|s) - min_i Q_i(s, a)

pretrain   Cal-QL (CQL in locomotion) with the online learner's networks
handover   actor, critics, targets, temperature and all Adam moments are kept; CQL's multiplier goes
replay     online rows only, beginning with the frozen policy's
acting     the frozen policy first, then a draw from the learner's
finetune   SAC, no entropy in the backup, update-to-data ratio 4

**Differences.** Critic, then actor, then temperature; the authors step all from the same old
parameters. Their actor and temperature Adam also step on zero gradients in critic-only updates,
which raises the actor's effective rate by sqrt(5) at ratio 4; here they step once. Critic heads are
separate (`critic.shared_head=true` gives the released code's shared output layer). Kitchen rewards
are unshifted, see `cal_ql`. 5,000 warm-up steps, not 5,002. `quick` pulls the pre-training's actor
to the data (`bc_weight`, see `cql`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from warmstart.config import only, resolve
from warmstart.handover import Handover
from warmstart.methods import cql, sac
from warmstart.methods.fields import (
    CriticHidden,
    LogStd,
    Members,
    PretrainSteps,
    Rate,
    Std,
    Steps,
    Subset,
    Warmup,
)
from warmstart.methods.sac import STD_1E5_10
from warmstart.ranges import Count, Finite, NotNegative, Positive, Share
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage, WarmUp


@dataclass(frozen=True)
class Config(cql.Pessimism, sac.Numbers):
    """The numbers of WSRL; the defaults are those of antmaze in the released code.

    The conservative term's and `calibrated` are of the pre-training alone.
    """

    ratio: Annotated[Count, "critic steps after every environment step (update-to-data ratio)"] = 4
    warmup: Annotated[Warmup, "K of alg. 1: steps by the frozen policy without updates"] = 5_000
    calibrated: Annotated[bool, "pre-train by Cal-QL, not by CQL"] = True
    pretrain_max_actions: Annotated[Count, "as `max_actions`, in pre-training"] = 10
    online_actor_lr: Annotated[NotNegative | None, "`actor_lr` online (none: the same)"] = None
    online_critic_lr: Annotated[NotNegative | None, "`critic_lr` online (none: the same)"] = None
    online_tau: Annotated[Share | None, "`tau` online (none: the same)"] = None
    pretrain_steps: PretrainSteps = 1_000_000
    steps: Steps = 500_000
    critic_hidden: CriticHidden = (256, 256, 256, 256)
    layer_norm: Literal["none", "critic", "both"] = "both"
    last_hidden_scale: Positive | None = 1e-2
    std: Std = "uniform"
    log_std: LogStd = STD_1E5_10
    members: Members = 10
    subset: Subset = 2
    replacement: bool = True
    entropy_backup: bool = False
    max_actions: Count = 10
    actor_lr: Annotated[Rate, "learning rate of actor and temperature in pre-training"] = 1e-4
    critic_lr: Annotated[Rate, "learning rate of the critics in pre-training"] = 3e-4
    temperature_form: Literal["exp", "softplus"] = "softplus"
    temperature_on: Literal["obs", "next_obs"] = "next_obs"
    gap: Finite | None = 0.8


_FIXED: dict[str, Any] = {"critic_hidden": None, "std": "exp", "gap": None, "max_actions": 1}
"""Where the weight is fixed: networks of one size, and a deviation that the observation moves."""
PRESETS: dict[str, Config] = {
    # Released code: sizes, standard deviation, CQL weight, steps.
    "antmaze": Config(),
    "kitchen": Config(
        **_FIXED, hidden=(512, 512, 512), last_hidden_scale=None, importance=False,
        pretrain_steps=250_000,
    ),
    "adroit": Config(
        **{**_FIXED, "critic_hidden": (512, 512, 512)}, hidden=(512, 512), weight=1.0,
        pretrain_steps=20_000,
    ),
    "locomotion": Config(**_FIXED, calibrated=False, pretrain_steps=250_000, steps=1_000_000),
    # For two cores and minutes: few critics, higher rates, two updates a step. By the published
    # loss LayerNorm, or a temperature below 1 offline, left the policy at 0 on short logs.
    "quick": Config(
        **_FIXED, hidden=(128, 128), members=4, batch=128, layer_norm="none",
        last_hidden_scale=None, proposals=4, pretrain_max_actions=1, actor_lr=1e-3,
        online_actor_lr=3e-4, online_critic_lr=5e-4, online_tau=0.01, ratio=2,
        pretrain_steps=4_000, steps=12_000, warmup=1_000, bc_weight=1.0,
    ),
    "paper": Config(),
}  # fmt: skip
CITE = (
    "Zhou et al. 2025, Efficient Online Reinforcement Learning Fine-Tuning Need Not Retain "
    "Offline Data, ICLR",
)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """WSRL, both phases."""
    config = resolve(PRESETS, preset, changes)
    numbers = only(config, sac.Numbers)
    offline = {
        **numbers, **only(config, cql.Pessimism), "max_actions": config.pretrain_max_actions,
    }  # fmt: skip
    apart = {
        "actor_lr": config.online_actor_lr,
        "critic_lr": config.online_critic_lr,
        "tau": config.online_tau,
    }
    numbers |= {name: number for name, number in apart.items() if number is not None}
    before = cql.learner(config.calibrated, critic_subset=config.subset, **offline)
    online = sac.learner(minibatches=config.ratio, actor_batch="whole", **numbers)
    return Recipe(
        name="wsrl",
        pretrain=(Stage(before, config.pretrain_steps),),
        handover=Handover(),
        replay=Replay(warmup=WarmUp(config.warmup, "policy"), capacity=2_000_000),
        finetune=Finetune(online, Rhythm(1, config.ratio), config.steps),
    )
