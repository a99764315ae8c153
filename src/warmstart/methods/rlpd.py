"""RLPD: online SAC from scratch with half of every batch from the dataset (Ball et al. 2023).

    batch = 50 % dataset + 50 % online                                       (sec. 4.1)
    y     = r + gamma m min_{i in M} Q'_i(s', a') [- alpha log pi(a'|s')]    (sec. 4.3; alg. 1)
    L_pi  = alpha log pi(a|s) - mean_i Q_i(s, a);  LayerNorm in every critic (sec. 4.2)

pretrain   nothing
handover   nothing crosses
replay     half dataset, half online in every minibatch, after 5,000 uniformly random steps
acting     a draw from the policy
finetune   10 critics, 20 critic steps a step, then one actor step on the last minibatch

**Differences.** The temperature's gradient is taken on alpha. Reward shifts belong to the task
here (`r - 1` in mazes), not to the batch.
"""

from __future__ import annotations

from typing import Any

from warmstart.methods import sac
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, WarmUp
from warmstart.replay import Mixed

PRESETS: dict[str, dict[str, Any]] = {
    "locomotion": {"steps": 250_000},  # released scripts, as all of these
    "antmaze": {
        "hidden": (256, 256, 256),
        "subset": 1,
        "entropy_backup": False,
        "steps": 300_000,
    },
    "adroit": {"hidden": (256, 256, 256), "entropy_backup": False, "steps": 1_000_000},
    "quick": {
        "hidden": (128, 128),
        "batch": 128,
        "members": 5,
        "minibatches": 4,
        "entropy_backup": False,
        "steps": 20_000,
        "random": 1_000,
    },
}
PRESETS["paper"] = PRESETS["locomotion"]
CITE = ("Ball et al. 2023, Efficient Online Reinforcement Learning with Offline Data, ICML",)


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """RLPD on a dataset and an environment."""
    numbers: dict[str, Any] = {
        "members": 10,
        "subset": 2,
        "aggregate": "mean",
        "init": "xavier_uniform",
        "layer_norm": "critic",
        "target_entropy": -0.5,
        "minibatches": 20,
        "random": 5_000,
        **PRESETS[preset],
        **changes,
    }
    steps, random = numbers.pop("steps"), numbers.pop("random")
    return Recipe(
        name="rlpd",
        replay=Replay(Mixed(0.5), WarmUp(random, "random")),
        finetune=Finetune(sac.learner(**numbers), Rhythm(1, numbers["minibatches"]), steps),
    )
