"""FQL: flow Q-learning, a one-step policy beside a flow that clones the data (Park et al. 2025).

    L_v  = E (v(s, x_t, t) - (a - x_0))^2,  x_t = (1 - t) x_0 + t a,  t ~ U(0, 1)     (eq. 5)
    L_mu = w E (mu(s, z) - clip Euler_10(v; s, z))^2 - E mean_i Q_i(s, clip mu(s, z))  (eq. 8)
    y    = r + gamma m mean_i Q'_i(s', clip mu(s', z'))                                (eq. 9)

with x_0, z, z' ~ N(0, I). The flow can follow data of several modes and is never differentiated
through; mu does in one step what it does in ten, and climbs the critics.

pretrain   the three losses on the dataset
handover   everything is kept
replay     the dataset stands in the buffer; online rows are appended, sampling is uniform
acting     mu(s, z) with a fresh z, in evaluation too
finetune   the same losses, one update after every step

**Differences.** The critics step first, then the policy on the new ones; the authors step both
from the same old parameters, and their slow copies follow one step late. LayerNorm stands before
the activation. `w` is the released code's: its loss is a mean over the action's numbers, where the
paper writes their sum. The discount is the task's (theirs: 0.99; 0.995 in the giant maze, for the
humanoid and with the ball). `quick` divides the critics' term by mean|Q|, the authors' switch for
new tasks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.acting import Sampled
from warmstart.config import only, parted, resolve
from warmstart.learners import ActorCritic
from warmstart.methods.fields import Flow, Pessimistic, Phases
from warmstart.nets.flows import DistilledPolicySpec
from warmstart.nets.spec import CriticSpec, NetSpec
from warmstart.parts import Distilled, SampledBackup
from warmstart.ranges import NotNegative
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage
from warmstart.state import Optimiser


@dataclass(frozen=True)
class Numbers(Pessimistic, Flow):
    """What `learner` takes by name; sizes and rates: `Flow`, the critics: `Pessimistic`."""

    weight: Annotated[NotNegative, "w of eq. 8"] = 300.0
    normalise: Annotated[bool, "the critics' term is divided by mean|Q|"] = False


@dataclass(frozen=True)
class Config(Phases, Numbers):
    """The numbers of FQL; the defaults are those of cube and scene."""


PRESETS: dict[str, Config] = {
    # Park et al. 2025, table of task-specific hyperparameters.
    "manipulation": Config(),  # cube and scene
    "puzzle": Config(weight=1000.0),
    "antmaze": Config(weight=10.0, pessimism=None),  # OGBench, large and giant: the minimum
    "d4rl_antmaze": Config(weight=10.0),  # large: 3
    "antsoccer": Config(weight=10.0),  # online: 30
    "humanoidmaze": Config(weight=30.0),  # online: 100
    "quick": Config(
        hidden=(128, 128), batch=128, flow_steps=5, lr=1e-3, tau=0.02, weight=0.3, normalise=True,
        pretrain_steps=8_000, steps=12_000,
    ),
    "paper": Config(),
}  # fmt: skip
CITE = ("Park et al. 2025, Flow Q-Learning, ICML",)


def net(hidden: tuple[int, ...], layer_norm: bool = False) -> NetSpec:
    """A network of the authors' repository."""
    return NetSpec(hidden, "gelu", layer_norm, "xavier_uniform", 1.0)


def learner(**given: Any) -> ActorCritic:
    """The flow, its one-step policy, and critics with LayerNorm, by `Numbers`; whatever else is
    given is a field of the learner."""
    n, more = parted(Numbers, given)
    return ActorCritic(
        policy=DistilledPolicySpec(net(n.hidden), n.flow_steps),
        critic=CriticSpec(net(n.hidden, True), n.members),
        backup=SampledBackup(entropy=False, pessimism=n.pessimism),
        improvement=Distilled("mean", n.normalise, weight=n.weight),
        actor_optimiser=Optimiser(n.lr),
        critic_optimiser=Optimiser(n.lr),
        tau=n.tau,
        batch=n.batch,
        **more,
    )


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """FQL, offline and online."""
    config = resolve(PRESETS, preset, changes)
    update = learner(**only(config, Numbers))
    return Recipe(
        name="fql",
        pretrain=(Stage(update, config.pretrain_steps),),
        replay=Replay(preload=Preload("all"), capacity=2_000_000),
        acting=Sampled("sample"),
        finetune=Finetune(update, Rhythm(), config.steps),
    )
