"""UPQ: uncertainty-driven pessimistic Q-ensemble.

Off2On with one target for all agents, lowered by the ensemble's own disagreement.

    y = r + gamma m [Q'_E(s', a') - beta U(s', a') - alpha log pi(a'|s')]
    Q_E = mean_i min(Q1_i, Q2_i),  U = the population deviation of those minima over the agents

pretrain   five agents by CQL, as Off2On
handover   as Off2On
replay     as Off2On
acting     a draw from the matched policy; in evaluation tanh(mu)
finetune   SAC with that target; the actor climbs Q_E, without the penalty

**Differences.** Only the operator and a table are known to us. Readings: the target is shared, the
actor sees no penalty, members are twins (`finetune.learner.backup.twins=false`: every critic is
one), Off2On's replay stays. `quick` as in `off2on`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.config import only, resolve
from warmstart.methods import off2on
from warmstart.parts import PairedBackup
from warmstart.ranges import NotNegative
from warmstart.recipe import Recipe


@dataclass(frozen=True)
class Config(off2on.Config):
    """The numbers of UPQ: those of Off2On, and beta."""

    beta: Annotated[NotNegative, "beta, weight of the ensemble's disagreement U"] = 0.001


PRESETS: dict[str, Config] = {name: Config(**vars(n)) for name, n in off2on.PRESETS.items()}
CITE = (
    "Uncertainty-driven pessimistic Q-ensemble (UPQ), offline-to-online survey slides: operator "
    "and table of raw returns",
    *off2on.CITE,
)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """Off2On with the penalised target."""
    config = resolve(PRESETS, preset, changes)
    base = off2on.recipe(off2on.Config(**only(config, off2on.Config)))
    update = dataclasses.replace(base.finetune.learner, backup=PairedBackup(config.beta))
    finetune = dataclasses.replace(base.finetune, learner=update)
    return dataclasses.replace(base, name="upq", finetune=finetune)
