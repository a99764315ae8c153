"""TD3 online: TD3 from scratch under the budgets of the fine-tuning tables.

The update is TD3's; see `td3` for its mathematics. What differs is what the comparison fixes: few
steps, no random phase longer than the others' warm-up.

pretrain   nothing
handover   nothing crosses
replay     online rows only, after uniformly random first steps
acting     pi(s) + N(0, 0.1^2), clipped; no noise in evaluation
finetune   TD3; one update after every step, or 10,000 after every 1,000 (`apl`)

**Differences.** The tables do not say how many random steps their runs from scratch take: 1,000,
the smallest buffer that TD3-C learns from.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from warmstart.config import only, resolve
from warmstart.methods import td3
from warmstart.methods.fields import Every, Random, Steps, Updates
from warmstart.recipe import Recipe, Rhythm


@dataclass(frozen=True)
class Config(td3.Config):
    """The numbers of TD3 on a small budget."""

    steps: Steps = 200_000
    random: Random = 1_000
    every: Every = 1
    updates: Updates = 1


PRESETS: dict[str, Config] = {
    "paper": Config(),  # Luo et al. 2023, figure 1: 200,000 steps
    "apl": Config(steps=100_000, every=1_000, updates=10_000),  # Zheng et al. 2023, table 1
    "quick": Config(hidden=(128, 128), batch=128, steps=30_000),
}
CITE = (
    *td3.CITE,
    "Luo et al. 2023, Finetuning from Offline Reinforcement Learning: Challenges, Trade-offs and "
    "Practical Solutions, arXiv:2303.17396",
    "Zheng et al. 2023, Adaptive Policy Learning for Offline-to-Online Reinforcement Learning, "
    "AAAI",
)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """TD3 from scratch, on a small budget."""
    config = resolve(PRESETS, preset, changes)
    base = td3.recipe(td3.Config(**only(config, td3.Config)))
    rhythm = Rhythm(config.every, config.updates)
    finetune = dataclasses.replace(base.finetune, rhythm=rhythm)
    return dataclasses.replace(base, name="td3_online", finetune=finetune)
