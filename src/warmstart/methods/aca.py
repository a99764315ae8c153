"""ACA: actor-critic alignment (Yu & Zhang 2023).

    offline  L_pi = (30 / mean|Q|) (alpha log pi(b|s) - min_j Q_j(s, b)) - log pi(a|s)
             log pi(a|s) + Z_i(s)  ->  r + gamma m [(1 - alpha) log pi(a'|s') + min_j Z_j(s')]
    online   Q_i(s, a) = w g(log pi_0(a|s)) + R_i(s, a),  R_i := Z_i,  g(x) = c + softplus(x - c)

so that actor and critics agree from the first step on, also at actions that were never tried. w
falls from 1 to a floor; c is the log-density `width` standard deviations out.

pretrain   SAC with maximum likelihood, and the baselines Z beside it
handover   the actor is kept, critics are rebuilt from Z, the temperature is 1 again
replay     online rows only, or behind the dataset's best episodes (`top`)
acting     a draw from the policy
finetune   SAC on those critics, one update a step, the actor's gradient at most 0.25

**Differences.** Z moves before the critics of the same update, not behind. The critics' moments are
fresh (the code keeps those of the discarded Q). Batches are drawn from the first step on. Preset
`quick` begins offline at temperature 0.1. log pi_0 is taken of actions inside +-0.99 (the code:
0.999999), as every likelihood of given actions is here.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from warmstart.handover import Handover
from warmstart.methods import sac
from warmstart.nets.spec import ValueSpec
from warmstart.parts import Align, AlignedBaseline, BehaviourCloning, Learned, MaximiseQ, Scheduled
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},  # the medium sets
    "random": {"fade": 10_000, "floor": 0.0},
    "medium_replay": {"top": 50},
    "expert": {"width": 15.0, "floor": 1.0, "top": 50},
    "antmaze": {"width": 3.0, "fade": 100_000, "target_entropy": -0.5},
    "quick": {
        "hidden": (128, 128), "batch": 128, "pretrain": 6_000, "steps": 20_000, "fade": 10_000,
        "offline_temperature": 0.1,  # from 1 it takes more updates than these to come down
    },
}  # fmt: skip
CITE = (
    "Yu & Zhang 2023, Actor-Critic Alignment for Offline-to-Online Reinforcement Learning, ICML",
)


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """SAC with maximum likelihood, then SAC on aligned critics."""
    numbers: dict[str, Any] = {
        "pretrain": 500_000, "steps": 100_000, "scale": 30.0, "width": 7.0, "fade": 20_000,
        "floor": 0.5, "top": 0, "clip": 0.25, "offline_temperature": 1.0,
        **PRESETS[preset], **changes,
    }  # fmt: skip
    pretrain, steps, scale, width = (
        numbers.pop(k) for k in ("pretrain", "steps", "scale", "width")
    )
    fade, floor, top, clip = (numbers.pop(k) for k in ("fade", "floor", "top", "clip"))
    warm, online = numbers.pop("offline_temperature"), sac.learner(**numbers)
    assert online.critic is not None and isinstance(online.temperature, Learned)
    offline = dataclasses.replace(
        online,
        value=ValueSpec(online.critic.net, online.critic.members),
        value_fit=AlignedBaseline(),
        temperature=dataclasses.replace(online.temperature, init=warm),
        improvement=MaximiseQ("min", scale=scale),
        constraint=BehaviourCloning(kind="nll"),
    )
    online = dataclasses.replace(
        online,
        align=Align(Scheduled(1.0, floor, fade, "linear"), width),
        actor_optimiser=dataclasses.replace(online.actor_optimiser, clip=clip),
    )
    return Recipe(
        name="aca",
        pretrain=(Stage(offline, pretrain),),
        handover=Handover(critic="from_value", temperature="fresh"),
        replay=Replay(preload=Preload("top" if top else "none", top)),
        finetune=Finetune(online, Rhythm(), steps),
    )
