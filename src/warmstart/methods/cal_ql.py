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
from dataclasses import dataclass
from typing import Any

from warmstart.config import only, resolve
from warmstart.learners import ActorCritic
from warmstart.methods import cql
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Mixed


@dataclass(frozen=True)
class Config(cql.Config):
    """The numbers of Cal-QL: those of CQL."""


PRESETS: dict[str, Config] = {
    # Released Cal-QL code; adroit and kitchen as in its branches.
    name: Config(**vars(numbers))
    for name, numbers in cql.PRESETS.items()
}
# Weight 5: benchmarks/NOTES.md, section 8.
PRESETS["quick"] = dataclasses.replace(PRESETS["quick"], weight=5.0)
CITE = (
    "Nakamoto et al. 2023, Cal-QL: Calibrated Offline RL Pre-Training for Efficient Online "
    "Fine-Tuning, NeurIPS",
)


def learner(finished_only: bool = True, **given: Any) -> ActorCritic:
    """CQL's learner with the bound; `finished_only`: online rows whose returns are known."""
    return cql.learner(calibrated=True, finished_only=finished_only, **given)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """Cal-QL, offline and online."""
    config = resolve(PRESETS, preset, changes)
    offline = learner(**only(config, cql.Numbers))
    online = cql.behind(offline, config)
    return Recipe(
        name="cal_ql",
        pretrain=(Stage(offline, config.pretrain_steps),),
        replay=Replay(Mixed(config.share)),
        finetune=Finetune(online, Rhythm(every=0, updates=1), config.steps),
    )
