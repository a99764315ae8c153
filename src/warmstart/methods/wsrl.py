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
are unshifted, see `cal_ql`. 5,000 warm-up steps, not 5,002.
"""

from __future__ import annotations

from typing import Any

from warmstart.handover import Handover
from warmstart.methods import cql, sac
from warmstart.methods.sac import STD_1E5_10
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage, WarmUp

PRESETS: dict[str, dict[str, Any]] = {
    # Released code: sizes, standard deviation, CQL weight, steps.
    "antmaze": {
        "critic_hidden": (256, 256, 256, 256), "std": "uniform", "gap": 0.8, "max_actions": 10,
        "pretrain": 1_000_000,
    },
    "kitchen": {
        "hidden": (512, 512, 512), "last_hidden_scale": None, "importance": False,
        "pretrain": 250_000,
    },
    "adroit": {
        "hidden": (512, 512), "critic_hidden": (512, 512, 512), "weight": 1.0, "pretrain": 20_000,
    },
    "locomotion": {"calibrated": False, "pretrain": 250_000, "steps": 1_000_000},
    # For two cores and minutes: few critics, higher rates, one update a step. No LayerNorm and a
    # temperature of 1 offline: with either changed the pre-trained policy stays at 0 on short logs.
    "quick": {
        "hidden": (128, 128), "members": 4, "batch": 128, "layer_norm": "none",
        "last_hidden_scale": None, "weight": 5.0, "proposals": 4, "pretrain_max_actions": 1,
        "init_temperature": 1.0, "actor_lr": 1e-3, "critic_lr": 3e-4, "tau": 0.005,
        "online": {"actor_lr": 3e-4, "critic_lr": 5e-4, "tau": 0.01}, "ratio": 2,
        "pretrain": 4_000, "steps": 12_000, "warmup": 1_000,
    },
}  # fmt: skip
PRESETS["paper"] = PRESETS["antmaze"]
CITE = (
    "Zhou et al. 2025, Efficient Online Reinforcement Learning Fine-Tuning Need Not Retain "
    "Offline Data, ICLR",
)


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """WSRL, both phases."""
    numbers: dict[str, Any] = {
        "members": 10, "subset": 2, "replacement": True, "layer_norm": "both",
        "last_hidden_scale": 1e-2, "log_std": STD_1E5_10, "actor_lr": 1e-4, "critic_lr": 3e-4,
        "temperature_form": "softplus", "temperature_on": "next_obs", "entropy_backup": False,
        "max_actions": 1, "pretrain_max_actions": 10, "ratio": 4, "steps": 500_000,
        "warmup": 5_000, "online": {}, **PRESETS[preset],
    }  # fmt: skip
    # What is asked for by name goes before the preset's online numbers too.
    kept = {k: v for k, v in numbers["online"].items() if k not in changes}
    numbers |= {"online": kept, **changes}
    steps, warmup, updates = (numbers.pop(k) for k in ("steps", "warmup", "pretrain"))
    ratio, max_actions = numbers.pop("ratio"), numbers.pop("max_actions")
    offline_actions, other = numbers.pop("pretrain_max_actions"), numbers.pop("online")
    only_offline = ("weight", "gap", "importance", "proposals", "calibrated", "cloning")
    conservative = {k: numbers.pop(k) for k in only_offline if k in numbers}
    offline = cql.learner(
        **{"calibrated": True, **conservative},
        critic_subset=numbers["subset"],
        max_actions=offline_actions,
        **numbers,
    )
    online = sac.learner(
        **{**numbers, **other}, max_actions=max_actions, minibatches=ratio, actor_batch="whole"
    )
    return Recipe(
        name="wsrl",
        pretrain=(Stage(offline, updates),),
        handover=Handover(),
        replay=Replay(warmup=WarmUp(warmup, "policy"), capacity=2_000_000),
        finetune=Finetune(online, Rhythm(1, ratio), steps),
    )
