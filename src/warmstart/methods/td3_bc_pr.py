"""TD3-BC with policy refinement (Beeson & Montana 2022).

    L_pi = -Q_1 / mean|Q_1| + (w / lambda) (pi(s) - a)^2,  critics stand still

pretrain   TD3-BC, then the actor alone with the weaker constraint
handover   everything is kept
replay     online rows only; no update reads them
acting     pi(s) + N(0, 0.1^2), clipped
finetune   nothing learns: it is an offline method; `td3_bc_pr_ft` goes on online

**Differences.** See `td3_bc_pr_ft`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from warmstart.config import only, resolve
from warmstart.handover import Handover
from warmstart.methods import td3_bc_pr_ft
from warmstart.recipe import Recipe, Replay, Rhythm


@dataclass(frozen=True)
class Config(td3_bc_pr_ft.Refined, td3_bc_pr_ft.Faded):
    """The numbers of TD3-BC, refined; `end` and `decay` count where something is told to learn
    online, by `finetune.rhythm.updates`."""


PRESETS: dict[str, Config] = {
    name: Config(**only(numbers, Config)) for name, numbers in td3_bc_pr_ft.PRESETS.items()
}
CITE = td3_bc_pr_ft.CITE


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """TD3-BC, refined; online the refined policy acts and nothing learns."""
    config = resolve(PRESETS, preset, changes)
    base = td3_bc_pr_ft.recipe(td3_bc_pr_ft.Config(**vars(config)))
    still = dataclasses.replace(base.finetune, rhythm=Rhythm(updates=0))
    return dataclasses.replace(
        base, name="td3_bc_pr", handover=Handover(), replay=Replay(), finetune=still
    )
