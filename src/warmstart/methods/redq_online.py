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
from typing import Any

from warmstart.methods import redq
from warmstart.recipe import Recipe, Rhythm

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "quick": {
        "hidden": (128, 128),
        "batch": 128,
        "members": 5,
        "every": 250,
        "updates": 500,
        "steps": 20_000,
        "random": 1_000,
    },
}
CITE = (
    *redq.CITE,
    "Zheng et al. 2023, Adaptive Policy Learning for Offline-to-Online Reinforcement Learning, "
    "AAAI",
)


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """REDQ from scratch, in blocks of 1,000 steps."""
    rhythm = {"minibatches": 1, "every": 1_000, "updates": 10_000}
    numbers: dict[str, Any] = {"steps": 100_000, **rhythm, **PRESETS[preset], **changes}
    every, updates = numbers.pop("every"), numbers.pop("updates")
    base = redq.recipe("paper", **numbers)
    finetune = dataclasses.replace(base.finetune, rhythm=Rhythm(every, updates))
    return dataclasses.replace(base, name="redq_online", finetune=finetune)
