"""RLPD on chunks of actions, from scratch with the data at hand (Li et al. 2025, "RLPD-AC").

    batch = 50 % dataset + 50 % online
    y     = sum_{i<h} gamma^i r_{t+i} + gamma^h m mean_j Q'_j(s_{t+h}, c'),  c' ~ pi(.|s_{t+h})
    L_pi  = alpha log pi(c|s) - mean_j Q_j(s, c),  c ~ pi(.|s),  tanh-Gaussian over h A numbers

with c = (a_t ... a_{t+h-1}); LayerNorm in every critic. What `qc` is compared with: the same
chunks, and nothing that holds them to chunks as somebody did them.

pretrain   nothing
handover   nothing crosses
replay     half dataset, half online in every minibatch, after 5,000 uniformly random steps
acting     a chunk drawn from the policy, to its end; the mode in evaluation
finetune   10 critics, one update after every step

**Differences.** Those of `qc` in which chunks count. The authors evaluate by draws; the
temperature's gradient is taken on alpha. The critics step first, then the actor; the authors step
both from the same old parameters, and their slow copies follow one step late. Order of LayerNorm
and activation as in `rlpd`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from warmstart.acting import OpenLoop, Sampled
from warmstart.config import only, resolve
from warmstart.learners import Chunked
from warmstart.methods import sac
from warmstart.methods.fields import Aggregate, Chunk, Hidden, Init, Members, Online, Random, Steps
from warmstart.parts import SampledBackup
from warmstart.ranges import Count, Finite
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, WarmUp
from warmstart.replay import Mixed


@dataclass(frozen=True)
class Config(sac.Numbers):
    """The numbers of RLPD on chunks; the defaults are the released code's."""

    length: Chunk = 5
    hidden: Hidden = (512, 512, 512, 512)
    members: Members = 10
    aggregate: Aggregate = "mean"
    init: Init = "xavier_uniform"
    layer_norm: Literal["none", "critic", "both"] = "critic"
    entropy_backup: bool = False
    target_entropy: Finite = -0.5
    minibatches: Annotated[Count, "critic updates after every step"] = 1
    share: Annotated[Online, "share of dataset rows in a batch"] = 0.5
    steps: Steps = 1_000_000
    random: Random = 5_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # released code
    "quick": Config(
        hidden=(128, 128), batch=128, members=5, minibatches=2, steps=20_000, random=1_000,
    ),
}  # fmt: skip
CITE = (
    "Li et al. 2025, Reinforcement Learning with Action Chunking, NeurIPS",
    "Ball et al. 2023, Efficient Online Reinforcement Learning with Offline Data, ICML",
)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """RLPD on chunks."""
    config = resolve(PRESETS, preset, changes)
    inner = sac.learner(minibatches=config.minibatches, **only(config, sac.Numbers))
    given = config.subset, config.replacement, config.entropy_backup, config.max_actions
    mean = SampledBackup(*given, pessimism=0.0)
    update = Chunked(dataclasses.replace(inner, backup=mean), config.length)
    return Recipe(
        name="rlpd_chunks",
        replay=Replay(Mixed(config.share), WarmUp(config.random, "random")),
        acting=OpenLoop(Sampled(), config.length),
        finetune=Finetune(update, Rhythm(1, config.minibatches), config.steps),
    )
