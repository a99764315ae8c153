"""MOORe: model-based offline-to-online reinforcement learning (Mao et al. 2022).

    f(d, t) = 1 / (alpha t) for a row d of the dataset, 1 for an online row,  in epoch t   (alg. 1)

Rows are drawn in proportion to f: those by which MOPO's model is fitted again, and the states at
which its imagined ways begin. The policy learns from imagined rows alone.

pretrain   as in `mopo`: the model, then SAC on imagined rows
handover   everything is kept
replay     imagined rows, begun at dataset and online rows; the dataset fades as 1 / (alpha t)
acting     a draw from the policy
finetune   MOPO's SAC after every step; every 1,000 steps the model is fitted again, then imagines

**Differences.** The source is a summary of algorithm 1; unpublished, and chosen here: alpha 1, an
epoch and a refit of 1,000 steps, 50,000 starts, h and lambda as MOPO's, one update a step. The
refit goes on from the model as it is, until it has converged or for at most 1,000 steps; its
moments begin again online and then go on, and the scale of its inputs stays the dataset's. Held-out
rows are drawn again for each refit. Up to the first one MOPO's model imagines.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from warmstart.learners import DynamicsFit, ModelBased, Refit
from warmstart.methods import mopo
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm
from warmstart.replay import Faded

PRESETS: dict[str, dict[str, Any]] = {
    **mopo.PRESETS,
    "quick": {
        **mopo.PRESETS["quick"],
        "epoch": 500,
        "refit": 500,
        "most": 300,
        "relook": 50,
    },
}
CITE = (
    "Mao et al. 2022, MOORe: Model-based Offline-to-Online Reinforcement Learning, "
    "arXiv:2201.10070",
    *mopo.CITE,
)


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """MOPO, carried online."""
    numbers: dict[str, Any] = {
        "alpha": 1.0,
        "epoch": 1_000,
        "refit": 1_000,
        "most": 1_000,
        "relook": 100,
        "updates": 1,
        **PRESETS[preset],
        **changes,
    }
    faded = Faded(numbers.pop("alpha"), numbers.pop("epoch"))
    every, most, look = (numbers.pop(name) for name in ("refit", "most", "relook"))
    updates = numbers.pop("updates")
    base = mopo.recipe("paper", **numbers)
    before, after = base.pretrain
    assert isinstance(before.learner, DynamicsFit) and isinstance(after.learner, ModelBased)
    fit = dataclasses.replace(before.learner.fit, look_every=look)
    refit = Refit(fit, faded, every, most, before.learner.held)
    learner = dataclasses.replace(after.learner, refit=refit)
    source = dataclasses.replace(after.source, source=faded, share=0.0, every=every, by="env_steps")
    return dataclasses.replace(
        base,
        name="moore",
        replay=Replay(source),
        finetune=Finetune(learner, Rhythm(1, updates), base.finetune.steps),
    )
