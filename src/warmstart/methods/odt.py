"""ODT, Online Decision Transformer (Zheng et al. 2022).

    L(theta) = -mean log pi(a_t | context_t) - alpha H(pi)                                (eq. 4)
    alpha <- descent on alpha (H(pi) - H_min),   H_min = -dim(A)                          (eq. 5)

A decision transformer with a squashed Gaussian policy, held to an entropy. Online it asks for more
than it has seen, and learns from what it got: each trajectory carries its achieved return.

pretrain   windows of K = 20 steps of the dataset, 5,000 updates
handover   everything is kept: network, moments, warm-up of the rate, temperature
replay     the best 1,000 trajectories of the dataset, then whole online ones, the worst first to go
acting     a draw, given twice the desired return and the last 5 steps; in evaluation the mode,
           given that return itself
finetune   the same loss, 300 updates after every episode, windows in proportion to length

**Differences.** LAMB as in the code: a norm clip of 0.25, trust ratios where weight decay is not 0;
the optimiser's own second clip at 1 can then never act, and is left out. The entropy is averaged
over the steps that are there; the code counts padding too, which biases it. A full buffer loses
rows, not whole trajectories, and the buffer is counted in rows. The worst trajectory of the dataset
is not dropped. Without a preset of the environment, desired returns are shares of the data's range
(1 and 2). Observations are scaled with std + 1e-3. The authors' ant table is not public.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.acting import Desired
from warmstart.config import only, resolve
from warmstart.learners import SequenceCloning
from warmstart.methods import dt
from warmstart.methods.fields import Batch, Decay, PretrainSteps, Steps
from warmstart.nets.sequence_spec import SequenceSpec
from warmstart.parts import temperature
from warmstart.ranges import Count, Finite, Whole
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Windows
from warmstart.state import Warming


@dataclass(frozen=True)
class Config(dt.Numbers):
    """The numbers of the online decision transformer."""

    layers: Count = 4
    heads: Count = 4
    width: Count = 512
    positions: bool = False
    batch: Batch = 256
    weight_decay: Decay = 5e-4
    target: Annotated[Finite, "the return that an evaluation asks for"] = 1.0
    explore: Annotated[Finite, "the return that training asks for"] = 2.0
    acting_context: Annotated[Count, "steps that are read when acting"] = 5
    trust: Annotated[bool, "LAMB's trust ratios, where weight decay is not 0"] = True
    entropy: Annotated[Finite, "H_min of eq. 5, for each action dimension"] = -1.0
    count: Annotated[Count, "the best trajectories of the dataset, in the buffer at first"] = 1_000
    updates: Annotated[Whole, "updates after every episode"] = 300
    pretrain_steps: PretrainSteps = 5_000
    steps: Steps = 200_000


_HOPPER: dict[str, Any] = {"unit": "reward", "scale": 1000.0, "target": 3600.0, "explore": 7200.0}
PRESETS: dict[str, Config] = {
    "paper": Config(),  # 4 layers, 4 heads, width 512, K = 20
    "hopper": Config(**_HOPPER),  # medium; the code's defaults
    "hopper_replay": Config(**_HOPPER, lr=2e-3, weight_decay=1e-4),
    "walker2d": Config(
        unit="reward", scale=1000.0, target=5000.0, explore=10000.0, lr=1e-3, weight_decay=1e-3,
        pretrain_steps=10_000,
    ),
    "halfcheetah": Config(unit="reward", scale=1000.0, target=6000.0, explore=12000.0),
    "antmaze": Config(
        unit="reward", scale=1.0, width=1024, positions=True, count=1500, lr=1e-3, weight_decay=0.0
    ),
    "quick": Config(
        layers=2, heads=1, width=64, context=10, batch=64, warmup=500, lr=1e-3, count=100,
        updates=100, pretrain_steps=5_000, steps=20_000,
    ),
}  # fmt: skip
CITE = ("Zheng et al. 2022, Online Decision Transformer, ICML",)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """Entropy-held, return-conditioned cloning, offline and online alike."""
    config = resolve(PRESETS, preset, changes)
    learner = SequenceCloning(
        SequenceSpec("gaussian", **only(config, dt.Transformer)),
        temperature(config.entropy, init=0.1, lr=1e-4),
        Warming(config.lr, config.weight_decay, warmup=config.warmup, trust=config.trust),
        config.batch,
        config.scale,
    )
    rhythm = Rhythm(0, config.updates, per="episode")
    return Recipe(
        name="odt",
        pretrain=(Stage(learner, config.pretrain_steps, Windows(config.context)),),
        replay=Replay(Windows(config.context, share=0.0), preload=Preload("top", config.count)),
        acting=Desired(config.target, config.explore, config.unit, config.acting_context),
        finetune=Finetune(learner, rhythm, config.steps),
    )
