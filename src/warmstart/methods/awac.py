"""AWAC: advantage-weighted actor-critic (Nair et al. 2020).

    y    = r + gamma m min_i Q'_i(s', a'),  a' ~ pi(.|s')                               (eq. 4)
    A    = min_i Q_i(s, a) - min_i Q_i(s, a_pi)
    L_pi = -w log pi(a|s),  w = exp(A / lambda)                                         (eq. 9)

pretrain   the same losses on the dataset
handover   everything is kept
replay     the dataset stands in the buffer, online rows are appended (preset `no_retention`:
           online rows only, after 1,000 steps)
acting     a draw from the policy, clipped to the box
finetune   the same losses

**Differences.** On Adroit the authors' code clamps Q at 0, cuts A at 0.5 and zeroes terminals; here
Q and A are free and a terminal is what the environment says. They pre-train with batches of 128
there, here the batch is one number. Weight decay is decoupled (AdamW). The authors do not publish
runs without the dataset: `no_retention` is theirs with an empty buffer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from warmstart.config import only, parted, resolve
from warmstart.learners import ActorCritic
from warmstart.methods.fields import (
    Batch,
    CriticHidden,
    Decay,
    Every,
    Hidden,
    LogStd,
    Normalised,
    PretrainSteps,
    Rate,
    Std,
    Steps,
    Tau,
)
from warmstart.nets.spec import CriticSpec, NetSpec, PolicySpec
from warmstart.parts import PolicyAdvantage, SampledBackup
from warmstart.ranges import Positive
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage, WarmUp
from warmstart.state import Optimiser


@dataclass(frozen=True)
class Numbers:
    """What `learner` takes by name."""

    temperature: Annotated[Positive, "lambda of eq. 9"] = 2.0
    form: Annotated[
        Literal["exp", "softmax"], "w is exp(A / lambda), or its share among the batch"
    ] = "softmax"
    baseline: Annotated[Literal["sample", "mode"], "a_pi is a draw or the policy's mode"] = "sample"
    hidden: Hidden = (256, 256)
    critic_hidden: CriticHidden = None
    bounded_mean: Annotated[bool, "the policy's mean passes tanh"] = True
    std: Std = "uniform_sigmoid"
    log_std: LogStd = (-6.0, 0.0)
    lr: Rate = 3e-4
    weight_decay: Annotated[Decay, "weight decay of the actor"] = 0.0
    batch: Batch = 1024
    tau: Tau = 0.005
    normalise: Normalised = "none"


@dataclass(frozen=True)
class Config(Numbers):
    """The numbers of AWAC; the defaults are those of locomotion."""

    hidden: Hidden = (256,) * 4
    critic_hidden: CriticHidden = (256, 256)
    weight_decay: Decay = 1e-4
    pretrain_steps: PretrainSteps = 50_000
    steps: Steps = 500_000
    every: Annotated[Every, "environment steps between two blocks of as many updates"] = 1_000
    retain: Annotated[bool, "the dataset stands in the buffer"] = True


PRESETS: dict[str, Config] = {
    # Authors' code: 500 epochs of 1,000 steps, then 1,000 updates.
    "adroit": Config(
        hidden=(256, 256), critic_hidden=None, temperature=0.5, baseline="mode",
        pretrain_steps=25_000,
    ),
    "locomotion": Config(),
    # CORL: one update a step, exp(A / lambda) at most 100, scaled observations, a free mean.
    "antmaze": Config(
        hidden=(256,) * 3, critic_hidden=None, weight_decay=0.0, temperature=0.1, form="exp",
        batch=256, every=1, pretrain_steps=1_000_000, steps=1_000_000, normalise="dataset",
        bounded_mean=False, std="uniform", log_std=(-20.0, 2.0),
    ),
    "quick": Config(
        hidden=(128, 128), critic_hidden=None, weight_decay=0.0, batch=128, temperature=0.3,
        form="exp", every=1, pretrain_steps=6_000, steps=20_000,
    ),
    "paper": Config(),
    "no_retention": Config(retain=False),
}  # fmt: skip
CITE = (
    "Nair et al. 2020, Accelerating Online Reinforcement Learning with Offline Datasets, "
    "arXiv:2006.09359",
)


def learner(**given: Any) -> ActorCritic:
    """Critics by the policy's own actions, actor by weighted regression, by `Numbers`; whatever
    else is given is a field of the learner."""
    n, more = parted(Numbers, given)
    return ActorCritic(
        policy=PolicySpec(
            NetSpec(n.hidden),
            squash=False,
            bounded_mean=n.bounded_mean,
            std=n.std,
            log_std_range=n.log_std,
        ),
        critic=CriticSpec(NetSpec(n.critic_hidden or n.hidden), 2),
        backup=SampledBackup(entropy=False),
        improvement=PolicyAdvantage(n.temperature, n.form, baseline=n.baseline),
        actor_optimiser=Optimiser(n.lr, n.weight_decay),
        critic_optimiser=Optimiser(n.lr),
        tau=n.tau,
        batch=n.batch,
        normalise=n.normalise,
        **more,
    )


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """AWAC, offline and online."""
    config = resolve(PRESETS, preset, changes)
    every, update = config.every, learner(**only(config, Numbers))
    kept = Preload("all" if config.retain else "none")
    return Recipe(
        name="awac",
        pretrain=(Stage(update, config.pretrain_steps),),
        replay=Replay(preload=kept, warmup=WarmUp(0 if config.retain else max(0, 1_000 - every))),
        finetune=Finetune(update, Rhythm(every, every), config.steps),
    )
