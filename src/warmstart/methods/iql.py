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

from typing import Any, Literal

from warmstart.learners import ActorCritic
from warmstart.nets.spec import CriticSpec, NetSpec, PolicySpec, ValueSpec
from warmstart.parts import AdvantageRegression, Expectile, ValueBackup
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage
from warmstart.state import Optimiser

PRESETS: dict[str, dict[str, Any]] = {
    "antmaze": {"expectile": 0.9, "beta": 10.0},  # paper, sec. 5.1 and appendix B
    "kitchen": {"expectile": 0.7, "beta": 0.5},
    "adroit": {"expectile": 0.7, "beta": 0.5},
    "locomotion": {"expectile": 0.7, "beta": 3.0},
    "quick": {
        "hidden": (128, 128),
        "batch": 128,
        "expectile": 0.9,
        "beta": 10.0,
        "pretrain": 6_000,
        "steps": 20_000,
    },
}
PRESETS["paper"] = PRESETS["locomotion"]
CITE = ("Kostrikov et al. 2022, Offline Reinforcement Learning with Implicit Q-Learning, ICLR",)


def learner(
    hidden: tuple[int, ...] = (256, 256),
    expectile: float = 0.7,
    beta: float = 3.0,
    lr: float = 3e-4,
    batch: int = 256,
    decay: Literal["none", "cosine"] = "none",
    **more: Any,
) -> ActorCritic:
    """Expectile V, TD with V, advantage-weighted regression; `decay` is of the actor's rate."""
    net = NetSpec(hidden)
    return ActorCritic(
        policy=PolicySpec(
            net, squash=False, bounded_mean=True, std="uniform", log_std_range=(-5.0, 2.0)
        ),
        critic=CriticSpec(net, 2),
        value=ValueSpec(net),
        backup=ValueBackup(),
        improvement=AdvantageRegression(beta),
        value_fit=Expectile(expectile),
        actor_optimiser=Optimiser(lr, decay=decay),
        critic_optimiser=Optimiser(lr),
        value_optimiser=Optimiser(lr),
        batch=batch,
        **more,
    )


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """IQL, offline and online."""
    numbers = {"pretrain": 1_000_000, "steps": 1_000_000, **PRESETS[preset], **changes}
    pretrain, steps = numbers.pop("pretrain"), numbers.pop("steps")
    return Recipe(
        name="iql",
        pretrain=(Stage(learner(decay="cosine", **numbers), pretrain),),
        replay=Replay(preload=Preload("all"), capacity=2_000_000),
        finetune=Finetune(learner(**numbers), Rhythm(), steps),
    )
