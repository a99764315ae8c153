"""BC: behaviour cloning, the baseline of every table.

    L_pi = (pi(s) - a)^2   deterministic          L_pi = -log pi(a|s)   Gaussian

pretrain   the cloning loss on the dataset, or on its best episodes (`top`: BC-10 % is 0.1)
handover   everything is kept
replay     online rows only; no update reads them
acting     the mode in evaluation; the Gaussian policy explores by a draw
finetune   nothing learns: online, its curve is the noise floor of the others

**Differences.** Episodes of the top share are ranked by the undiscounted sum of transformed
rewards. No learning-rate schedule. For a cloned policy that goes on to learn see `bc_sac`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from warmstart.config import only, parted, resolve
from warmstart.learners import ActorCritic
from warmstart.methods.fields import Batch, Hidden, Normalised, PretrainSteps, Rate, Steps
from warmstart.nets.flows import FlowPolicySpec
from warmstart.nets.spec import NetSpec, PolicySpec
from warmstart.parts import BehaviourCloning, NoImprovement
from warmstart.ranges import Share
from warmstart.recipe import Finetune, Recipe, Rhythm, Stage
from warmstart.replay import FromDataset
from warmstart.state import Optimiser


@dataclass(frozen=True)
class Numbers:
    """What `learner` takes by name."""

    kind: Annotated[
        Literal["deterministic", "gaussian"], "the policy, by mean squared error or by likelihood"
    ] = "deterministic"
    hidden: Hidden = (256, 256)
    lr: Rate = 3e-4
    batch: Batch = 256
    normalise: Normalised = "none"


@dataclass(frozen=True)
class Config(Numbers):
    """The numbers of behaviour cloning; the defaults are CORL's."""

    normalise: Normalised = "dataset"
    top: Annotated[Share, "share of the dataset's episodes, the best, that is cloned"] = 1.0
    pretrain_steps: PretrainSteps = 1_000_000
    steps: Steps = 250_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # CORL: 256x2, MSE, 1M updates, scaled observations
    "gaussian": Config(kind="gaussian", normalise="none"),  # released WSRL code: -log pi
    "top10": Config(top=0.1),  # CORL's BC-10 %
    "quick": Config(
        hidden=(128, 128), batch=128, normalise="none", pretrain_steps=5_000, steps=20_000
    ),
}
CITE = ("Pomerleau 1989, ALVINN: An Autonomous Land Vehicle in a Neural Network, NeurIPS",)


def learner(policy: PolicySpec | FlowPolicySpec | None = None, **given: Any) -> ActorCritic:
    """An actor that follows the data alone, by `Numbers`, of which `policy` stands in the place of
    `kind` and `hidden`; whatever else is given is a field of the learner."""
    n, more = parted(Numbers, given)
    policy = policy or PolicySpec(NetSpec(n.hidden), kind=n.kind, squash=False)
    return ActorCritic(
        policy=policy,
        critic=None,
        improvement=NoImprovement(),
        constraint=BehaviourCloning(kind="nll" if policy.has_density else "mse"),
        actor_optimiser=Optimiser(n.lr),
        batch=n.batch,
        normalise=n.normalise,
        **more,
    )


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """Behaviour cloning, and the cloned policy online."""
    config = resolve(PRESETS, preset, changes)
    update = learner(**only(config, Numbers))
    return Recipe(
        name="bc",
        pretrain=(Stage(update, config.pretrain_steps, FromDataset(config.top)),),
        finetune=Finetune(update, Rhythm(updates=0), config.steps),
    )
