"""BC then SAC: the honest baseline of a warm start.

    offline  L_pi = -log pi(a|s)                  online  SAC with fresh critics

The policy knows what the data did, the critics know nothing: what a warm start gains without any
offline reinforcement learning, and how much of it the first updates of untrained critics destroy.

pretrain   behaviour cloning of SAC's own tanh-Gaussian policy
handover   the actor is kept, critics and temperature are fresh
replay     online rows only, beginning with the cloned policy's
acting     the cloned policy first, then a draw from the learner's
finetune   SAC, one update after every step

**Differences.** No paper fixes this baseline: 5,000 steps of the cloned policy stand where SAC
from scratch has 5,000 random ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from warmstart.config import only, resolve
from warmstart.methods import bc, sac
from warmstart.methods.fields import PretrainSteps, Steps, Warmup
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage, WarmUp


@dataclass(frozen=True)
class Config(sac.Numbers):
    """The numbers of BC, then SAC."""

    pretrain_steps: PretrainSteps = 1_000_000
    steps: Steps = 250_000
    warmup: Warmup = 5_000


PRESETS: dict[str, Config] = {
    "paper": Config(),
    "quick": Config(
        hidden=(128, 128),
        batch=128,
        pretrain_steps=5_000,
        steps=20_000,
        warmup=1_000,
        init_temperature=0.1,
    ),
}
CITE = (*bc.CITE, *sac.CITE)


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """BC, then SAC."""
    config = resolve(PRESETS, preset, changes)
    online = sac.learner(**only(config, sac.Numbers))
    offline = bc.learner(policy=online.policy, batch=online.batch)
    return Recipe(
        name="bc_sac",
        pretrain=(Stage(offline, config.pretrain_steps),),
        replay=Replay(warmup=WarmUp(config.warmup, "policy")),
        finetune=Finetune(online, Rhythm(), config.steps),
    )
