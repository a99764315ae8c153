"""O3F: offline RL fine-tuned by optimistic action selection (Mark et al. 2022).

The offline objective stays; only the choice of the executed action changes.

    a_k = clip(pi(s) + N(0, sigma^2)),  a = argmax_k mean_i Q_i(s, a_k) + c std_i Q_i(s, a_k)

pretrain   TD3-BC with five critics
handover   everything is kept
replay     the dataset stands in the buffer; online rows are appended
acting     the best of 100 candidates around the policy's action; in evaluation that action
finetune   TD3-BC, one update after every step

**Differences.** Sigma, candidates, ensemble, c and base learner were not readable in our sources:
0.2, 100, 5, 0 and TD3-BC are readings. Over CQL the rule feeds back: CQL raises the executed
actions, which are those that Q already favours, and on a point mass the score fell from 87 to 28
and 54 (two seeds; CQL alone rose to 95). Another base: `--set acting=o3f` on any that has critics.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.acting import Optimistic
from warmstart.config import only, resolve
from warmstart.methods import td3_bc
from warmstart.methods.fields import Members, Subset
from warmstart.ranges import Count, Finite, NotNegative
from warmstart.recipe import Recipe


@dataclass(frozen=True)
class Config(td3_bc.Config):
    """The numbers of O3F."""

    candidates: Annotated[Count, "actions of which the best is taken"] = 100
    sigma: Annotated[NotNegative, "deviation of the candidates from the policy's action"] = 0.2
    optimism: Annotated[Finite, "c, weight of the critics' deviation"] = 0.0
    members: Members = 5
    subset: Subset = 2


PRESETS: dict[str, Config] = {
    "paper": Config(),
    "quick": Config(**{**vars(td3_bc.PRESETS["quick"]), "members": 3, "subset": 2}),
}
CITE = (
    "Mark et al. 2022, Fine-Tuning Offline Policies with Optimistic Action Selection, NeurIPS "
    "workshop",
    *td3_bc.CITE,
)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """TD3-BC, acting optimistically online."""
    config = resolve(PRESETS, preset, changes)
    base = td3_bc.recipe(td3_bc.Config(**only(config, td3_bc.Config)))
    rule = Optimistic(config.candidates, config.sigma, config.optimism)
    return dataclasses.replace(base, name="o3f", acting=rule)
