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
from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.config import only, resolve
from warmstart.learners import DynamicsFit, ModelBased, Refit
from warmstart.methods import mopo
from warmstart.ranges import Count, Positive, Whole
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm
from warmstart.replay import Faded


@dataclass(frozen=True)
class Config(mopo.Config):
    """The numbers of MOORe."""

    alpha: Annotated[Positive, "how fast the dataset fades (alg. 1)"] = 1.0
    epoch: Annotated[Count, "environment steps of an epoch t"] = 1_000
    refit: Annotated[Count, "environment steps between two refits and rounds of ways"] = 1_000
    most: Annotated[Count, "largest number of updates of a refit"] = 1_000
    relook: Annotated[Count, "updates of a refit between two looks at held-out rows"] = 100
    updates: Annotated[Whole, "updates of SAC after every step"] = 1


PRESETS: dict[str, Config] = {name: Config(**vars(n)) for name, n in mopo.PRESETS.items()}
PRESETS["quick"] = dataclasses.replace(PRESETS["quick"], epoch=500, refit=500, most=300, relook=50)
CITE = (
    "Mao et al. 2022, MOORe: Model-based Offline-to-Online Reinforcement Learning, "
    "arXiv:2201.10070",
    *mopo.CITE,
)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """MOPO, carried online."""
    config = resolve(PRESETS, preset, changes)
    base = mopo.recipe(mopo.Config(**only(config, mopo.Config)))
    before, after = base.pretrain
    assert isinstance(before.learner, DynamicsFit) and isinstance(after.learner, ModelBased)
    faded = Faded(config.alpha, config.epoch)
    fit = dataclasses.replace(before.learner.fit, look_every=config.relook)
    refit = Refit(fit, faded, config.refit, config.most, before.learner.held)
    learner = dataclasses.replace(after.learner, refit=refit)
    source = dataclasses.replace(
        after.source, source=faded, share=0.0, every=config.refit, by="env_steps"
    )
    return dataclasses.replace(
        base,
        name="moore",
        replay=Replay(source),
        finetune=Finetune(learner, Rhythm(1, config.updates), config.steps),
    )
