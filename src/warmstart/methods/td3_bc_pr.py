"""TD3-BC with policy refinement (Beeson & Montana 2022).

    L_pi = -Q_1 / mean|Q_1| + (w / lambda) (pi(s) - a)^2,  critics stand still

pretrain   TD3-BC, then the actor alone with the weaker constraint
handover   everything is kept
replay     online rows only; nobody reads them
acting     pi(s) + N(0, 0.1^2), clipped
finetune   nothing learns: it is an offline method; `td3_bc_pr_ft` goes on online

**Differences.** See `td3_bc_pr_ft`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from warmstart.handover import Handover
from warmstart.methods import td3_bc_pr_ft
from warmstart.recipe import Recipe, Replay, Rhythm

PRESETS: dict[str, dict[str, Any]] = {
    name: {k: v for k, v in numbers.items() if k not in ("decay", "warmup", "count")}
    for name, numbers in td3_bc_pr_ft.PRESETS.items()
}
CITE = td3_bc_pr_ft.CITE


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """TD3-BC, refined; online the refined policy acts and nothing learns."""
    base = td3_bc_pr_ft.recipe(preset, "td3_bc_pr", **changes)
    still = dataclasses.replace(base.finetune, rhythm=Rhythm(updates=0))
    return dataclasses.replace(base, handover=Handover(), replay=Replay(), finetune=still)
