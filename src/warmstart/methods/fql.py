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
paper writes their sum. `quick` divides the critics' term by mean|Q|, the authors' switch for new
tasks.
"""

from __future__ import annotations

from typing import Any

from warmstart.acting import Sampled
from warmstart.learners import ActorCritic
from warmstart.nets.flows import DistilledPolicySpec
from warmstart.nets.spec import CriticSpec, NetSpec
from warmstart.parts import Distilled, SampledBackup
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage
from warmstart.state import Optimiser

PRESETS: dict[str, dict[str, Any]] = {
    # Park et al. 2025, table of task-specific hyperparameters.
    "manipulation": {"weight": 300.0},  # cube and scene
    "puzzle": {"weight": 1000.0},
    "antmaze": {"weight": 10.0, "pessimism": None},  # OGBench, large and giant: the minimum
    "d4rl_antmaze": {"weight": 10.0},  # large: 3
    "antsoccer": {"weight": 10.0},  # online: 30
    "humanoidmaze": {"weight": 30.0},  # online: 100
    "quick": {
        "hidden": (128, 128), "batch": 128, "flow_steps": 5, "lr": 1e-3, "tau": 0.02,
        "weight": 0.3, "normalise": True, "pretrain": 8_000, "steps": 12_000,
    },
}  # fmt: skip
PRESETS["paper"] = PRESETS["manipulation"]
CITE = ("Park et al. 2025, Flow Q-Learning, ICML",)


def net(hidden: tuple[int, ...], layer_norm: bool = False) -> NetSpec:
    """A network of the authors' repository."""
    return NetSpec(hidden, "gelu", layer_norm, "xavier_uniform", 1.0)


def learner(
    weight: float = 300.0,
    pessimism: float | None = 0.0,
    hidden: tuple[int, ...] = (512, 512, 512, 512),
    flow_steps: int = 10,
    normalise: bool = False,
    lr: float = 3e-4,
    batch: int = 256,
    members: int = 2,
    **more: Any,
) -> ActorCritic:
    """The flow, its one-step policy, and critics with LayerNorm; `pessimism` None: the minimum."""
    return ActorCritic(
        policy=DistilledPolicySpec(net(hidden), flow_steps),
        critic=CriticSpec(net(hidden, True), members),
        backup=SampledBackup(entropy=False, pessimism=pessimism),
        improvement=Distilled("mean", normalise, weight=weight),
        actor_optimiser=Optimiser(lr),
        critic_optimiser=Optimiser(lr),
        batch=batch,
        **more,
    )


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """FQL, offline and online."""
    numbers = {"pretrain": 1_000_000, "steps": 1_000_000, **PRESETS[preset], **changes}
    pretrain, steps = numbers.pop("pretrain"), numbers.pop("steps")
    update = learner(**numbers)
    return Recipe(
        name="fql",
        pretrain=(Stage(update, pretrain),),
        replay=Replay(preload=Preload("all"), capacity=2_000_000),
        acting=Sampled("sample"),
        finetune=Finetune(update, Rhythm(), steps),
    )
