"""DT, Decision Transformer: actions cloned from sequences, asked for a return (Chen et al. 2021).

    L = mean (a_t - pi(R_{t-K+1}, s_{t-K+1}, a_{t-K+1}, ..., R_t, s_t))^2      R_t = sum of r from t

A causal transformer reads the last K steps, three tokens each; the action is read off the
observation's. When acting, R_0 is the return that is wished for, and R_{t+1} = R_t - r_t.

pretrain   windows of K = 20 steps of the dataset, 100,000 updates
handover   everything is kept
replay     online rows only; no update reads them
acting     the policy's mode, given the desired return and the last K steps
finetune   nothing learns: online, its curve is the noise floor of `odt`

**Differences.** Without a preset of the environment the desired return is the best of the data and
the scale its largest. Returns are sums of transformed rewards. Observations are scaled with
std + 1e-3, not 1e-6. The table of steps is as long as the task's horizon. Steps that are not there
are zeros in the action too (the code has -10); nobody attends to them in either. Behind the last
block only the observations' tokens are computed: the others are read by nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from warmstart.acting import Desired
from warmstart.config import only, resolve
from warmstart.learners import SequenceCloning
from warmstart.methods.fields import Batch, Decay, PretrainSteps, Rate, Steps
from warmstart.nets.sequence_spec import SequenceSpec
from warmstart.ranges import BelowOne, Count, Finite, Positive, Whole
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Windows
from warmstart.state import Warming


@dataclass(frozen=True)
class Transformer:
    """The network, which takes these by name."""

    layers: Annotated[Count, "blocks of the transformer"] = 3
    heads: Annotated[Count, "attention heads of each"] = 1
    width: Annotated[Count, "numbers in a token"] = 128
    dropout: Annotated[BelowOne, "share of units dropped while learning"] = 0.1
    positions: Annotated[bool, "the network knows the step of the episode"] = True


@dataclass(frozen=True)
class Numbers(Transformer):
    """The network, how it learns, and what it is asked for."""

    context: Annotated[Count, "K, steps that are read"] = 20
    batch: Batch = 64
    lr: Rate = 1e-4
    weight_decay: Decay = 1e-4
    warmup: Annotated[Whole, "updates in which the learning rate rises"] = 10_000
    unit: Annotated[
        Literal["data", "reward"], "returns are counted in the data's range, or in rewards"
    ] = "data"
    scale: Annotated[
        Positive | None, "returns are divided by it (none: the largest of the data)"
    ] = None
    target: Annotated[Finite, "the return that is asked for"] = 1.0


@dataclass(frozen=True)
class Config(Numbers):
    """The numbers of the decision transformer; the defaults are those of appendix A."""

    pretrain_steps: PretrainSteps = 100_000
    steps: Steps = 250_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # 3 layers, 1 head, width 128, K = 20: tables of appendix A
    "hopper": Config(unit="reward", scale=1000.0, target=3600.0),
    "halfcheetah": Config(unit="reward", scale=1000.0, target=12000.0),
    "walker2d": Config(unit="reward", scale=1000.0, target=5000.0),
    "antmaze": Config(unit="reward", scale=1.0, target=1.0),  # CORL
    "quick": Config(
        layers=2, width=64, context=10, warmup=500, lr=1e-3, pretrain_steps=5_000, steps=20_000
    ),
}
CITE = (
    "Chen et al. 2021, Decision Transformer: Reinforcement Learning via Sequence Modeling, NeurIPS",
)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """Return-conditioned cloning, and the cloned policy online."""
    config = resolve(PRESETS, preset, changes)
    learner = SequenceCloning(
        SequenceSpec(**only(config, Transformer)),
        optimiser=Warming(config.lr, config.weight_decay, warmup=config.warmup),
        batch=config.batch,
        scale=config.scale,
    )
    return Recipe(
        name="dt",
        pretrain=(Stage(learner, config.pretrain_steps, Windows(config.context)),),
        replay=Replay(Windows(config.context, share=0.0)),
        acting=Desired(config.target, unit=config.unit, length=config.context),
        finetune=Finetune(learner, Rhythm(updates=0), config.steps),
    )
