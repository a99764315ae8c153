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

from typing import Any

from warmstart.acting import Noisy
from warmstart.learners import ActorCritic
from warmstart.nets.spec import CriticSpec, NetSpec, PolicySpec
from warmstart.parts import MaximiseQ, SmoothedBackup
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, WarmUp
from warmstart.state import Optimiser

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},  # the authors' repository
    "quick": {"hidden": (128, 128), "batch": 128, "steps": 30_000, "random": 1_000},
}
CITE = (
    "Fujimoto et al. 2018, Addressing Function Approximation Error in Actor-Critic Methods, ICML",
)


def learner(
    hidden: tuple[int, ...] = (256, 256),
    lr: float = 3e-4,
    batch: int = 256,
    init: str = "torch",
    members: int = 2,
    subset: int | None = None,
    actor_net: NetSpec | None = None,
    critic_net: NetSpec | None = None,
    **more: Any,
) -> ActorCritic:
    """Clipped double Q, delayed actor, smoothed targets; `more` sets further fields."""
    net = NetSpec(hidden, init=init, scale=1.0)
    fields = {"improvement": MaximiseQ("first"), "target_every": 2, **more}
    return ActorCritic(
        policy=PolicySpec(actor_net or net, kind="deterministic"),
        critic=CriticSpec(critic_net or net, members),
        backup=SmoothedBackup(subset=subset),
        actor_optimiser=Optimiser(lr),
        critic_optimiser=Optimiser(lr),
        batch=batch,
        actor_every=2,
        target_actor=True,
        **fields,
    )


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """TD3 from scratch."""
    numbers = {"steps": 1_000_000, "random": 25_000, **PRESETS[preset], **changes}
    steps, random = numbers.pop("steps"), numbers.pop("random")
    return Recipe(
        name="td3",
        replay=Replay(warmup=WarmUp(random, "random")),
        acting=Noisy(0.1),
        finetune=Finetune(learner(**numbers), Rhythm(), steps),
    )
