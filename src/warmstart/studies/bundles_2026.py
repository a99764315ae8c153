"""What flows, chunks, a correction and PPO are for: studies for the figures of their pages.

They carry no claim of docs/studies.md. Sizes are those of `quick`; what an author says for the kind
of task (weights, penalties) is taken from there.
"""

from __future__ import annotations

from pathlib import Path

from warmstart.studies.study import Arm, Pretraining, Study

UPDATES = 30_000
DISTURBED = f"{Path(__file__).with_name('noisy_door.py')}:policy"

_FQL = {"weight": "300", "normalise": "false"}  # Park et al. 2025: cubes and scene
_QC_FQL = {"weight": "100", "normalise": "false"}  # Li et al. 2025: their example
_REBRAC = {  # Park et al. 2025: cube-single
    "actor_penalty": "1.0", "critic_penalty": "0.0", "mixed": "false", "noise": "0.2",
}  # fmt: skip

_ROLLOUT = {"rollout": "2000"}  # of several episodes, where one alone would decide
FLOW = Study(
    "flow",
    "FQL beside IQL and ReBRAC on play with a cube.",
    {
        "fql-pre": Pretraining("fql", _FQL, steps=UPDATES),
        "iql-pre": Pretraining("iql", steps=UPDATES),
        "rebrac-pre": Pretraining("rebrac", _REBRAC, steps=UPDATES),
    },
    {
        "fql": Arm("fql", "fql-pre", _FQL),
        "iql": Arm("iql", "iql-pre"),
        "rebrac": Arm("rebrac", "rebrac-pre", _REBRAC),
    },
    ("cube-single-play-task1",),
    "quick",
    20_000,
)

CHUNKS = Study(
    "chunks",
    "QC-FQL, whose actions are chunks of five, beside FQL.",
    {
        "fql-pre": Pretraining("fql", _FQL, steps=UPDATES),
        "qc_fql-pre": Pretraining("qc_fql", _QC_FQL, steps=UPDATES),
    },
    {
        "fql": Arm("fql", "fql-pre", _FQL),
        "qc_fql": Arm("qc_fql", "qc_fql-pre", _QC_FQL),
    },
    ("cube-single-play-task2",),
    "quick",
    20_000,
)

RESIDUAL = Study(
    "residual",
    "A correction of Meta-World's disturbed script for the door, beside what learns without it.",
    {},
    {
        "residual": Arm("residual", policy=DISTURBED),
        "no-schedule": Arm("residual", changes={"acting.over": "1"}, policy=DISTURBED),
        "warmed-up": Arm(
            "sac",
            changes={
                "replay.warmup.by": "base",
                "replay.warmup.steps": "5000",
                "finetune.rhythm.first": "5000",
                "finetune.learner.actor_from": "5000",
            },
            policy=DISTURBED,
        ),
        "sac": Arm("sac"),
    },
    ("metaworld-door-open",),
    "quick",
    30_000,
)

ON_POLICY = Study(
    "on-policy",
    "PPO behind IQL and behind cloning, beside IQL that goes on.",
    {
        "start-bc": Pretraining("ppo", {"start": "bc"}, steps=20_000),
        "start-iql": Pretraining("ppo", steps=20_000),
        "start-own": Pretraining("iql", steps=20_000),
    },
    {
        "ppo-of-bc": Arm("ppo", "start-bc", {"start": "bc", **_ROLLOUT}),
        "ppo-of-iql": Arm("ppo", "start-iql", _ROLLOUT),
        "ppo-fresh-value": Arm(
            "ppo",
            "start-iql",
            {**_ROLLOUT, "handover.value": "fresh", "finetune.learner.actor_from": "5"},
        ),
        "iql-goes-on": Arm("iql", "start-own"),
    },
    ("jax-pointmass", "two-rooms"),
    "quick",
    60_000,
)
