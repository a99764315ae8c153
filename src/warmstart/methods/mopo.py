"""MOPO: model-based offline policy optimisation (Yu et al. 2020).

    p_i(r, s' | s, a) = N(mu_i, Sigma_i),  i = 1..7,  by likelihood on the dataset   (alg. 2)
    r~ = r - lambda max_i ||Sigma_i(s, a)^(1/2)||,  r and s' drawn from a random elite      (eq. 8)

and SAC on short ways that begin at states of the dataset and follow the policy in the model.

pretrain   the model, until its held-out error no longer falls; then SAC on imagined rows
handover   everything is kept
replay     online rows only; nobody reads them
acting     a draw from the policy; its mode in evaluation
finetune   nothing learns: for the model carried online see `moore`

**Differences.** Held-out rows are one of each of 1,000 equal strata. A look comes every `look`
steps, not every epoch; the fit has a limit of updates, usually not met. One head gives mean and
variance. SAC's critics have no factor 1/2, its temperature descends on alpha. Rewards, penalty
and model are on the task's own reward scale. Rows that are not finite are dropped. Imagined
ways end where the family's robot has fallen, as in the code; elsewhere (`ends` "goal") where the
reward says that a sparse goal was reached, if the dataset's ends are just those rows; and else
they go on behind the task's ends.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from warmstart.learners import DynamicsFit, ModelBased
from warmstart.methods import sac
from warmstart.nets.dynamics import HALF_LECUN, DynamicsSpec
from warmstart.nets.spec import NetSpec
from warmstart.parts import Learned, ModelFit
from warmstart.recipe import Finetune, Recipe, Rhythm, Stage
from warmstart.replay import Imagined, Resampled

_DATA = ("random", "medium", "medium_replay", "medium_expert")
_TABLE: dict[str, tuple[tuple[int, float], ...]] = {  # (h, lambda) for each of them, D4RL v0
    "halfcheetah": ((5, 0.5), (1, 1.0), (5, 1.0), (5, 5.0)),
    "hopper": ((5, 1.0), (5, 5.0), (5, 1.0), (5, 1.0)),
    "walker2d": ((1, 1.0), (5, 5.0), (1, 1.0), (1, 2.0)),
}
FAMILIES: dict[str, dict[str, Any]] = {
    "paper": {},
    **{
        f"{robot}_{data}": {"horizon": h, "penalty": penalty}
        | ({} if robot == "halfcheetah" else {"ends": robot})
        for robot, numbers in _TABLE.items()
        for data, (h, penalty) in zip(_DATA, numbers, strict=True)
    },
    "quick": {
        "hidden": (128, 128), "batch": 128, "pretrain": 6_000, "steps": 20_000,
        "entropy": -2.0, "model_hidden": (64, 64), "networks": 4, "elites": 3,
        "model_batch": 64, "fit": 6_000, "look": 200, "held": 500, "starts": 2_000, "round": 500,
    },
}  # fmt: skip
CITE = ("Yu et al. 2020, MOPO: Model-based Offline Policy Optimization, NeurIPS",)


def imagined(numbers: dict[str, Any], **more: Any) -> Imagined:
    """The source of imagined rows; takes its own from `numbers`."""
    names = {"starts": 50_000, "horizon": 5, "penalty": 1.0, "keep": 5, "ends": "goal"}
    own = {name: numbers.pop(name, default) for name, default in names.items()}
    return Imagined(**own, every=numbers.pop("round", 1_000), **more)


def model(numbers: dict[str, Any]) -> tuple[DynamicsSpec, ModelFit]:
    """The networks of the model, and their fit."""
    hidden = numbers.pop("model_hidden", (200,) * 4)
    net = NetSpec(hidden, "swish", init="lecun_normal", scale=HALF_LECUN)
    networks, elites = numbers.pop("networks", 7), numbers.pop("elites", 5)
    batch, look = numbers.pop("model_batch", 256), numbers.pop("look", 1_000)
    return DynamicsSpec(net, networks, elites), ModelFit(batch, look_every=look)


def recipe(family: str = "paper", **changes: Any) -> Recipe:
    """A model, then SAC in it; the policy online."""
    numbers = {"pretrain": 1_000_000, "steps": 250_000, **FAMILIES[family], **changes}
    pretrain, steps = numbers.pop("pretrain"), numbers.pop("steps")
    fit, held = numbers.pop("fit", 400_000), numbers.pop("held", 1_000)
    entropy, (nets, how) = numbers.pop("entropy", -3.0), model(numbers)
    source = imagined(numbers, share=numbers.pop("share", 0.05))
    base = sac.learner(**numbers)
    assert isinstance(base.temperature, Learned)
    heat = dataclasses.replace(base.temperature, target=entropy, per_dim=False)
    learner = ModelBased(dataclasses.replace(base, temperature=heat), nets)
    return Recipe(
        name="mopo",
        pretrain=(
            Stage(DynamicsFit(nets, how, held), fit, Resampled()),
            Stage(learner, pretrain, source),
        ),
        finetune=Finetune(learner, Rhythm(updates=0), steps),
    )
