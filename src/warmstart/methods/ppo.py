"""PPO: proximal policy optimisation from a pre-trained policy (Schulman et al. 2017).

    d_t = r_t + gamma m_t V(s'_t) - V(s_t)
    A_t = d_t + gamma lambda (1 - last_t) A_{t+1}            (Schulman et al. 2016, eq. 16)
    L   = -E min(rho A, clip(rho, 1 - eps, 1 + eps) A),  rho = pi(a|s) / pi_old(a|s)    (eq. 7)
    L_V = E (V(s) - (A + V_old(s)))^2                                                   (eq. 9)

On-policy: what is learnt from is what the policy itself has just done, and then it is forgotten.
The policy begins as a clone of the data (`start=bc`) with V the data's own returns, or as IQL's
with IQL's V (`start=iql`).

pretrain   cloning and V regressed to the returns, or IQL
handover   policy and V are kept; the optimisers' moments begin again
replay     the newest rollout alone, in the order of time
acting     a draw from the policy, clipped to the box
finetune   after every rollout several passes over it in shuffled minibatches

**Differences.** Policy and value are two networks with an optimiser and a gradient norm each, so
that no coefficient stands between their losses; no rate falls. The value's loss is not clipped.
One environment for each seed. pi_old is the probability of the action as it was executed: at the
border of the box that of all that was clipped there (Fujita & Maeda 2018), where others take the
density of what lay outside. `target_kl` looks at the mean of a whole pass. Advantages are
normalised in each minibatch, as in the released code.
"""

from __future__ import annotations

from typing import Any

from warmstart.handover import Handover
from warmstart.learners import PPO
from warmstart.methods import bc, iql
from warmstart.nets.spec import NetSpec, PolicySpec, ValueSpec
from warmstart.parts import ToReturns
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Newest
from warmstart.state import Optimiser

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},  # Schulman et al. 2017, table 3, behind behaviour cloning
    "iql": {"start": "iql"},
    "quick": {
        "start": "iql", "expectile": 0.9, "beta": 10.0, "offline_batch": 128, "hidden": (64, 64),
        "batch": 64, "epochs": 10, "rollout": 500, "lr": 1e-3, "target_kl": 0.03, "pretrain": 6_000,
        "steps": 20_000,
    },
}  # fmt: skip
CITE = (
    "Schulman et al. 2017, Proximal Policy Optimization Algorithms, arXiv 1707.06347",
    "Schulman et al. 2016, High-Dimensional Continuous Control Using Generalized Advantage "
    "Estimation, ICLR",
    "Fujita & Maeda 2018, Clipped Action Policy Gradient, ICML",
)


def learner(
    hidden: tuple[int, ...] = (64, 64),
    lr: float = 3e-4,
    batch: int = 64,
    log_std: tuple[float, float] = (-3.0, 0.0),
    **more: Any,
) -> PPO:
    """A Gaussian whose width no observation moves, and V; `more` sets further fields."""
    net = NetSpec(hidden, "tanh")
    return PPO(
        policy=PolicySpec(
            net, squash=False, bounded_mean=True, std="uniform", log_std_range=log_std
        ),
        value=ValueSpec(net),
        actor_optimiser=Optimiser(lr, clip=0.5),
        value_optimiser=Optimiser(lr, clip=0.5),
        batch=batch,
        **more,
    )


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """PPO behind a pre-training."""
    numbers: dict[str, Any] = {
        "start": "bc", "expectile": 0.7, "beta": 3.0, "offline_batch": 256, "rollout": 2_048,
        "pretrain": 100_000, "steps": 1_000_000, **PRESETS[preset], **changes,
    }  # fmt: skip
    start, expectile, beta = (numbers.pop(name) for name in ("start", "expectile", "beta"))
    rows, pretrain, steps = (numbers.pop(name) for name in ("rollout", "pretrain", "steps"))
    batch = numbers.pop("offline_batch")
    online = learner(**numbers)
    hidden = online.policy.net.hidden
    if start == "iql":
        first = iql.learner(hidden, expectile, beta, batch=batch, decay="cosine")
    else:
        first = bc.learner(
            policy=online.policy, value=online.value, value_fit=ToReturns(), batch=batch
        )
    before = first.networks_of(online)
    return Recipe(
        name="ppo",
        pretrain=(Stage(before, pretrain),),
        handover=Handover(moments="fresh"),
        replay=Replay(Newest(rows), capacity=rows),
        finetune=Finetune(online, Rhythm(rows), steps),
    )
