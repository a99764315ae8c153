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
from typing import Any

from warmstart.methods import td3
from warmstart.recipe import Recipe, Rhythm

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},  # Luo et al. 2023, figure 1: 200,000 steps
    "apl": {"steps": 100_000, "every": 1_000, "updates": 10_000},  # Zheng et al. 2023, table 1
    "quick": {"hidden": (128, 128), "batch": 128, "steps": 30_000, "random": 1_000},
}
CITE = (
    *td3.CITE,
    "Luo et al. 2023, Finetuning from Offline Reinforcement Learning: Challenges, Trade-offs and "
    "Practical Solutions, arXiv:2303.17396",
    "Zheng et al. 2023, Adaptive Policy Learning for Offline-to-Online Reinforcement Learning, "
    "AAAI",
)


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """TD3 from scratch, on a small budget."""
    numbers = {"steps": 200_000, "random": 1_000, "every": 1, "updates": 1}
    numbers = {**numbers, **PRESETS[preset], **changes}
    every, updates = numbers.pop("every"), numbers.pop("updates")
    base = td3.recipe("paper", **numbers)
    finetune = dataclasses.replace(base.finetune, rhythm=Rhythm(every, updates))
    return dataclasses.replace(base, name="td3_online", finetune=finetune)
