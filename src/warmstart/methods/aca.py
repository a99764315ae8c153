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
`quick` begins offline at temperature 0.1, with a gain of 3. log pi_0 is taken of actions inside
+-0.99 (the code: 0.999999), as every likelihood of given actions is here.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.config import only, resolve
from warmstart.handover import Handover
from warmstart.methods import sac
from warmstart.methods.fields import PretrainSteps, Steps
from warmstart.nets.spec import ValueSpec
from warmstart.parts import Align, AlignedBaseline, BehaviourCloning, Learned, MaximiseQ, Scheduled
from warmstart.ranges import Count, Finite, Positive, Whole
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage


@dataclass(frozen=True)
class Config(sac.Numbers):
    """The numbers of ACA; the defaults are those of the medium sets."""

    scale: Annotated[Positive, "what the offline policy's gain is multiplied with"] = 30.0
    width: Annotated[Positive, "standard deviations out at which c lies"] = 7.0
    fade: Annotated[Count, "online critic steps in which w falls"] = 20_000
    floor: Annotated[Finite, "where w stays"] = 0.5
    top: Annotated[Whole, "the dataset's best episodes, in the buffer at first (0: none)"] = 0
    clip: Annotated[Positive | None, "largest gradient of the actor online (none: free)"] = 0.25
    offline_temperature: Annotated[Positive, "alpha before the first offline update"] = 1.0
    pretrain_steps: PretrainSteps = 500_000
    steps: Steps = 100_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # the medium sets
    "random": Config(fade=10_000, floor=0.0),
    "medium_replay": Config(top=50),
    "expert": Config(width=15.0, floor=1.0, top=50),
    "antmaze": Config(width=3.0, fade=100_000, target_entropy=-0.5),
    "quick": Config(
        hidden=(128, 128), batch=128, pretrain_steps=6_000, steps=20_000, fade=10_000,
        scale=3.0,  # at 30 the policy leaves a short log (benchmarks/NOTES.md, section 8)
        offline_temperature=0.1,  # from 1 it takes more updates than these to come down
    ),
}  # fmt: skip
CITE = (
    "Yu & Zhang 2023, Actor-Critic Alignment for Offline-to-Online Reinforcement Learning, ICML",
)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """SAC with maximum likelihood, then SAC on aligned critics."""
    config = resolve(PRESETS, preset, changes)
    online = sac.learner(**only(config, sac.Numbers))
    assert online.critic is not None and isinstance(online.temperature, Learned)
    offline = dataclasses.replace(
        online,
        value=ValueSpec(online.critic.net, online.critic.members),
        value_fit=AlignedBaseline(),
        temperature=dataclasses.replace(online.temperature, init=config.offline_temperature),
        improvement=MaximiseQ("min", scale=config.scale),
        constraint=BehaviourCloning(kind="nll"),
    )
    falling = Scheduled(1.0, config.floor, config.fade, "linear")
    online = dataclasses.replace(
        online,
        align=Align(falling, config.width),
        actor_optimiser=dataclasses.replace(online.actor_optimiser, clip=config.clip),
    )
    return Recipe(
        name="aca",
        pretrain=(Stage(offline, config.pretrain_steps),),
        handover=Handover(critic="from_value", temperature="fresh"),
        replay=Replay(preload=Preload("top" if config.top else "none", config.top)),
        finetune=Finetune(online, Rhythm(), config.steps),
    )
