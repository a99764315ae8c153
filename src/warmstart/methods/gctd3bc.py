"""GCTD3BC: adaptive policy learning with TD3-BC (Zheng et al. 2023).

    L_pi = -Q_1(s, pi(s)) / mean|Q_1| + W w (pi(s) - a)^2,  w = 1 / 2.5                  (eq. 8)

W is 1 for a batch of the large buffer (dataset and everything collected) and 0 for a batch of the
newest rows.

pretrain   TD3-BC
handover   everything is kept
replay     a whole batch from the newest 20,000 rows with probability 0.1, else from everything
acting     pi(s) + N(0, 0.1^2), clipped
finetune   1,000 steps, then 10,000 updates

**Differences.** No official code. Readings: the normaliser stands for both kinds of batch, the
newest rows alone are drawn from after 10,000 steps (T_s), observations are scaled.
"""

from __future__ import annotations

from typing import Any

from warmstart.acting import Noisy
from warmstart.methods import gcql, td3_bc
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Gated

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "quick": {
        "hidden": (128, 128),
        "batch": 128,
        "every": 250,
        "updates": 500,
        "pretrain": 8_000,
        "steps": 20_000,
        "newest": 5_000,
        "after": 1_000,
    },
}
CITE = (*gcql.CITE, *td3_bc.CITE)


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """TD3-BC with a gated constraint, offline and online."""
    numbers: dict[str, Any] = {
        "every": 1_000,
        "updates": 10_000,
        "pretrain": 100_000,
        "steps": 100_000,
        "online": 0.1,
        "newest": 20_000,
        "after": 10_000,
        **PRESETS[preset],
        **changes,
    }
    pretrain, steps, every, updates = (
        numbers.pop(k) for k in ("pretrain", "steps", "every", "updates")
    )
    gated = Gated(*(numbers.pop(k) for k in ("online", "newest", "after")))
    update = td3_bc.learner(**numbers)
    return Recipe(
        name="gctd3bc",
        pretrain=(Stage(update, pretrain),),
        replay=Replay(gated, capacity=3_000_000),
        acting=Noisy(0.1),
        finetune=Finetune(update, Rhythm(every, updates), steps),
    )
