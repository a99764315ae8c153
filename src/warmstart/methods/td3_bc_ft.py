"""TD3-BC, fine-tuned with a decaying constraint (Beeson & Montana 2022).

    w_k = w_0 kappa^k,  kappa = exp(log(w_N / w_0) / N),  then held at w_N

pretrain   TD3-BC
handover   networks and slow copies are kept, the optimisers' moments are fresh
replay     the dataset's last 2,500 rows, then 2,500 steps of the frozen policy, then online rows
acting     pi(s) + N(0, 0.1^2), clipped
finetune   TD3-BC with the decaying weight (0.4 to 0.2 over 50,000 updates), one update a step

**Differences.** See `td3_bc_pr_ft`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from warmstart.config import only, resolve
from warmstart.methods import td3_bc_pr_ft
from warmstart.recipe import Recipe


@dataclass(frozen=True)
class Config(td3_bc_pr_ft.Online):
    """The numbers of TD3-BC, fine-tuned with a decaying constraint."""


PRESETS: dict[str, Config] = {
    name: Config(**only(numbers, Config)) for name, numbers in td3_bc_pr_ft.PRESETS.items()
}
CITE = td3_bc_pr_ft.CITE


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """TD3-BC, then with a decaying weight."""
    config = resolve(PRESETS, preset, changes)
    base = td3_bc_pr_ft.recipe(td3_bc_pr_ft.Config(**vars(config)))
    return dataclasses.replace(base, name="td3_bc_ft", pretrain=base.pretrain[:1])
