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

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from warmstart.config import only, resolve
from warmstart.methods import redq, sac
from warmstart.methods.fields import Online, Random, Steps
from warmstart.ranges import Finite
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, WarmUp
from warmstart.replay import Mixed


@dataclass(frozen=True)
class Config(redq.Numbers):
    """The numbers of RLPD; the defaults are those of locomotion in the released scripts."""

    layer_norm: Literal["none", "critic", "both"] = "critic"
    target_entropy: Finite = -0.5
    share: Annotated[Online, "share of dataset rows in a batch (sec. 4.1)"] = 0.5
    steps: Steps = 250_000
    random: Random = 5_000


PRESETS: dict[str, Config] = {
    "locomotion": Config(),  # released scripts, as all of these
    "antmaze": Config(hidden=(256, 256, 256), subset=1, entropy_backup=False, steps=300_000),
    "adroit": Config(hidden=(256, 256, 256), entropy_backup=False, steps=1_000_000),
    "quick": Config(
        hidden=(128, 128),
        batch=128,
        members=5,
        minibatches=4,
        entropy_backup=False,
        steps=20_000,
        random=1_000,
    ),
    "paper": Config(),
}
CITE = ("Ball et al. 2023, Efficient Online Reinforcement Learning with Offline Data, ICML",)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """RLPD on a dataset and an environment."""
    config = resolve(PRESETS, preset, changes)
    update = sac.learner(minibatches=config.minibatches, **only(config, sac.Numbers))
    return Recipe(
        name="rlpd",
        replay=Replay(Mixed(config.share), WarmUp(config.random, "random")),
        finetune=Finetune(update, Rhythm(1, config.minibatches), config.steps),
    )
