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
critics' loss is their mean and not their sum, which Adam does not see. The discount is the task's,
as in `fql`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.acting import BestOf
from warmstart.config import only, parted, resolve
from warmstart.learners import ActorCritic
from warmstart.methods.fields import Flow, Phases
from warmstart.methods.fql import net
from warmstart.nets.flows import FlowPolicySpec
from warmstart.nets.spec import CriticSpec, ValueSpec
from warmstart.parts import Expectile, FlowCloning, ValueBackup
from warmstart.ranges import Count, Share
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage
from warmstart.state import Optimiser


@dataclass(frozen=True)
class Numbers(Flow):
    """What `learner` takes by name; the defaults are those of FQL's released code."""

    expectile: Annotated[Share, "tau of IQL's eq. 5"] = 0.9


@dataclass(frozen=True)
class Config(Phases, Numbers):
    """The numbers of IFQL."""

    candidates: Annotated[Count, "draws of which the best acts"] = 32


PRESETS: dict[str, Config] = {
    "paper": Config(),  # released code of FQL
    "quick": Config(
        hidden=(128, 128), batch=128, flow_steps=5, lr=1e-3, tau=0.02, candidates=16,
        pretrain_steps=8_000, steps=12_000,
    ),
}  # fmt: skip
CITE = (
    "Park et al. 2025, Flow Q-Learning, ICML",
    "Hansen-Estruch et al. 2023, IDQL: Implicit Q-Learning as an Actor-Critic Method with "
    "Diffusion Policies, arXiv 2304.10573",
    "Kostrikov et al. 2022, Offline Reinforcement Learning with Implicit Q-Learning, ICLR",
)


def learner(**given: Any) -> ActorCritic:
    """IQL's V and Q with LayerNorm, and a flow that clones the data, by `Numbers`; whatever else
    is given is a field of the learner."""
    n, more = parted(Numbers, given)
    normed = net(n.hidden, True)
    return ActorCritic(
        policy=FlowPolicySpec(net(n.hidden), n.flow_steps),
        critic=CriticSpec(normed, 2),
        value=ValueSpec(normed),
        backup=ValueBackup(),
        improvement=FlowCloning(),
        value_fit=Expectile(n.expectile),
        actor_optimiser=Optimiser(n.lr),
        critic_optimiser=Optimiser(n.lr),
        value_optimiser=Optimiser(n.lr),
        tau=n.tau,
        batch=n.batch,
        **more,
    )


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """IFQL, offline and online."""
    config = resolve(PRESETS, preset, changes)
    update = learner(**only(config, Numbers))
    return Recipe(
        name="ifql",
        pretrain=(Stage(update, config.pretrain_steps),),
        replay=Replay(preload=Preload("all"), capacity=2_000_000),
        acting=BestOf(config.candidates),
        finetune=Finetune(update, Rhythm(), config.steps),
    )
