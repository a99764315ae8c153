"""Cal-QL: calibrated conservative Q-learning (Nakamoto et al. 2023).

    CQL with Q(s, a_j) replaced by max(Q(s, a_j), G(s)) for the policy's proposals      (eq. 5.1)

where G is the return-to-go of the row. Not for the uniform proposals, not in the data term, not in
the target: conservatism then never drives Q below what the behaviour policy really obtained.

pretrain   CQL with the bound
handover   everything is kept
replay     half dataset, half online rows of finished episodes (their returns are known)
acting     a draw from the policy
finetune   the same loss, offline and online rows both bounded; a whole trajectory, then one update
           for each of its steps

**Differences.** See `cql`. Kitchen rewards stay as they are ("infinite" return rule); the WSRL code
shifts them and uses finite sums, which puts the bound far above the fixed point near a time limit.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from warmstart.learners import ActorCritic
from warmstart.methods import cql
from warmstart.recipe import Recipe, Rhythm

PRESETS: dict[str, dict[str, Any]] = {
    # Released Cal-QL code; adroit and kitchen as in its branches.
    name: dict(numbers)
    for name, numbers in cql.PRESETS.items()
}
# Cloning first and weight 5: benchmarks/NOTES.md, section 8.
PRESETS["quick"] |= {"weight": 5.0, "cloning": 2_000, "actor_lr": 3e-4}
CITE = (
    "Nakamoto et al. 2023, Cal-QL: Calibrated Offline RL Pre-Training for Efficient Online "
    "Fine-Tuning, NeurIPS",
)


def learner(**numbers: Any) -> ActorCritic:
    """CQL's learner with the bound."""
    return cql.learner(**{"calibrated": True, "finished_only": True, **numbers})


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """Cal-QL, offline and online."""
    extra = {"calibrated": True, "finished_only": True}
    base = cql.recipe(preset, "cal_ql", **{**PRESETS[preset], **extra, **changes})
    finetune = dataclasses.replace(base.finetune, rhythm=Rhythm(every=0, updates=1))
    return dataclasses.replace(base, finetune=finetune)
