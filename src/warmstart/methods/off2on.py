"""Off2On: balanced replay and a pessimistic Q-ensemble (Lee et al. 2021).

Five CQL agents go on as one SAC agent, whose replay favours what looks online.

    pi   = tanh N(mu, sigma^2), the moments of the five Gaussians before tanh            (eq. 5)
    y_i  = r + gamma m [min(Q1'_i, Q2'_i)(s', a') - alpha log pi(a'|s')],  one a' ~ pi    (eq. 6)
    L_pi = alpha log pi(a|s) - mean_i min(Q1_i, Q2_i)(s, a)                               (eq. 7)
    row's priority ~ w(s, a)^(1/5),  w = d_online / d_offline by a network                (eq. 8)

pretrain   five agents by CQL, each on rows of its own
handover   actors and critics are kept; slow copies again, temperature and moments fresh
replay     dataset and online rows by priority; new online rows enter at the highest
acting     a draw from the matched policy; in evaluation tanh(mu)
finetune   SAC without the conservative term: 1,000 steps, then as many updates, at first five times

**Differences.** The released code has no offline part: CQL's numbers are `cql`'s for locomotion.
Episodes go on over a block's end, where the authors reset. The uniform online rows of the ratio
network are those of the ring. No Q-function is a target of another's: each agent has its own.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from warmstart.handover import Handover
from warmstart.learners import ActorCritic, Agents
from warmstart.methods import cql, sac
from warmstart.nets.spec import NetSpec
from warmstart.parts import MaximiseQ, PairedBackup
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Balanced

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {"fraction": 0.75},  # the README's example: f 0.75, first block x 5
    # The Cal-QL author's fork.
    "antmaze": {"hidden": (256,) * 3, "actor_lr": 1e-4, "gap": 0.8, "first": 1, "fraction": 0.5},
    "quick": {
        "hidden": (128, 128), "batch": 128, "agents": 3, "proposals": 2, "weight": 1.0,
        "every": 500, "pretrain": 4_000, "steps": 20_000, "ratio_net": (64, 64),
    },
}  # fmt: skip
CITE = (
    "Lee et al. 2021, Offline-to-Online Reinforcement Learning via Balanced Replay and "
    "Pessimistic Q-Ensemble, CoRL",
    *cql.CITE,
)


def ensemble(agents: int, **numbers: Any) -> ActorCritic:
    """SAC on several agents as one: two critics each, every agent with its own target."""
    base = sac.learner(members=2 * agents, **numbers)
    return dataclasses.replace(
        base,
        policy=dataclasses.replace(base.policy, agents=agents),
        backup=PairedBackup(),
        improvement=MaximiseQ("pairs"),
    )


def recipe(preset: str = "paper", name: str = "off2on", **changes: Any) -> Recipe:
    """K agents by CQL, then SAC on the ensemble."""
    numbers: dict[str, Any] = {
        "agents": 5, "pretrain": 1_000_000, "steps": 250_000, "every": 1_000, "first": 5,
        "fraction": 0.5, "ratio_net": (256, 256), "actor_lr": 3e-4, "max_actions": 1,
        **PRESETS[preset], **changes,
    }  # fmt: skip
    agents, pretrain, steps = (numbers.pop(k) for k in ("agents", "pretrain", "steps"))
    every, first, fraction = (numbers.pop(k) for k in ("every", "first", "fraction"))
    source = Balanced(fraction, first_block=every, net=NetSpec(numbers.pop("ratio_net")))
    offline = Agents(cql.learner(**numbers), agents)
    for only_offline in ("weight", "gap", "proposals", "importance", "max_actions"):
        numbers.pop(only_offline, None)
    return Recipe(
        name=name,
        pretrain=(Stage(offline, pretrain),),
        handover=Handover(targets="copy", temperature="fresh", moments="fresh"),
        replay=Replay(source, capacity=250_000),
        finetune=Finetune(ensemble(agents, **numbers), Rhythm(every, every, first), steps),
    )
