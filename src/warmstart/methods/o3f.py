"""O3F: offline RL fine-tuned by optimistic action selection (Mark et al. 2022).

The offline objective stays; only the choice of the executed action changes.

    a_k = clip(mode pi(s) + N(0, sigma^2)),  a = argmax_k mean_i Q_i(s, a_k) + c std_i Q_i(s, a_k)

pretrain   CQL with five critics
handover   everything is kept
replay     the dataset's share of every batch (0.5), the rest online
acting     the best of 100 candidates around the mode; in evaluation the mode
finetune   CQL, one update after every step

**Differences.** Sigma, candidates, ensemble, c and base learner were not readable in our sources:
0.2, 100, 5, 0 (`finetune`'s rule is `acting.optimism`) and CQL are readings. Any other pre-training
takes the same acting rule.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from warmstart.acting import Optimistic
from warmstart.methods import cql
from warmstart.recipe import Recipe

FAMILIES: dict[str, dict[str, Any]] = {
    name: {"members": 5, **numbers} for name, numbers in cql.FAMILIES.items()
}
FAMILIES["quick"] = {**FAMILIES["quick"], "members": 3}
CITE = (
    "Mark et al. 2022, Fine-Tuning Offline Policies with Optimistic Action Selection, NeurIPS "
    "workshop",
    *cql.CITE,
)


def recipe(
    family: str = "paper",
    candidates: int = 100,
    sigma: float = 0.2,
    optimism: float = 0.0,
    **changes: Any,
) -> Recipe:
    """CQL, acting optimistically online."""
    base = cql.recipe(family, "o3f", **{**FAMILIES[family], **changes})
    return dataclasses.replace(base, acting=Optimistic(candidates, sigma, optimism))
