"""QC-FQL: flow Q-learning on chunks of actions (Li et al. 2025).

    y    = sum_{i<h} gamma^i r_{t+i} + gamma^h m mean_j Q'_j(s_{t+h}, clip mu(s_{t+h}, z'))
    L_mu = w E (mu(s, z) - clip Euler_10(v; s, z))^2 - E mean_j Q_j(s, clip mu(s, z))
    L_v  = E valid (v(s, x_u, u) - (c - x_0))^2,  x_u = (1 - u) x_0 + u c

c = (a_t ... a_{t+h-1}) is one action of h A numbers; z, z', x_0 ~ N(0, I), u ~ U(0, 1). What `fql`
does with an action is done with a chunk, which is executed to its end without looking.

pretrain   the three losses on chunks of the dataset
handover   everything is kept
replay     the dataset stands in the buffer; online rows are appended, sampling is uniform
acting     mu(s, z) to its end, then a fresh z, in evaluation too; a new episode, a new chunk
finetune   the same losses, one update after every step from step 5,000 on

**Differences.** Those of `fql`, and those of `qc` in which chunks count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.acting import OpenLoop, Sampled
from warmstart.config import only, resolve
from warmstart.learners import Chunked
from warmstart.methods import fql
from warmstart.methods.fields import Chunk, OwnWarmup, Phases
from warmstart.ranges import NotNegative
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage, WarmUp


@dataclass(frozen=True)
class Config(Phases, fql.Numbers):
    """The numbers of QC-FQL; the defaults are those of the authors' example, OGBench's cubes."""

    weight: Annotated[NotNegative, "w, of the distance between the one step and the flow"] = 100.0
    length: Chunk = 5
    warmup: OwnWarmup = 5_000


PRESETS: dict[str, Config] = {
    "paper": Config(),
    "quick": Config(
        hidden=(128, 128), batch=128, flow_steps=5, lr=1e-3, tau=0.02, weight=0.3, normalise=True,
        pretrain_steps=8_000, steps=12_000, warmup=500,
    ),
}  # fmt: skip
CITE = (
    "Li et al. 2025, Reinforcement Learning with Action Chunking, NeurIPS",
    "Park et al. 2025, Flow Q-Learning, ICML",
)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """QC-FQL, offline and online."""
    config = resolve(PRESETS, preset, changes)
    update = Chunked(fql.learner(**only(config, fql.Numbers)), config.length)
    return Recipe(
        name="qc_fql",
        pretrain=(Stage(update, config.pretrain_steps),),
        replay=Replay(warmup=WarmUp(config.warmup), preload=Preload("all"), capacity=2_000_000),
        acting=OpenLoop(Sampled("sample"), config.length),
        finetune=Finetune(update, Rhythm(), config.steps),
    )
