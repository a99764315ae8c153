"""PPO: proximal policy optimisation from a pre-trained policy (Schulman et al. 2017).

    d_t = r_t + gamma m_t V(s'_t) - V(s_t)
    A_t = d_t + gamma lambda (1 - last_t) A_{t+1}            (Schulman et al. 2016, eq. 16)
    L   = -E min(rho A, clip(rho, 1 - eps, 1 + eps) A),  rho = pi(a|s) / pi_old(a|s)    (eq. 7)
    L_V = E (V(s) - (A + V_old(s)))^2                                                   (eq. 9)

On-policy: what is learnt from is what the policy itself has just done, and then it is forgotten.
The policy begins as a clone of the data (`start=bc`) with V the data's own returns, or as IQL's
with IQL's V (`start=iql`).

pretrain   cloning and V regressed to the returns, or IQL
handover   policy and V are kept; the optimisers' moments begin again
replay     the newest rollout alone, in the order of time
acting     a draw from the policy, clipped to the box
finetune   after every rollout several passes over it in shuffled minibatches

**Differences.** Policy and value are two networks with an optimiser and a gradient norm each, so
that no coefficient stands between their losses; no rate falls. The value's loss is not clipped.
One environment for each seed. pi_old is the probability of the action as it was executed: at the
border of the box that of all that was clipped there (Fujita & Maeda 2018), where others take the
density of what lay outside. `target_kl` looks at the mean of a whole pass. Advantages are
normalised in each minibatch, and gradients are cut at a norm of 0.5, as in the released code. The
policy's mean passes tanh, and its deviation stays between e^-3 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from warmstart.config import only, parted, resolve
from warmstart.handover import Handover
from warmstart.learners import PPO
from warmstart.methods import bc, iql
from warmstart.methods.fields import Batch, Hidden, LogStd, PretrainSteps, Rate, Steps
from warmstart.nets.spec import NetSpec, PolicySpec, ValueSpec
from warmstart.parts import ToReturns
from warmstart.ranges import Count, NotNegative, Positive, Share
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Newest
from warmstart.state import Optimiser


@dataclass(frozen=True)
class Passes:
    """How a rollout is learnt from; the learner takes these by name."""

    epochs: Annotated[Count, "passes over a rollout"] = 10
    clip: Annotated[Positive, "eps of eq. 7"] = 0.2
    trace: Annotated[Share, "lambda of the advantages (2016, eq. 16)"] = 0.95
    entropy: Annotated[NotNegative, "weight of the policy's entropy"] = 0.0
    target_kl: Annotated[
        Positive | None, "mean divergence at which a rollout's passes end (none: never)"
    ] = None
    batch: Batch = 64


@dataclass(frozen=True)
class Numbers(Passes):
    """What `learner` takes by name; the defaults are those of table 3."""

    hidden: Hidden = (64, 64)
    lr: Rate = 3e-4
    log_std: LogStd = (-3.0, 0.0)


@dataclass(frozen=True)
class Config(Numbers):
    """The numbers of PPO behind a pre-training; `expectile` and `beta` are those of IQL's."""

    start: Annotated[Literal["bc", "iql"], "the pre-training"] = "bc"
    expectile: Annotated[Share, "tau of IQL's eq. 5"] = 0.7
    beta: Annotated[NotNegative, "inverse temperature of the advantages, IQL's eq. 7"] = 3.0
    offline_batch: Annotated[Count, "rows of a minibatch of the pre-training"] = 256
    rollout: Annotated[Count, "environment steps of a rollout"] = 2_048
    pretrain_steps: PretrainSteps = 100_000
    steps: Steps = 1_000_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # Schulman et al. 2017, table 3, behind behaviour cloning
    "iql": Config(start="iql"),
    "quick": Config(
        start="iql", expectile=0.9, beta=10.0, offline_batch=128, rollout=500, lr=1e-3,
        target_kl=0.03, pretrain_steps=6_000, steps=20_000,
    ),
}  # fmt: skip
CITE = (
    "Schulman et al. 2017, Proximal Policy Optimization Algorithms, arXiv 1707.06347",
    "Schulman et al. 2016, High-Dimensional Continuous Control Using Generalized Advantage "
    "Estimation, ICLR",
    "Fujita & Maeda 2018, Clipped Action Policy Gradient, ICML",
)


def learner(**given: Any) -> PPO:
    """A Gaussian whose width no observation moves, and V, by `Numbers`; whatever else is given is a
    field of the learner."""
    n, more = parted(Numbers, given)
    net = NetSpec(n.hidden, "tanh")
    return PPO(
        policy=PolicySpec(
            net, squash=False, bounded_mean=True, std="uniform", log_std_range=n.log_std
        ),
        value=ValueSpec(net),
        actor_optimiser=Optimiser(n.lr, clip=0.5),
        value_optimiser=Optimiser(n.lr, clip=0.5),
        **only(n, Passes),
        **more,
    )


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """PPO behind a pre-training."""
    config = resolve(PRESETS, preset, changes)
    online, batch = learner(**only(config, Numbers)), config.offline_batch
    if config.start == "iql":
        first = iql.learner(
            hidden=config.hidden,
            expectile=config.expectile,
            beta=config.beta,
            batch=batch,
            decay="cosine",
        )
    else:
        first = bc.learner(
            policy=online.policy, value=online.value, value_fit=ToReturns(), batch=batch
        )
    return Recipe(
        name="ppo",
        pretrain=(Stage(first.networks_of(online), config.pretrain_steps),),
        handover=Handover(moments="fresh"),
        replay=Replay(Newest(config.rollout), capacity=config.rollout),
        finetune=Finetune(online, Rhythm(config.rollout), config.steps),
    )
