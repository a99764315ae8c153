"""REDQ online: REDQ from scratch under the budget of the APL table (Zheng et al. 2023).

The update is REDQ's; see `redq` for its mathematics.

pretrain   nothing
handover   nothing crosses
replay     online rows only, after uniformly random first steps
acting     a draw from the policy
finetune   SAC with the ensemble: 1,000 steps, then 10,000 updates, 100,000 steps in all

**Differences.** Critics and subset as in REDQ (10, 2), where APL's own learner has 5. The table
does not say how many random steps come first: 5,000, as REDQ has it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.config import only, resolve
from warmstart.methods import redq
from warmstart.methods.fields import Every, Random, Steps, Updates
from warmstart.ranges import Count
from warmstart.recipe import Recipe, Rhythm


@dataclass(frozen=True)
class Numbers(redq.Numbers):
    """REDQ's numbers, in blocks."""

    minibatches: Annotated[Count, "critic steps for one of the actor"] = 1
    every: Every = 1_000
    updates: Updates = 10_000
    steps: Steps = 100_000


@dataclass(frozen=True)
class Config(Numbers):
    """The numbers of REDQ online."""

    random: Random = 5_000


PRESETS: dict[str, Config] = {
    "paper": Config(),
    "quick": Config(
        hidden=(128, 128),
        batch=128,
        members=5,
        every=250,
        updates=500,
        steps=20_000,
        random=1_000,
    ),
}
CITE = (
    *redq.CITE,
    "Zheng et al. 2023, Adaptive Policy Learning for Offline-to-Online Reinforcement Learning, "
    "AAAI",
)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """REDQ from scratch, in blocks of 1,000 steps."""
    config = resolve(PRESETS, preset, changes)
    base = redq.recipe(redq.Config(**only(config, redq.Config)))
    rhythm = Rhythm(config.every, config.updates)
    finetune = dataclasses.replace(base.finetune, rhythm=rhythm)
    return dataclasses.replace(base, name="redq_online", finetune=finetune)
