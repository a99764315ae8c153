"""TD3: twin delayed deterministic policy gradients (Fujimoto et al. 2018).

    y    = r + gamma m min_j Q'_j(s', clip(pi'(s') + clip(eps, -c, c), -1, 1)),  eps ~ N(0, sigma^2)
    L_Q  = mean_j (Q_j(s, a) - y)^2                                              (eq. 10, 14)
    L_pi = -Q_1(s, pi(s)),  every second update, with all targets                (alg. 1)

pretrain   nothing
handover   nothing crosses
replay     online rows only, after 25,000 uniformly random steps
acting     pi(s) + N(0, 0.1^2), clipped; no noise in evaluation
finetune   TD3, one update after every step

**Differences.** The 256x2 networks, rates and batch are those of the authors' repository, which no
longer are the paper's. `target_every=1` moves the critics' targets at every step, as Acme does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.acting import Noisy
from warmstart.config import only, parted, resolve
from warmstart.learners import ActorCritic
from warmstart.methods.fields import Batch, Hidden, Members, Random, Rate, Steps, Subset, Tau
from warmstart.nets.spec import CriticSpec, NetSpec, PolicySpec
from warmstart.parts import MaximiseQ, SmoothedBackup
from warmstart.ranges import Count
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, WarmUp
from warmstart.state import Optimiser


@dataclass(frozen=True)
class Numbers:
    """What `learner` takes by name; the defaults are those of the authors' repository."""

    hidden: Hidden = (256, 256)
    lr: Rate = 3e-4
    batch: Batch = 256
    members: Members = 2
    subset: Subset = None
    tau: Tau = 0.005
    target_every: Annotated[Count, "updates between two steps of the critics' slow copies"] = 2


@dataclass(frozen=True)
class Config(Numbers):
    """The numbers of TD3."""

    steps: Steps = 1_000_000
    random: Random = 25_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # the authors' repository
    "quick": Config(hidden=(128, 128), batch=128, steps=30_000, random=1_000),
}
CITE = (
    "Fujimoto et al. 2018, Addressing Function Approximation Error in Actor-Critic Methods, ICML",
)


def learner(
    actor_net: NetSpec | None = None, critic_net: NetSpec | None = None, **given: Any
) -> ActorCritic:
    """Clipped double Q, delayed actor, smoothed targets, by `Numbers`.

    With `actor_net` and `critic_net` the numbers' `hidden` has no say; whatever else is given is a
    field of the learner.
    """
    n, more = parted(Numbers, given)
    net = NetSpec(n.hidden, init="torch", scale=1.0)
    return ActorCritic(
        policy=PolicySpec(actor_net or net, kind="deterministic"),
        critic=CriticSpec(critic_net or net, n.members),
        backup=SmoothedBackup(subset=n.subset),
        actor_optimiser=Optimiser(n.lr),
        critic_optimiser=Optimiser(n.lr),
        tau=n.tau,
        batch=n.batch,
        actor_every=2,
        target_every=n.target_every,
        target_actor=True,
        **{"improvement": MaximiseQ("first"), **more},
    )


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """TD3 from scratch."""
    config = resolve(PRESETS, preset, changes)
    return Recipe(
        name="td3",
        replay=Replay(warmup=WarmUp(config.random, "random")),
        acting=Noisy(0.1),
        finetune=Finetune(learner(**only(config, Numbers)), Rhythm(), config.steps),
    )
