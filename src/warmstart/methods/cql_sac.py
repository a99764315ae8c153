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

from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.config import only, resolve
from warmstart.methods import cql, sac
from warmstart.methods.fields import Online
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import FromRing, Mixed


@dataclass(frozen=True)
class Config(cql.Phased):
    """The numbers of CQL, then SAC: those of CQL."""

    share: Annotated[Online, "share of dataset rows in an online batch (0: the buffer alone)"] = 0.0


PRESETS: dict[str, Config] = {
    name: Config(**{**only(numbers, cql.Phased), "share": 0.0})
    for name, numbers in cql.PRESETS.items()
}
CITE = (*cql.CITE, *sac.CITE)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """CQL, then SAC with the same networks."""
    config = resolve(PRESETS, preset, changes)
    offline, online = (
        cql.learner(**only(config, cql.Numbers)),
        sac.learner(**only(config, sac.Numbers)),
    )
    return Recipe(
        name="cql_sac",
        pretrain=(Stage(offline, config.pretrain_steps),),
        replay=Replay(Mixed(config.share) if config.share else FromRing()),
        finetune=Finetune(online, Rhythm(), config.steps),
    )
