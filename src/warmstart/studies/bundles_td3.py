"""The studies of the TD3-C paper and of the survey's methods (R6 to R9)."""

from __future__ import annotations

from collections.abc import Mapping

from warmstart.studies.bundles_switch import APPENDED, SECOND, going_on, pretraining, share
from warmstart.studies.study import Arm, Pretraining, Study

HOPPER = ("hopper-medium", "hopper-medium-replay")
PLAIN = {
    "finetune.learner.constraint": "NoConstraint",
    "finetune.learner.improvement.action_clip": "none",
}
"""TD3-C without its two bounds is TD3 on the same networks."""
CLONING = {
    "finetune.learner.constraint": "BehaviourCloning",
    "finetune.learner.constraint.weight.value": "0.4",
    "finetune.learner.improvement.action_clip": "none",
    "finetune.learner.improvement.normalise": "true",
}
KEPT = {"replay.preload.kind": "all"}
DROPPED = {"replay.preload.kind": "none", "replay.warmup.steps": "1000"}


def _radius(factor: float) -> dict[str, str]:
    return {"finetune.learner.constraint.weight.target": str(1e-5 * factor)}


def _weight(value: float) -> dict[str, str]:
    return {"finetune.learner.constraint.weight.value": str(value)}


def _grid() -> dict[str, Arm]:
    def arm(*changes: Mapping[str, str]) -> Arm:
        return Arm("td3_c", "td3_bc-pre", {k: v for each in changes for k, v in each.items()})

    mixed = {"replay.warmup.steps": "1000"}
    learners = {"td3": PLAIN, "td3_bc": CLONING, "td3_c": {}}
    arms = {}
    for name, changes in learners.items():
        arms[f"{name}-kept"] = arm(changes, KEPT)
        arms[f"{name}-dropped"] = arm(changes, DROPPED)
    for name in ("td3", "td3_bc"):
        for percent in (10, 50):
            arms[f"{name}-share-{percent}"] = arm(learners[name], share(percent / 100), mixed)
    fresh = {"handover.actor": "fresh", "handover.critic": "fresh", "replay.warmup.by": "random"}
    arms["scratch"] = arm(PLAIN, DROPPED, fresh)
    arms["td3_bc-half-weight"] = arm(CLONING, DROPPED, _weight(0.2))
    arms["td3_bc-double-weight"] = arm(CLONING, DROPPED, _weight(0.8))
    arms["td3_c-small-radius"] = arm(DROPPED, _radius(0.1))
    arms["td3_c-large-radius"] = arm(DROPPED, _radius(10.0))
    return arms


GRID = Study(
    "td3",
    "TD3, TD3-BC and TD3-C from one TD3-BC, by what is kept of the data (R6).",
    {"td3_bc-pre": Pretraining("td3_c")},
    _grid(),
    HOPPER,
    "quick",
)

_CLIP = {"finetune.learner.improvement.action_clip": "1"}
PARTS = Study(
    "td3-parts",
    "What was added to TD3: bounds, networks, priorities, trust regions elsewhere (R7).",
    {
        "td3_bc-pre": Pretraining("td3_c"),
        "relu-pre": Pretraining("td3_bc", {"learner.normalise": "none"}),
        "scaled-pre": Pretraining("td3_bc"),
        "cql-pre": pretraining("cql_sac"),
    },
    {
        "td3": Arm("td3_c", "td3_bc-pre", {**PLAIN, **DROPPED}),
        "td3-clip": Arm("td3_c", "td3_bc-pre", {**PLAIN, **DROPPED, **_CLIP}),
        "td3_c": Arm("td3_c", "td3_bc-pre", DROPPED),
        "td3_c-no-clip": Arm(
            "td3_c",
            "td3_bc-pre",
            {**DROPPED, "finetune.learner.improvement.action_clip": "none"},
        ),
        "td3-kept": Arm("td3_c", "td3_bc-pre", {**PLAIN, **KEPT}),
        "td3-balanced": Arm(
            "td3_c",
            "td3_bc-pre",
            {**PLAIN, "replay.preload.kind": "none", "replay.source": "Balanced"},
        ),
        "relu-td3": Arm(
            "td3_bc",
            "relu-pre",
            {
                **DROPPED,
                "learner.normalise": "none",
                "finetune.learner.constraint": "NoConstraint",
                "finetune.learner.improvement.normalise": "false",
            },
        ),
        "relu-td3_bc": Arm("td3_bc", "relu-pre", {"learner.normalise": "none"}),
        "scaled-td3_bc": Arm("td3_bc", "scaled-pre"),
        "cql-sac": going_on("cql_sac", "cql-pre"),
        "cql-sac-trust": going_on(
            "cql_sac", "cql-pre", {"finetune.learner.constraint": "TrustRegion",
                                   "finetune.learner.target_actor": "true"},
        ),
    },
    ("hopper-medium", "halfcheetah-medium"),
    "quick",
)  # fmt: skip

