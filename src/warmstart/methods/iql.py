"""IQL: implicit Q-learning (Kostrikov et al. 2022).

    L_V  = E |tau - 1(u < 0)| u^2,  u = min_i Q'_i(s, a) - V(s)                  (eq. 5)
    L_Q  = E (r + gamma m V(s') - Q_i(s, a))^2                                   (eq. 6)
    L_pi = -E min(exp(beta u), 100) log pi(a|s)                                  (eq. 7)

pretrain   the three losses on the dataset, the actor's rate falling to 0 by a cosine
handover   everything is kept
replay     the dataset stands in the buffer; online rows are appended, sampling is uniform
acting     a draw from the policy, clipped to the box
finetune   the same losses, one update after every step

**Differences.** Order V, Q, targets, actor (the authors: V, actor, Q, targets): the actor's
advantage sees the target critics one Polyak step later. The cosine of the actor's rate is as long
as the pre-training, whatever its length; the code that the authors fine-tune with has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from warmstart.config import only, parted, resolve
from warmstart.learners import ActorCritic
from warmstart.methods.fields import Common, Hidden, Phases
from warmstart.nets.spec import CriticSpec, NetSpec, PolicySpec, ValueSpec
from warmstart.parts import AdvantageRegression, Expectile, ValueBackup
from warmstart.ranges import NotNegative, Share
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage
from warmstart.state import Optimiser


@dataclass(frozen=True)
class Numbers(Common):
    """What `learner` takes by name."""

    expectile: Annotated[Share, "tau of eq. 5"] = 0.7
    beta: Annotated[NotNegative, "inverse temperature of the advantages, eq. 7"] = 3.0
    hidden: Hidden = (256, 256)


@dataclass(frozen=True)
class Config(Phases, Numbers):
    """The numbers of IQL; the defaults are those of locomotion."""


PRESETS: dict[str, Config] = {
    "antmaze": Config(expectile=0.9, beta=10.0),  # paper, sec. 5.1 and appendix B
    "kitchen": Config(beta=0.5),
    "adroit": Config(beta=0.5),
    "locomotion": Config(),
    "quick": Config(
        hidden=(128, 128),
        batch=128,
        expectile=0.9,
        pretrain_steps=6_000,
        steps=20_000,
    ),
    "paper": Config(),
}
CITE = ("Kostrikov et al. 2022, Offline Reinforcement Learning with Implicit Q-Learning, ICLR",)


def learner(decay: Literal["none", "cosine"] = "none", **given: Any) -> ActorCritic:
    """Expectile V, TD with V, advantage-weighted regression, by `Numbers`.

    `decay` is of the actor's rate; whatever else is given is a field of the learner.
    """
    n, more = parted(Numbers, given)
    net = NetSpec(n.hidden)
    return ActorCritic(
        policy=PolicySpec(
            net, squash=False, bounded_mean=True, std="uniform", log_std_range=(-5.0, 2.0)
        ),
        critic=CriticSpec(net, 2),
        value=ValueSpec(net),
        backup=ValueBackup(),
        improvement=AdvantageRegression(n.beta),
        value_fit=Expectile(n.expectile),
        actor_optimiser=Optimiser(n.lr, decay=decay),
        critic_optimiser=Optimiser(n.lr),
        value_optimiser=Optimiser(n.lr),
        tau=n.tau,
        batch=n.batch,
        **more,
    )


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """IQL, offline and online."""
    config = resolve(PRESETS, preset, changes)
    numbers = only(config, Numbers)
    return Recipe(
        name="iql",
        pretrain=(Stage(learner(decay="cosine", **numbers), config.pretrain_steps),),
        replay=Replay(preload=Preload("all"), capacity=2_000_000),
        finetune=Finetune(learner(**numbers), Rhythm(), config.steps),
    )
