"""TD3-C: conservative TD3, a trust region around the slow actor (Luo et al. 2023).

    max_theta E[Q_1(s, pi(s))]   s.t.   D = E ||pi(s) - pi'(s)||^2 <= epsilon = 1e-5     (eq. 4)
    L_pi = -Q_1(s, pi(s)) + lambda D          lambda <- descent on lambda (epsilon - D)  (eq. 5)

with dQ/da of every sample at most 1 (table B2).

pretrain   TD3-BC, observations as they are, 500,000 updates
handover   networks and slow copies are kept, the optimisers' moments are fresh
replay     the dataset stands in the buffer (preset `no_retention`: online rows only, after 1,000
           steps)
acting     pi(s) + N(0, 0.1^2), clipped
finetune   TD3 with the trust region, one update after every step, critics' targets every update

**Differences.** No code is public. Unpublished, and chosen here: D sums over actions; lambda is one
number, exp of a parameter, from 100 by Adam at 1e-2 with the actor (the active constraint needs
1 / (2 sqrt(epsilon)), about 160); moments are fresh. Equations 3 and 5 are printed with a wrong
sign. TD3-BC pre-trains without the dQ/da bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.acting import Noisy
from warmstart.config import only, resolve
from warmstart.handover import Handover
from warmstart.methods import td3, td3_bc
from warmstart.methods.fields import PretrainSteps, Steps
from warmstart.nets.spec import NetSpec
from warmstart.parts import Learned, MaximiseQ, TrustRegion
from warmstart.ranges import Count, Finite, Positive
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage, WarmUp
from warmstart.state import Optimiser


@dataclass(frozen=True)
class Config(td3.Numbers):
    """The numbers of TD3-C: tables B1 and B2."""

    epsilon: Annotated[Finite, "radius of the trust region, eq. 4"] = 1e-5
    start: Annotated[Positive, "lambda of eq. 5 before the first update"] = 100.0
    action_clip: Annotated[Positive | None, "largest dQ/da of a sample (none: free)"] = 1.0
    retain: Annotated[bool, "the dataset stands in the buffer"] = True
    target_every: Count = 1
    pretrain_steps: PretrainSteps = 500_000
    steps: Steps = 200_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # tables B1 and B2; results with the dataset in the buffer: table 1
    "no_retention": Config(retain=False),  # results without it: table C3
    "quick": Config(hidden=(128, 128), batch=128, pretrain_steps=10_000, steps=20_000),
}
CITE = (
    "Luo et al. 2023, Finetuning from Offline Reinforcement Learning: Challenges, Trade-offs and "
    "Practical Solutions, arXiv:2303.17396",
)


def networks(hidden: tuple[int, ...]) -> dict[str, NetSpec]:
    """Acme's TD3 networks: LayerNorm and tanh behind the first layer, then ELU (appendix B)."""
    net = NetSpec(hidden, "elu", "first", init="acme", scale=1.0, eps=1e-5)
    return {
        "actor_net": NetSpec(**{**vars(net), "head_init": "lecun_normal", "head_scale": 1e-2}),
        "critic_net": net,
    }


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """TD3-BC, then TD3 in a trust region."""
    config = resolve(PRESETS, preset, changes)
    numbers = {**only(config, td3.Numbers), **networks(config.hidden)}
    radius = Learned(init=config.start, target=config.epsilon, optimiser=Optimiser(1e-2))
    online = td3.learner(
        improvement=MaximiseQ("first", action_clip=config.action_clip),
        constraint=TrustRegion(radius),
        **numbers,
    )
    offline = td3_bc.learner(normalise="none", **numbers)
    return Recipe(
        name="td3_c",
        pretrain=(Stage(offline, config.pretrain_steps),),
        handover=Handover(moments="fresh"),
        replay=Replay(
            preload=Preload("all" if config.retain else "none"),
            warmup=WarmUp(0 if config.retain else 1_000),
        ),
        acting=Noisy(0.1),
        finetune=Finetune(online, Rhythm(), config.steps),
    )
