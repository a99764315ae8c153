"""REDQ: randomised ensembled double Q-learning (Chen et al. 2021).

    y    = r + gamma m (min_{i in M} Q'_i(s', a') - alpha log pi(a'|s')),  |M| = 2 of 10  (alg. 1)
    L_pi = alpha log pi(a|s) - mean_i Q_i(s, a)

pretrain   nothing
handover   nothing crosses
replay     online rows only, after 5,000 uniformly random steps
acting     a draw from the policy
finetune   SAC with the ensemble, 20 critic steps a step, then one actor step

**Differences.** The temperature's gradient is taken on alpha, not on log alpha. The target entropy
is -A; the authors use the per-robot table of MBPO (`temperature.target`).
"""

from __future__ import annotations

from typing import Any

from warmstart.methods import sac
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, WarmUp

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},  # table 4 of the paper: N 10, M 2, UTD 20, 256x2, batch 256, lr 3e-4
    "quick": {
        "hidden": (128, 128),
        "batch": 128,
        "members": 5,
        "minibatches": 4,
        "steps": 20_000,
        "random": 1_000,
    },
}
CITE = ("Chen et al. 2021, Randomized Ensembled Double Q-Learning: Learning Fast Without a Model",)


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """REDQ from scratch."""
    numbers: dict[str, Any] = {
        "members": 10,
        "subset": 2,
        "aggregate": "mean",
        "init": "xavier_uniform",
        "minibatches": 20,
        "steps": 1_000_000,
        "random": 5_000,
        **PRESETS[preset],
        **changes,
    }
    steps, random = numbers.pop("steps"), numbers.pop("random")
    return Recipe(
        name="redq",
        replay=Replay(warmup=WarmUp(random, "random")),
        finetune=Finetune(sac.learner(**numbers), Rhythm(1, numbers["minibatches"]), steps),
    )
