"""GCTD3BC: adaptive policy learning with TD3-BC (Zheng et al. 2023).

    L_pi = -Q_1(s, pi(s)) / mean|Q_1| + W w (pi(s) - a)^2,  w = 1 / 2.5                  (eq. 8)

W is 1 for a batch of the large buffer (dataset and everything collected) and 0 for a batch of the
newest rows.

pretrain   TD3-BC
handover   everything is kept
replay     a whole batch from the newest 20,000 rows with probability 0.1, else from everything
acting     pi(s) + N(0, 0.1^2), clipped
finetune   1,000 steps, then 10,000 updates

**Differences.** No official code. Readings: the normaliser stands for both kinds of batch, the
newest rows alone are drawn from after 10,000 steps (T_s), observations are scaled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from warmstart.acting import Noisy
from warmstart.config import only, resolve
from warmstart.methods import gcql, td3_bc
from warmstart.ranges import Share
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Gated


@dataclass(frozen=True)
class Config(gcql.Blocks, gcql.Buffers, td3_bc.Numbers):
    """The numbers of GCTD3BC."""

    online: Share = 0.1


PRESETS: dict[str, Config] = {
    "paper": Config(),
    "quick": Config(
        hidden=(128, 128),
        batch=128,
        every=250,
        updates=500,
        pretrain_steps=8_000,
        steps=20_000,
        newest=5_000,
        after=1_000,
    ),
}
CITE = (*gcql.CITE, *td3_bc.CITE)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """TD3-BC with a gated constraint, offline and online."""
    config = resolve(PRESETS, preset, changes)
    update = td3_bc.learner(**only(config, td3_bc.Numbers))
    return Recipe(
        name="gctd3bc",
        pretrain=(Stage(update, config.pretrain_steps),),
        replay=Replay(Gated(**only(config, gcql.Buffers)), capacity=3_000_000),
        acting=Noisy(0.1),
        finetune=Finetune(update, Rhythm(config.every, config.updates), config.steps),
    )
