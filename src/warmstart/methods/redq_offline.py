"""REDQ offline: the negative control, REDQ pre-trained without any pessimism.

The update is REDQ's on the dataset: nothing keeps the policy at actions that the data holds, and
the critics' errors at the others are what it climbs (column REDQ of table 1, Zheng et al. 2023).

pretrain   REDQ's update on the dataset
handover   everything is kept
replay     the dataset stands in the buffer; online rows are appended
acting     a draw from the policy
finetune   the same update: 1,000 steps, then 10,000 updates, 100,000 steps in all

**Differences.** 100,000 updates of pre-training, as APL's own learners have them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from warmstart.config import only, resolve
from warmstart.methods import redq_online
from warmstart.methods.fields import PretrainSteps
from warmstart.recipe import Preload, Recipe, Replay, Stage


@dataclass(frozen=True)
class Config(redq_online.Numbers):
    """The numbers of REDQ offline."""

    pretrain_steps: PretrainSteps = 100_000


PRESETS: dict[str, Config] = {
    "paper": Config(),
    "quick": Config(
        **only(redq_online.PRESETS["quick"], redq_online.Numbers), pretrain_steps=4_000
    ),
}
CITE = redq_online.CITE


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """REDQ on the dataset, then on everything."""
    config = resolve(PRESETS, preset, changes)
    base = redq_online.recipe(redq_online.Config(**only(config, redq_online.Config)))
    return dataclasses.replace(
        base,
        name="redq_offline",
        pretrain=(Stage(base.finetune.learner, config.pretrain_steps),),
        replay=Replay(preload=Preload("all"), capacity=3_000_000),
    )