_OWN = ("iql", "odt", "off2on", "pex", "adaptive_bc", "cql")
OTHERS = Study(
    "others",
    "TD3's ways beside ODT, IQL, Off2On, PEX and Adaptive BC under one protocol (R8).",
    {
        "td3_bc-pre": Pretraining("td3_c"),
        **{f"{method}-pre": pretraining(method) for method in (*_OWN, "cql_sac")},
    },
    {
        "td3": Arm("td3_c", "td3_bc-pre", {**PLAIN, **KEPT}),
        "td3_c": Arm("td3_c", "td3_bc-pre", KEPT),
        "td3_bc": Arm("td3_c", "td3_bc-pre", {**CLONING, **DROPPED}),
        **{m: going_on(m, f"{m}-pre") for m in (*_OWN, "cql_sac")},
    },
    ("hopper-medium", "halfcheetah-medium", "walker2d-medium"),
    "quick",
)

_FIXED = {
    "finetune.learner.constraint": "BehaviourCloning",
    "finetune.learner.constraint.kind": "mse",
}
_WEAK = {"pretrain.0.learner.constraint.weight.value": "0.08"}
_ABLATED = ("bc", "td3_bc", "cql", "adaptive_bc", "iql", "pex", "off2on", "gcql", "gctd3bc", "upq")
SURVEY = Study(
    "survey",
    "The survey's methods, each beside its own ablation (R9).",
    {
        **{f"{method}-pre": pretraining(method) for method in _ABLATED},
        "refined-pre": Pretraining("td3_bc_pr_ft"),
        "further-pre": Pretraining("td3_bc_ft", steps=10_000),
        "weak-pre": Pretraining("td3_bc_ft", _WEAK),
        "decay-pre": Pretraining("td3_bc_ft"),
        "redq-pre": Pretraining("redq_offline"),
        "aca-pre": pretraining("aca"),
    },
    {
        "bc": Arm("bc", "bc-pre"),
        "td3_bc": Arm("td3_bc", "td3_bc-pre"),
        "cql": going_on("cql", "cql-pre"),
        "adaptive": Arm("adaptive_bc", "adaptive_bc-pre"),
        "adaptive-fixed": Arm(
            "adaptive_bc",
            "adaptive_bc-pre",
            {**_FIXED, "finetune.learner.constraint.weight.value": "0.4"},
        ),
        "adaptive-zero": Arm(
            "adaptive_bc", "adaptive_bc-pre", {"finetune.learner.constraint": "NoConstraint"}
        ),
        "decay": Arm("td3_bc_ft", "decay-pre"),
        "constant": Arm("td3_bc_ft", "decay-pre", _FIXED
                        | {"finetune.learner.constraint.weight.value": "0.4"}),
        "refined-decay": Arm("td3_bc_pr_ft", "refined-pre"),
        "pex": Arm("pex", "pex-pre"),
        "pex-direct": Arm("iql", "iql-pre", share(0.5)),
        "off2on": Arm("off2on", "off2on-pre"),
        "off2on-uniform": Arm(
            "off2on", "off2on-pre", APPENDED
        ),
        "off2on-online": Arm("off2on", "off2on-pre", {"replay.source": "FromRing"}),
        "gcql": Arm("gcql", "gcql-pre"),
        "gcql-all": Arm("gcql", "gcql-pre", APPENDED),
        "gcql-none": Arm(
            "gcql", "gcql-pre", {"finetune.learner.conservatism": "NoConservatism"}
        ),
        "gctd3bc": Arm("gctd3bc", "gctd3bc-pre"),
        "gctd3bc-all": Arm("gctd3bc", "gctd3bc-pre", APPENDED),
        "gctd3bc-none": Arm(
            "gctd3bc", "gctd3bc-pre", {"finetune.learner.constraint": "NoConstraint"}
        ),
        "redq-offline": Arm("redq_offline", "redq-pre"),
        "redq-scratch": Arm("redq_online"),
        "aca": Arm("aca", "aca-pre"),
        "aca-top": Arm(
            "aca", "aca-pre", {"replay.preload.kind": "top", "replay.preload.count": "50"}
        ),
        "aca-original": Arm(
            "aca", "aca-pre", {"handover.critic": "keep", "finetune.learner.align": "none"}
        ),
        "upq": Arm("upq", "upq-pre"),
    },
    ("hopper-medium", SECOND),
    "quick",
)  # fmt: skip
