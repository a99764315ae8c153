"""QC: Q-learning on chunks of actions, the best of whose draws act (Li et al. 2025).

    y   = sum_{i<h} gamma^i r_{t+i} + gamma^h m mean_j Q'_j(s_{t+h}, c*(s_{t+h}))
    c*  = argmax_k mean_j Q_j(s, c_k),  c_k = clip Euler_10(v; s, z_k),  k = 1 ... 32
    L_v = E valid (v(s, x_u, u) - (c - x_0))^2,  x_u = (1 - u) x_0 + u c

c = (a_t ... a_{t+h-1}) is one action of h A numbers; z_k, x_0 ~ N(0, I), u ~ U(0, 1). A chunk is
executed to its end without looking, so that the return over its h steps belongs to it: h times
faster than one step after the other, and without the error of other n-step returns. The flow
keeps to chunks as somebody did them, and the critics choose among them.

pretrain   both losses on chunks of the dataset
handover   everything is kept
replay     the dataset stands in the buffer; online rows are appended, sampling is uniform
acting     the best of 32 chunks to its end, in evaluation too; a new episode, a new chunk
finetune   the same losses, one update after every step from step 5,000 on

**Differences.** A chunk over a real end of an episode counts in the critics' loss: nothing comes
behind it, whatever the rest of the chunk would have been, and that rest is drawn uniformly. The
authors drop it, unless the end is its last step, and would bootstrap from states before an end
whose own values are fitted to nothing. Over a time limit the return is not known, and it is
dropped here too. Chunks never go over the newest row into the oldest ones, as theirs do. The
critics step first, then the flow; the authors step both from the same old parameters, and their
slow copies follow one step late. LayerNorm stands before the activation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.acting import BestOf, OpenLoop
from warmstart.config import only, parted, resolve
from warmstart.learners import ActorCritic, Chunked
from warmstart.methods.fields import Chunk, Flow, OwnWarmup, Pessimistic, Phases
from warmstart.methods.fql import net
from warmstart.nets.flows import FlowPolicySpec
from warmstart.nets.spec import CriticSpec
from warmstart.parts import FlowCloning, SampledBackup
from warmstart.ranges import Count
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage, WarmUp
from warmstart.state import Optimiser


@dataclass(frozen=True)
class Numbers(Pessimistic, Flow):
    """What `learner` takes by name; the defaults are the released code's."""

    length: Chunk = 5
    candidates: Annotated[Count, "draws of which the best acts, and stands in the target"] = 32


@dataclass(frozen=True)
class Config(Phases, Numbers):
    """The numbers of QC; the defaults are those of OGBench's manipulation and Robomimic."""

    warmup: OwnWarmup = 5_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # released code
    "quick": Config(
        hidden=(128, 128), batch=128, flow_steps=5, lr=1e-3, tau=0.02, candidates=8,
        pretrain_steps=8_000, steps=12_000, warmup=500,
    ),
}  # fmt: skip
CITE = ("Li et al. 2025, Reinforcement Learning with Action Chunking, NeurIPS",)


def learner(**given: Any) -> Chunked:
    """A flow that clones chunks, and critics of chunks, by `Numbers`; whatever else is given is a
    field of the learner."""
    n, more = parted(Numbers, given)
    backup = SampledBackup(
        entropy=False, actions=n.candidates, pessimism=n.pessimism, chosen_by="online"
    )
    inner = ActorCritic(
        policy=FlowPolicySpec(net(n.hidden), n.flow_steps),
        critic=CriticSpec(net(n.hidden, True), n.members),
        backup=backup,
        improvement=FlowCloning(),
        actor_optimiser=Optimiser(n.lr),
        critic_optimiser=Optimiser(n.lr),
        tau=n.tau,
        batch=n.batch,
        **more,
    )
    return Chunked(inner, n.length)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """QC, offline and online."""
    config = resolve(PRESETS, preset, changes)
    update = learner(**only(config, Numbers))
    return Recipe(
        name="qc",
        pretrain=(Stage(update, config.pretrain_steps),),
        replay=Replay(warmup=WarmUp(config.warmup), preload=Preload("all"), capacity=2_000_000),
        acting=OpenLoop(BestOf(config.candidates, config.pessimism), config.length),
        finetune=Finetune(update, Rhythm(), config.steps),
    )
