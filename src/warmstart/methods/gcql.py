"""GCQL: adaptive policy learning with REDQ and CQL (Zheng et al. 2023).

    L_Q = E (Q_i(s, a) - y)^2 + W alpha E[log sum_a' exp Q_i(s, a') - Q_i(s, a)],  a' ~ pi   (eq. 6)

W is 1 for a batch of the large buffer (dataset and everything collected) and 0 for a batch of the
newest rows.

pretrain   the same losses on the dataset, W = 1
handover   everything is kept
replay     a whole batch from the newest 20,000 rows with probability 0.5, else from everything
acting     a draw from the policy
finetune   1,000 steps, then 10,000 updates

**Differences.** No official code. Readings: the newest rows alone are drawn from after 10,000 steps
(T_s), CQL weight 1 with 10 of the policy's actions and no importance weights, temperature from 0.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.config import only, resolve
from warmstart.methods import sac
from warmstart.methods.fields import (
    Aggregate,
    Every,
    Members,
    PretrainSteps,
    Steps,
    Subset,
    Updates,
)
from warmstart.parts import CQL, Fixed
from warmstart.ranges import Count, Finite, Positive, Share, Whole
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Gated


@dataclass(frozen=True)
class Buffers:
    """The two buffers, of which each batch is of one."""

    online: Annotated[Share, "how often a batch is of the newest rows"] = 0.5
    newest: Annotated[Count, "rows of the small buffer"] = 20_000
    after: Annotated[Whole, "online steps before it is drawn from (T_s)"] = 10_000


@dataclass(frozen=True)
class Blocks:
    """The authors' blocks, and how long the two phases are."""

    every: Every = 1_000
    updates: Updates = 10_000
    pretrain_steps: PretrainSteps = 100_000
    steps: Steps = 100_000


@dataclass(frozen=True)
class Config(Blocks, Buffers, sac.Numbers):
    """The numbers of GCQL."""

    weight: Annotated[Finite, "alpha of eq. 6"] = 1.0
    proposals: Annotated[Count, "actions a' of eq. 6"] = 10
    members: Members = 5
    subset: Subset = 2
    aggregate: Aggregate = "mean"
    init_temperature: Positive = 0.2


PRESETS: dict[str, Config] = {
    "paper": Config(),
    "quick": Config(
        hidden=(128, 128),
        batch=128,
        members=3,
        proposals=2,
        every=250,
        updates=500,
        pretrain_steps=4_000,
        steps=20_000,
        newest=5_000,
        after=1_000,
    ),
}
CITE = (
    "Zheng et al. 2023, Adaptive Policy Learning for Offline-to-Online Reinforcement Learning, "
    "AAAI",
)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """REDQ with gated conservatism, offline and online."""
    config = resolve(PRESETS, preset, changes)
    held = CQL(
        Fixed(config.weight), config.proposals, importance=False, proposals=("current",),
        with_data=False,
    )  # fmt: skip
    update = sac.learner(**only(config, sac.Numbers), conservatism=held)
    return Recipe(
        name="gcql",
        pretrain=(Stage(update, config.pretrain_steps),),
        replay=Replay(Gated(**only(config, Buffers)), capacity=3_000_000),
        finetune=Finetune(update, Rhythm(config.every, config.updates), config.steps),
    )
