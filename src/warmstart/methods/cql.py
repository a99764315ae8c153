"""CQL: conservative Q-learning (Kumar et al. 2020), offline and then online with the same loss.

    L_Q = w E_s[ log sum_j exp(Q(s, a_j) - log mu_j(a_j)) - E_{a~D} Q(s, a) ] + E (Q - y)^2  (eq. 4)

with ten actions a_j from each of the uniform distribution, pi(.|s) and pi(.|s') (appendix F), and
a fixed weight w or one that holds the gap at a threshold (eq. 30).

pretrain   SAC with the conservative term and no entropy in the backup
handover   everything is kept
replay     the dataset's share of every batch (0.5), the rest online
acting     a draw from the policy
finetune   the same loss, one update after every step

**Differences.** The authors' phase of cloning at the start (40,000 actor steps) is `cloning`, and 0
in the presets of papers, whose released code has none. The maximum over ten backup actions is of
the minimum over critics; the authors' code takes the minimum of the maxima, and leaves it off. The
multiplier's gap is the critic step's own draw, not a second one.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from warmstart.learners import ActorCritic
from warmstart.methods import sac
from warmstart.parts import CQL, Fixed, Learned
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Mixed

PRESETS: dict[str, dict[str, Any]] = {
    # Released Cal-QL and WSRL code: critic and policy sizes, weight, steps.
    "antmaze": {
        "critic_hidden": (256,) * 4, "gap": 0.8, "pretrain": 1_000_000, "steps": 1_000_000,
    },
    "kitchen": {
        "hidden": (512, 512, 512), "importance": False, "pretrain": 500_000, "share": 0.25,
        "steps": 1_500_000,
    },
    "adroit": {
        "hidden": (512, 512), "critic_hidden": (512, 512, 512), "weight": 1.0,
        "pretrain": 20_000, "steps": 1_000_000,
    },
    "locomotion": {"max_actions": 1, "pretrain": 250_000, "steps": 250_000},
    "quick": {
        "hidden": (128, 128), "batch": 128, "proposals": 4, "max_actions": 1, "weight": 1.0,
        "pretrain": 6_000, "steps": 20_000,
    },
}  # fmt: skip
PRESETS["paper"] = PRESETS["locomotion"]
CITE = ("Kumar et al. 2020, Conservative Q-Learning for Offline Reinforcement Learning, NeurIPS",)


def learner(
    weight: float = 5.0,
    gap: float | None = None,
    gap_scale: float = 5.0,
    proposals: int = 10,
    importance: bool = True,
    calibrated: bool = False,
    critic_subset: int | None = None,
    clip: tuple[float, float] | None = None,
    max_actions: int = 10,
    **numbers: Any,
) -> ActorCritic:
    """SAC without entropy in the backup, with the conservative term.

    With `gap` the weight is learned so that the gap meets it, starting at `gap_scale * e`
    (the released Cal-QL code's `5 exp(1)`).
    """
    multiplier = (
        Fixed(weight)
        if gap is None
        else Learned(init=gap_scale * 2.718281828, target=gap, scale=gap_scale)
    )
    part = CQL(
        multiplier, proposals, importance=importance, calibrated=calibrated,
        subset=critic_subset, clip=clip,
    )  # fmt: skip
    common = {"entropy_backup": False, "actor_lr": 1e-4, "critic_lr": 3e-4}
    return sac.learner(**{**common, **numbers}, max_actions=max_actions, conservatism=part)


def recipe(preset: str = "paper", name: str = "cql", **changes: Any) -> Recipe:
    """CQL, offline and online."""
    numbers = {"share": 0.5, **PRESETS[preset], **changes}
    pretrain, steps, share = (numbers.pop(k) for k in ("pretrain", "steps", "share"))
    cloning, update = numbers.pop("cloning", 0), learner(**numbers)
    return Recipe(
        name=name,
        pretrain=(Stage(dataclasses.replace(update, cloning=cloning), pretrain),),
        replay=Replay(Mixed(share)),
        finetune=Finetune(update, Rhythm(), steps),
    )
