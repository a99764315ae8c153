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
ways end where the preset's robot has fallen, as in the code; elsewhere (`ends` "goal") where the
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
_RULES = {"halfcheetah": {}, "hopper": {"ends": "hopper"}, "walker2d": {"ends": "walker2d"}}
PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    **{
        f"{robot}_{data}": {"horizon": h, "penalty": penalty, **_RULES[robot]}
        for robot, numbers in _TABLE.items()
        for data, (h, penalty) in zip(_DATA, numbers, strict=True)
    },
    "quick": {
        "hidden": (128, 128), "batch": 128, "pretrain": 6_000, "steps": 20_000, "entropy": -2.0,
        "model_hidden": (64, 64), "networks": 4, "elites": 3, "model_batch": 64, "fit": 6_000,
        "look": 200, "held": 500, "starts": 2_000, "round": 500,
    },
}  # fmt: skip
CITE = ("Yu et al. 2020, MOPO: Model-based Offline Policy Optimization, NeurIPS",)


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """A model, then SAC in it; the policy online."""
    numbers: dict[str, Any] = {
        "pretrain": 1_000_000, "steps": 250_000, "entropy": -3.0, "fit": 400_000, "held": 1_000,
        "model_hidden": (200,) * 4, "networks": 7, "elites": 5, "model_batch": 256, "look": 1_000,
        "share": 0.05, "starts": 50_000, "horizon": 5, "penalty": 1.0, "round": 1_000, "keep": 5,
        "ends": "goal", **PRESETS[preset], **changes,
    }  # fmt: skip
    pretrain, steps, fit, held = (numbers.pop(k) for k in ("pretrain", "steps", "fit", "held"))
    dream = {k: numbers.pop(k) for k in ("share", "starts", "horizon", "penalty", "keep", "ends")}
    source = Imagined(every=numbers.pop("round"), **dream)
    net = NetSpec(numbers.pop("model_hidden"), "swish", init="lecun_normal", scale=HALF_LECUN)
    model = DynamicsSpec(net, numbers.pop("networks"), numbers.pop("elites"))
    fitting = ModelFit(numbers.pop("model_batch"), look_every=numbers.pop("look"))
    entropy, base = numbers.pop("entropy"), sac.learner(**numbers)
    assert isinstance(base.temperature, Learned)
    heat = dataclasses.replace(base.temperature, target=entropy, per_dim=False)
    learner = ModelBased(dataclasses.replace(base, temperature=heat), model)
    first = Stage(DynamicsFit(model, fitting, held), fit, Resampled())
    return Recipe(
        name="mopo",
        pretrain=(first, Stage(learner, pretrain, source)),
        finetune=Finetune(learner, Rhythm(updates=0), steps),
    )
