"""MOPO: model-based offline policy optimisation (Yu et al. 2020).

    p_i(r, s' | s, a) = N(mu_i, Sigma_i),  i = 1..7,  by likelihood on the dataset   (alg. 2)
    r~ = r - lambda max_i ||Sigma_i(s, a)^(1/2)||,  r and s' drawn from a random elite      (eq. 8)

and SAC on short ways that begin at states of the dataset and follow the policy in the model.

pretrain   the model, until its held-out error no longer falls; then SAC on imagined rows
handover   everything is kept
replay     online rows only; no update reads them
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
from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.config import only, resolve
from warmstart.learners import DynamicsFit, ModelBased
from warmstart.methods import sac
from warmstart.methods.fields import PretrainSteps, Steps
from warmstart.nets.dynamics import HALF_LECUN, DynamicsSpec
from warmstart.nets.spec import NetSpec
from warmstart.parts import Learned, ModelFit
from warmstart.ranges import BelowOne, Count, Finite, NotNegative
from warmstart.recipe import Finetune, Recipe, Rhythm, Stage
from warmstart.replay import Imagined, Resampled


@dataclass(frozen=True)
class Dream:
    """What is imagined; `rollout_length` and `round` are its `horizon` and `every`."""

    share: Annotated[BelowOne, "share of dataset rows in a batch of pre-training"] = 0.05
    starts: Annotated[Count, "logged states at which a round of imagined ways begins"] = 50_000
    penalty: Annotated[NotNegative, "lambda of eq. 8"] = 1.0
    keep: Annotated[Count, "rounds of imagined ways that are kept"] = 5
    ends: Annotated[str, "where imagined ways end: goal, never, hopper, walker2d or ant"] = "goal"


@dataclass(frozen=True)
class Config(Dream, sac.Numbers):
    """The numbers of MOPO."""

    rollout_length: Annotated[Count, "h, steps of an imagined way"] = 5
    round: Annotated[Count, "updates between two rounds of imagined ways"] = 1_000
    fit: Annotated[Count, "largest number of updates of the model"] = 400_000
    held: Annotated[Count, "rows held out, by which the model's fit ends"] = 1_000
    look: Annotated[Count, "updates of the model between two looks at those rows"] = 1_000
    networks: Annotated[Count, "networks of the model"] = 7
    elites: Annotated[Count, "of these, the best, which foretell"] = 5
    model_hidden: Annotated[tuple[Count, ...], "hidden layers of each"] = (200,) * 4
    model_batch: Annotated[Count, "rows of each one's minibatch"] = 256
    target_entropy: Annotated[Finite, "H_target of the whole action"] = -3.0
    pretrain_steps: Annotated[PretrainSteps, "updates of SAC in the model"] = 1_000_000
    steps: Steps = 250_000


_DATA = ("random", "medium", "medium_replay", "medium_expert")
_TABLE: dict[str, tuple[tuple[int, float], ...]] = {  # (h, lambda) for each of them, D4RL v0
    "halfcheetah": ((5, 0.5), (1, 1.0), (5, 1.0), (5, 5.0)),
    "hopper": ((5, 1.0), (5, 5.0), (5, 1.0), (5, 1.0)),
    "walker2d": ((1, 1.0), (5, 5.0), (1, 1.0), (1, 2.0)),
}
_ENDS = {"halfcheetah": "goal", "hopper": "hopper", "walker2d": "walker2d"}
PRESETS: dict[str, Config] = {
    "paper": Config(),
    **{
        f"{robot}_{data}": Config(rollout_length=h, penalty=penalty, ends=_ENDS[robot])
        for robot, numbers in _TABLE.items()
        for data, (h, penalty) in zip(_DATA, numbers, strict=True)
    },
    "quick": Config(
        hidden=(128, 128), batch=128, pretrain_steps=6_000, steps=20_000, target_entropy=-2.0,
        model_hidden=(64, 64), networks=4, elites=3, model_batch=64, fit=6_000, look=200, held=500,
        starts=2_000, round=500,
    ),
}  # fmt: skip
CITE = ("Yu et al. 2020, MOPO: Model-based Offline Policy Optimization, NeurIPS",)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """A model, then SAC in it; the policy online."""
    config = resolve(PRESETS, preset, changes)
    source = Imagined(horizon=config.rollout_length, every=config.round, **only(config, Dream))
    net = NetSpec(config.model_hidden, "swish", init="lecun_normal", scale=HALF_LECUN)
    model = DynamicsSpec(net, config.networks, config.elites)
    fitting = ModelFit(config.model_batch, look_every=config.look)
    base = sac.learner(**only(config, sac.Numbers))
    assert isinstance(base.temperature, Learned)
    whole = dataclasses.replace(base.temperature, per_dim=False)
    learner = ModelBased(dataclasses.replace(base, temperature=whole), model)
    first = Stage(DynamicsFit(model, fitting, config.held), config.fit, Resampled())
    return Recipe(
        name="mopo",
        pretrain=(first, Stage(learner, config.pretrain_steps, source)),
        finetune=Finetune(learner, Rhythm(updates=0), config.steps),
    )
