"""SAC with offline data: the dataset stands in the buffer of SAC from scratch.

The update is SAC's; see `sac` for its mathematics. The baseline of Cal-QL's table: what the data
is worth to a learner that treats it as its own experience.

pretrain   nothing
handover   nothing crosses
replay     the dataset stands in the buffer; online rows are appended, sampling is uniform
acting     a draw from the policy
finetune   SAC, one update after every step

**Differences.** Cal-QL's authors publish no script of it; their code with no pre-training mixes
half and half, which is `replay.source=Mixed` and `replay.preload.kind=none`. No random steps: there
is something to learn from at once.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from warmstart.config import only, resolve
from warmstart.methods import sac
from warmstart.methods.fields import Steps
from warmstart.recipe import Preload, Recipe, Replay


@dataclass(frozen=True)
class Config(sac.Numbers):
    """The numbers of SAC, without random steps."""

    steps: Steps = 1_000_000


PRESETS: dict[str, Config] = {
    name: Config(**only(numbers, Config)) for name, numbers in sac.PRESETS.items()
}
CITE = (
    *sac.CITE,
    "Nakamoto et al. 2023, Cal-QL: Calibrated Offline RL Pre-Training for Efficient Online "
    "Fine-Tuning, NeurIPS",
)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """SAC from scratch on the dataset and on what it collects."""
    config = resolve(PRESETS, preset, changes)
    base = sac.recipe(sac.Config(**only(config, sac.Config)))
    replay = Replay(preload=Preload("all"), capacity=2_000_000)
    return dataclasses.replace(base, name="sac_offline_data", replay=replay)
