"""Residual: a policy that is there already, and a small correction that learns online.

    a    = clip(b(s) + beta r),  r ~ pi(.|s, b(s)) = tanh of a Gaussian in [-1, 1]^A
    y    = r_t + gamma m (mean_i Q'_i - rho std_i Q'_i)(s', clip(b(s') + beta r'))
    L_Q  = E (y - Q_i(s, a))^2
    L_pi = E alpha log pi(r|s, b(s)) - (mean_i Q_i - rho std_i Q_i)(s, clip(b(s) + beta r))

b is frozen and anybody's: a function, an ONNX file, the policy of another run. The critics judge
the sum (Yuan et al. 2025; Ankile et al. 2025); r sees what it corrects, and its log-density counts
without the factor beta, as in the edits of EXPO (Dong et al. 2026). At beta = 0, and before the
first update in evaluation, the policy is b.

pretrain   nothing: b was made elsewhere
handover   nothing crosses
replay     online rows only, after warm-up rows by b; each row bears b's action at s and at s'
acting     corrected with probability min(step / H, 1), else b's own action; corrected in evaluation
finetune   first the critics alone on the warm-up's rows, then both, one update after every step

**Differences.** Policy Decorator (preset `decorator`) learns in 16 environments, from rewards less
1 at a discount of 0.97, and at one update in four steps; here one environment, the task's rewards
and discount, and one update a step. ResFiT (preset `resfit`, `form=td3`: r is deterministic, pi'
has no slow copy and no smoothing) has returns of 3 to 5 steps, of which here there is one, disturbs
its warm-up by uniform noise in [-0.2, 0.2], discounts by 0.99 to 0.995, and its b acts in chunks;
that its actor climbs the critics' mean is ours. Half of its batches are logged rows, with b's
actions computed for them too. EXPO goes on fitting its base and chooses among several draws and
edits, and its temperature begins at 1; here b is deterministic, there is one, and it begins at 0.1.
The critics also see b(s), which is a function of s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from warmstart.acting import Noisy, Progressive
from warmstart.config import only, parted, resolve
from warmstart.learners import ActorCritic
from warmstart.methods.fields import Common, Hidden, Members, Online, Steps, Subset
from warmstart.nets.residual import ResidualPolicySpec
from warmstart.nets.spec import CriticSpec, NetSpec
from warmstart.parts import MaximiseQ, SampledBackup, temperature
from warmstart.ranges import Count, Finite, NotNegative, Positive, Whole
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, WarmUp
from warmstart.replay import FromRing, Mixed
from warmstart.state import Optimiser


@dataclass(frozen=True)
class Numbers(Common):
    """What `learner` takes by name; the defaults are EXPO's edit in the form of QAM's FEdit."""

    scale: Annotated[NotNegative, "beta: the most that a number of the action is corrected by"] = (
        0.1
    )
    hidden: Hidden = (256, 256)
    members: Members = 10
    form: Annotated[
        Literal["sac", "td3"], "r is drawn and its entropy counts, or it is deterministic"
    ] = "sac"
    pessimism: Annotated[
        NotNegative | None, "rho: deviations off the critics' mean (none: their minimum)"
    ] = 0.5
    subset: Subset = None
    minibatches: Annotated[Count, "critic updates to one of the actor, after every step"] = 1
    layer_norm: Annotated[bool, "critics have LayerNorm"] = True
    entropy_backup: Annotated[bool, "the target has the entropy term"] = False
    target_entropy: Annotated[Finite, "of r, for each action dimension"] = -0.5
    critic_lr: Annotated[NotNegative | None, "the critics' learning rate (none: `lr`)"] = None
    clip: Annotated[Positive | None, "largest norm of a gradient (none: any)"] = None


@dataclass(frozen=True)
class Config(Numbers):
    """The numbers of a correction."""

    warmup: Annotated[Whole, "steps by the base before the first update"] = 5_000
    first: Annotated[
        Count | None, "updates of the critics alone behind the warm-up (none: warmup * minibatches)"
    ] = None
    over: Annotated[Whole, "H: steps until every action is corrected"] = 30_000
    noise: Annotated[
        NotNegative, "deviation of the noise around every corrected action, without H (0: by H)"
    ] = 0.0
    share: Online = 0.0
    steps: Steps = 500_000


PRESETS: dict[str, Config] = {
    "paper": Config(),
    # Yuan et al. 2025: SAC, 256x3, batch 1024.
    "decorator": Config(
        hidden=(256, 256, 256), members=2, pessimism=None, layer_norm=False, entropy_backup=True,
        target_entropy=-1.0, lr=1e-4, batch=1_024, tau=0.01, warmup=8_000,
    ),
    # Ankile et al. 2025: ranges of which these are the bolder ends; sizes and batch as in `paper`.
    "resfit": Config(
        scale=0.2, form="td3", pessimism=None, subset=2, minibatches=4, lr=5e-6, critic_lr=1e-4,
        clip=1.0, warmup=10_000, first=10_000, noise=0.05, share=0.5, steps=300_000,
    ),
    "quick": Config(
        scale=0.3, hidden=(64, 64), members=4, lr=1e-3, batch=128, tau=0.01, warmup=500,
        over=2_000, steps=10_000,
    ),
}  # fmt: skip
CITE = (
    "Yuan et al. 2025, Policy Decorator: Model-Agnostic Online Refinement for Large Policy Model, "
    "ICLR",
    "Ankile et al. 2025, Residual Off-Policy RL for Finetuning Behavior Cloning Policies, "
    "arXiv 2509.19301",
    "Dong et al. 2026, EXPO: Stable Reinforcement Learning with Expressive Policies, ICLR",
)


def learner(**given: Any) -> ActorCritic:
    """An actor-critic of the corrected action by `Numbers`; whatever else is given is a field of
    it."""
    n, more = parted(Numbers, given)
    net = NetSpec(n.hidden, init="orthogonal", scale=math.sqrt(2.0))
    critic = NetSpec(n.hidden, layer_norm=n.layer_norm, init="orthogonal", scale=math.sqrt(2.0))
    least = n.pessimism is None and n.subset is None
    climbs = MaximiseQ() if least else MaximiseQ("mean", pessimism=n.pessimism or 0.0)
    drawn = n.form == "sac"
    if drawn:
        more = {"temperature": temperature(n.target_entropy, 0.1, n.lr), **more}
    return ActorCritic(
        policy=ResidualPolicySpec(
            net, kind="gaussian" if drawn else "deterministic", scale=n.scale
        ),
        critic=CriticSpec(critic, n.members),
        backup=SampledBackup(n.subset, entropy=drawn and n.entropy_backup, pessimism=n.pessimism),
        improvement=climbs,
        actor_optimiser=Optimiser(n.lr, clip=n.clip),
        critic_optimiser=Optimiser(n.lr if n.critic_lr is None else n.critic_lr, clip=n.clip),
        minibatches=n.minibatches,
        batch=n.batch,
        tau=n.tau,
        **more,
    )


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """A correction of the policy that the run is given."""
    config = resolve(PRESETS, preset, changes)
    each = config.minibatches
    alone = config.warmup * each if config.first is None else config.first
    update = learner(actor_from=alone, **only(config, Numbers))
    rhythm = Rhythm(updates=each, first=max(alone // each, 1))
    return Recipe(
        name="residual",
        replay=Replay(
            Mixed(config.share) if config.share else FromRing(), WarmUp(config.warmup, "base")
        ),
        acting=Noisy(config.noise) if config.noise else Progressive(config.over),
        finetune=Finetune(update, rhythm, config.steps),
    )
