"""DSRL: reinforcement learning in the noise of a frozen generator (Wagenmaker et al. 2025).

    G(s, w)  a flow that clones the data, 10 steps of Euler from w; frozen after the pre-training
    y    = r + gamma m min_i Q'_A,i(s', G(s', w')),  w' ~ pi_W(.|s')
    L_A  = E (Q_A,i(s, a) - y)^2
    L_W  = E (Q_W,i(s, w) - min_j Q_A,j(s, G(s, w)))^2,  w ~ N(0, I)
    L_pi = E alpha log pi_W(w|s) - mean_i Q_W,i(s, w),  w = c tanh of a Gaussian

The policy chooses the noise, and never leaves what the generator can make. Q_W judges noise by
what the action critics say of its action, so that no logged action has to be inverted.

pretrain   flow matching on the dataset: the generator
handover   generator and noise policy are kept, moments fresh; the critics are new
replay     online rows only, after warm-up rows by the frozen generator
acting     G(s, w), w a draw; in evaluation its mode
finetune   both critics, then the noise policy; the generator stands still

**Differences.** The authors steer a diffusion policy by DDIM, here it is a flow, as in QAM's copy.
One step of the critics of noise with each of the action critics' (the authors: ten). Warm-up noise
is c tanh of N(0, I) and not N(0, I). The critics' target has no entropy term. LayerNorm stands in
the critics alone. One environment (the authors: four) and one action (theirs: chunks of four), and
1,500 warm-up steps, not 1,501 or 2,001.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.config import only, parted, resolve
from warmstart.handover import Handover
from warmstart.learners import ActorCritic
from warmstart.methods.fields import Common, Hidden, Members, PretrainSteps, Steps, Warmup
from warmstart.methods.fql import net
from warmstart.nets.spec import CriticSpec, NetSpec
from warmstart.nets.steered import SteeredPolicySpec
from warmstart.parts import FlowCloning, SampledBackup, temperature
from warmstart.parts.steering import NoiseCritic, Steering
from warmstart.ranges import Count, Finite, Positive
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage, WarmUp
from warmstart.state import Optimiser


@dataclass(frozen=True)
class Numbers(Common):
    """What `learner` takes by name."""

    hidden: Annotated[Hidden, "of the generator"] = (512, 512, 512, 512)
    noise_hidden: Annotated[tuple[Count, ...], "hidden layers of noise policy and critics"] = (
        128, 128, 128,
    )  # fmt: skip
    flow_steps: Annotated[Count, "Euler steps of the generator"] = 10
    limit: Annotated[Positive, "c: the largest noise"] = 1.5
    members: Members = 2
    target_entropy: Annotated[Finite, "of the noise, for each dimension"] = 0.0


@dataclass(frozen=True)
class Config(Numbers):
    """The numbers of DSRL."""

    ratio: Annotated[Count, "updates after each step"] = 20
    warmup: Warmup = 1_500
    pretrain_steps: PretrainSteps = 1_000_000
    steps: Steps = 500_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # released code, gym
    "quick": Config(
        hidden=(128, 128), noise_hidden=(64, 64), flow_steps=5, lr=1e-3, batch=128, tau=0.01,
        ratio=1, warmup=500, pretrain_steps=8_000, steps=10_000,
    ),
}  # fmt: skip
CITE = (
    "Wagenmaker et al. 2025, Steering Your Diffusion Policy with Latent Space Reinforcement "
    "Learning, CoRL",
    "Park et al. 2025, Flow Q-Learning, ICML",
)


def learner(**given: Any) -> ActorCritic:
    """Noise policy and both kinds of critics by `Numbers`; whatever else is given is a field of the
    learner."""
    n, more = parted(Numbers, given)
    scale = math.sqrt(2.0)
    critics = CriticSpec(NetSpec(n.noise_hidden, "tanh", True, scale=scale), n.members)
    return ActorCritic(
        policy=policy(n),
        critic=critics,
        backup=SampledBackup(entropy=False),
        improvement=Steering(),
        extras=(NoiseCritic(critics, optimiser=Optimiser(n.lr)),),
        temperature=temperature(n.target_entropy, 1.0, n.lr),
        actor_optimiser=Optimiser(n.lr),
        critic_optimiser=Optimiser(n.lr),
        batch=n.batch,
        tau=n.tau,
        **more,
    )


def policy(n: Numbers) -> SteeredPolicySpec:
    """The generator and the policy of its noise."""
    noise = NetSpec(n.noise_hidden, "tanh", scale=math.sqrt(2.0))
    return SteeredPolicySpec(net(n.hidden), n.flow_steps, noise, n.limit)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """DSRL: a generator from the data, steered online."""
    config = resolve(PRESETS, preset, changes)
    numbers = Numbers(**only(config, Numbers))
    clones = ActorCritic(
        policy=policy(numbers),
        critic=None,
        improvement=FlowCloning(),
        actor_optimiser=Optimiser(numbers.lr),
        batch=numbers.batch,
    )
    return Recipe(
        name="dsrl",
        pretrain=(Stage(clones, config.pretrain_steps),),
        handover=Handover(moments="fresh"),
        replay=Replay(warmup=WarmUp(config.warmup, "policy")),
        finetune=Finetune(learner(**only(config, Numbers)), Rhythm(1, config.ratio), config.steps),
    )
