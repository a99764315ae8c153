"""IFQL: implicit Q-learning with a flow for its policy, the best of whose draws acts.

    L_V = E |tau - 1(u < 0)| u^2,  u = min_i Q'_i(s, a) - V(s)                (IQL's eq. 5)
    L_Q = E (r + gamma m V(s') - Q_i(s, a))^2                                 (IQL's eq. 6)
    L_v = E (v(s, x_t, t) - (a - x_0))^2,  x_t = (1 - t) x_0 + t a            (Park et al., eq. 5)
    a   = argmax_k min_i Q_i(s, a_k),  a_k = clip Euler_10(v; s, z_k),  k = 1 ... 32

The flow variant of IDQL (Hansen-Estruch et al. 2023), as compared with in Park et al. 2025: the
critics know nothing of the policy and the policy nothing of the critics; they meet when it acts.

pretrain   the three losses on the dataset
handover   everything is kept
replay     the dataset stands in the buffer; online rows are appended, sampling is uniform
acting     the best of 32 draws, in evaluation too
finetune   the same losses, one update after every step

**Differences.** Order V, Q, targets, flow; the authors step all networks from the same old
parameters, and their slow copies follow one step late. LayerNorm stands before the activation. The
critics' loss is their mean and not their sum, which Adam does not see.
"""

from __future__ import annotations

from typing import Any

from warmstart.acting import BestOf
from warmstart.learners import ActorCritic
from warmstart.methods.fql import net
from warmstart.nets.flows import FlowPolicySpec
from warmstart.nets.spec import CriticSpec, ValueSpec
from warmstart.parts import Expectile, FlowCloning, ValueBackup
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage
from warmstart.state import Optimiser

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},  # released code of FQL
    "quick": {
        "hidden": (128, 128), "batch": 128, "flow_steps": 5, "lr": 1e-3, "tau": 0.02,
        "candidates": 16, "pretrain": 8_000, "steps": 12_000,
    },
}  # fmt: skip
CITE = (
    "Park et al. 2025, Flow Q-Learning, ICML",
    "Hansen-Estruch et al. 2023, IDQL: Implicit Q-Learning as an Actor-Critic Method with "
    "Diffusion Policies, arXiv 2304.10573",
    "Kostrikov et al. 2022, Offline Reinforcement Learning with Implicit Q-Learning, ICLR",
)


def learner(
    expectile: float = 0.9,
    hidden: tuple[int, ...] = (512, 512, 512, 512),
    flow_steps: int = 10,
    lr: float = 3e-4,
    batch: int = 256,
    **more: Any,
) -> ActorCritic:
    """IQL's V and Q with LayerNorm, and a flow that clones the data."""
    normed = net(hidden, True)
    return ActorCritic(
        policy=FlowPolicySpec(net(hidden), flow_steps),
        critic=CriticSpec(normed, 2),
        value=ValueSpec(normed),
        backup=ValueBackup(),
        improvement=FlowCloning(),
        value_fit=Expectile(expectile),
        actor_optimiser=Optimiser(lr),
        critic_optimiser=Optimiser(lr),
        value_optimiser=Optimiser(lr),
        batch=batch,
        **more,
    )


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """IFQL, offline and online."""
    numbers: dict[str, Any] = {
        "pretrain": 1_000_000, "steps": 1_000_000, "candidates": 32, **PRESETS[preset], **changes
    }  # fmt: skip
    pretrain, steps, candidates = (numbers.pop(k) for k in ("pretrain", "steps", "candidates"))
    update = learner(**numbers)
    return Recipe(
        name="ifql",
        pretrain=(Stage(update, pretrain),),
        replay=Replay(preload=Preload("all"), capacity=2_000_000),
        acting=BestOf(candidates),
        finetune=Finetune(update, Rhythm(), steps),
    )
