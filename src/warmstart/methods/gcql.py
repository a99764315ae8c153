"""GCQL: adaptive policy learning with REDQ and CQL (Zheng et al. 2023).

    L_Q = E (Q_i(s, a) - y)^2 + W alpha E[log sum_a' exp Q_i(s, a') - Q_i(s, a)],  a' ~ pi   (eq. 6)

W is 1 for a batch of the large buffer (dataset and everything collected) and 0 for a batch of the
newest rows.

pretrain   the same losses on the dataset, W = 1
handover   everything is kept
replay     a whole batch from the newest 20,000 rows with probability 0.5, else from everything
acting     a draw from the policy
finetune   1,000 steps, then 10,000 updates

**Differences.** No official code. Readings: the newest rows alone are drawn from after 10,000 steps
(T_s), CQL weight 1 with 10 of the policy's actions and no importance weights, temperature from 0.2.
"""

from __future__ import annotations

from typing import Any

from warmstart.methods import sac
from warmstart.parts import CQL, Fixed
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Gated

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "quick": {
        "hidden": (128, 128),
        "batch": 128,
        "members": 3,
        "proposals": 2,
        "every": 250,
        "updates": 500,
        "pretrain": 4_000,
        "steps": 20_000,
        "newest": 5_000,
        "after": 1_000,
    },
}
CITE = (
    "Zheng et al. 2023, Adaptive Policy Learning for Offline-to-Online Reinforcement Learning, "
    "AAAI",
)


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """REDQ with gated conservatism, offline and online."""
    numbers: dict[str, Any] = {
        "members": 5,
        "subset": 2,
        "aggregate": "mean",
        "init_temperature": 0.2,
        "weight": 1.0,
        "proposals": 10,
        "every": 1_000,
        "updates": 10_000,
        "pretrain": 100_000,
        "steps": 100_000,
        "online": 0.5,
        "newest": 20_000,
        "after": 10_000,
        **PRESETS[preset],
        **changes,
    }
    pretrain, steps, every, updates = (
        numbers.pop(k) for k in ("pretrain", "steps", "every", "updates")
    )
    gated = Gated(*(numbers.pop(k) for k in ("online", "newest", "after")))
    weight, n = numbers.pop("weight"), numbers.pop("proposals")
    held = CQL(Fixed(weight), n, importance=False, proposals=("current",), with_data=False)
    update = sac.learner(**numbers, conservatism=held)
    return Recipe(
        name="gcql",
        pretrain=(Stage(update, pretrain),),
        replay=Replay(gated, capacity=3_000_000),
        finetune=Finetune(update, Rhythm(every, updates), steps),
    )
