"""CQL then SAC: a pessimistic critic meets an ordinary update.

    offline  SAC + the conservative term          online  SAC, no conservative term

Collapse at the switch is not special to TD3: the first targets of the ordinary update climb out of
the pessimism at actions that were never tried.

pretrain   CQL
handover   everything is kept; CQL's multiplier goes
replay     online rows only (`share` keeps a part of every batch from the dataset)
acting     a draw from the policy
finetune   SAC without entropy in the backup, one update after every step, from the first one

**Differences.** No paper fixes this control: networks, rates and weights are CQL's.
"""

from __future__ import annotations

from typing import Any

from warmstart.methods import cql, sac
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import FromRing, Mixed

PRESETS: dict[str, dict[str, Any]] = {
    name: {k: v for k, v in numbers.items() if k != "share"}
    for name, numbers in cql.PRESETS.items()
}
CITE = (*cql.CITE, *sac.CITE)


def recipe(preset: str = "paper", share: float = 0.0, **changes: Any) -> Recipe:
    """CQL, then SAC with the same networks."""
    numbers = {"actor_lr": 1e-4, "critic_lr": 3e-4, "max_actions": 10}
    numbers = {**numbers, **PRESETS[preset], **changes}
    pretrain, steps = numbers.pop("pretrain"), numbers.pop("steps")
    offline = cql.learner(**numbers)
    for name in ("weight", "gap", "importance", "proposals", "cloning"):
        numbers.pop(name, None)
    online = sac.learner(**{"entropy_backup": False, **numbers})
    return Recipe(
        name="cql_sac",
        pretrain=(Stage(offline, pretrain),),
        replay=Replay(Mixed(share) if share else FromRing()),
        finetune=Finetune(online, Rhythm(), steps),
    )
