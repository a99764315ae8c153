"""The studies of what goes wrong at the switch, of WSRL, and of its parts (R1 to R5, R13).

The names of arms are part of the record: results are found by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from warmstart.studies.study import Arm, Pretraining, Study

DOOR, MAZE, SECOND = "metaworld-door-open-noisy", "two-rooms", "pointmaze-medium"
WARM = {"replay.warmup.steps": "5000"}
"""What the authors warm up by (Zhou et al. 2025); `quick` has a fifth of it."""
ONE_BATCH = {"replay.warmup.steps": "256", "replay.warmup.by": "online"}
"""Without a warm-up the first update waits for one batch of rows."""
NO_WARMUP = {"replay.warmup.steps": "256", "replay.warmup.by": "policy"}


def share(of: float, end: float | None = None, over: int | None = None) -> dict[str, str]:
    """A share of every batch from the dataset, or one that falls to `end` within `over` steps."""
    changes = {
        "replay.source": "Mixed",
        "replay.source.share": str(of),
        "replay.preload.kind": "none",
    }
    if end is not None:
        changes |= {"replay.source.end": str(end), "replay.source.over": str(over)}
    return changes


def only_online() -> dict[str, str]:
    """No row of the dataset."""
    return {"replay.source": "FromRing", "replay.preload.kind": "none"}


BEFORE: dict[str, dict[str, str]] = {
    **{name: {"bc_weight": "0"} for name in ("wsrl", "off2on", "upq")},
    **{name: {"bc_weight": "0", "actor_lr": "0.0001"} for name in ("cql", "cql_sac")},
    "cal_ql": {"bc_weight": "0", "actor_lr": "0.0003", "cloning": "2000"},
    "aca": {"scale": "30"},
}
"""The published actor losses, which claims are about, and the rates that `quick` had with them;
today it holds these actors to the data."""
ONLINE = {
    "cql": ("bc_weight", "actor_lr"),
    "cal_ql": ("bc_weight", "actor_lr"),
    "cql_sac": ("actor_lr",),
}
"""Those of them that also act online."""


def pretraining(method: str, changes: Mapping[str, str] | None = None, **given: Any) -> Pretraining:
    """A method's pre-training by its published loss, or another's in its place as it stands."""
    changes = changes or {}
    own = {} if "pretrain" in changes else BEFORE.get(method, {})
    return Pretraining(method, {**own, **changes}, **given)


def going_on(method: str, source: str, changes: Mapping[str, str] | None = None) -> Arm:
    """A method's own fine-tuning behind that pre-training, by its published loss."""
    own = {name: BEFORE[method][name] for name in ONLINE.get(method, ())}
    return Arm(method, source, {**own, **(changes or {})})


def _freed(phase: str, rate: str) -> dict[str, str]:
    """CQL's or Cal-QL's learner under WSRL, by its published loss."""
    return {
        f"{phase}.learner.constraint": "NoConstraint",
        f"{phase}.learner.improvement.scale": "none",
        f"{phase}.learner.actor_optimiser.lr": rate,
        f"{phase}.learner.temperature.optimiser.lr": rate,
    }


APPENDED = {"replay.source": "FromRing", "replay.preload.kind": "all"}
SHARES = ("0", "5", "10", "25", "50")
KEEPERS = ("iql", "cql", "cal_ql")


def _retention() -> dict[str, Arm]:
    arms: dict[str, Arm] = {}
    for method in KEEPERS:
        ways: dict[str, Mapping[str, str]] = {
            "share-0": only_online(),
            **{f"share-{s}": share(int(s) / 100) for s in SHARES[1:]},
            "append": APPENDED,
            "anneal-5k": share(0.5, 0.0, 5_000),
            "anneal-20k": share(0.5, 0.0, 20_000),
        }
        for way, changes in ways.items():
            arms[f"{method}-{way}"] = going_on(method, f"{method}-pre", {**changes, **ONE_BATCH})
    return arms


RETENTION = Study(
    "retention",
    "How much of the dataset has to be kept online: IQL, CQL and Cal-QL by share (R1).",
    {f"{method}-pre": pretraining(method) for method in KEEPERS},
    _retention(),
    (DOOR, MAZE),
    "quick",
)

CONSERVATIVE = {
    "finetune.learner.conservatism": "CQL",
    "finetune.learner.conservatism.calibrated": "true",
    "finetune.learner.finished_only": "true",
}
"""Cal-QL's loss on WSRL's networks, with WSRL's rhythm."""
ROLL_IN = {"acting": "jsrl", "acting.kind": "roll_in", "replay.warmup.steps": "0"}
FRESH = {"handover.actor": "fresh", "handover.critic": "fresh"}
HALF = share(0.5)


def _wsrl() -> dict[str, Arm]:
    def arm(changes: Mapping[str, str]) -> Arm:
        return Arm("wsrl", "wsrl-pre", {**WARM, **changes})

    arms = {
        "wsrl": arm({}),
        "no-warmup": arm(NO_WARMUP),
        "warmup-500": arm({"replay.warmup.steps": "500"}),
        "warmup-1k": arm({"replay.warmup.steps": "1000"}),
        "warmup-20k": arm({"replay.warmup.steps": "20000"}),
        "warmup-random": arm({"replay.warmup.by": "random"}),
        "warmup-untrained": arm({"replay.warmup.by": "untrained"}),
        "warmup-data": arm(
            {**ONE_BATCH, "replay.preload.kind": "random", "replay.preload.count": "5000"}
        ),
        "wsrl-half": arm(HALF),
        "cal_ql-matched": arm({**CONSERVATIVE, **NO_WARMUP}),
        "cal_ql-matched-half": arm({**CONSERVATIVE, **NO_WARMUP, **HALF}),
        "jsrl-warm": arm(ROLL_IN),
        "jsrl-warm-4": arm(
            {**ROLL_IN, "finetune.learner.minibatches": "4", "finetune.rhythm.updates": "4"}
        ),
        "jsrl-cold": arm({**ROLL_IN, **FRESH}),
        "actor-only": arm({"handover.critic": "fresh"}),
        "critic-only": arm({"handover.actor": "fresh"}),
        "neither": arm(FRESH),
        "neither-half": arm({**FRESH, **HALF}),
        "rlpd-matched": arm({**FRESH, **HALF, "replay.warmup.by": "random"}),
        "rlpd": Arm("rlpd"),
    }
    for method in KEEPERS:
        for way, changes in (("none", only_online()), ("half", share(0.5))):
            arms[f"{method}-{way}"] = going_on(method, f"{method}-pre", {**changes, **ONE_BATCH})
    return arms


WSRL = Study(
    "wsrl",
    "WSRL against its own parts and against others, from one pre-training (R2, and R3's loads).",
    {
        "wsrl-pre": pretraining("wsrl"),
        **{f"{method}-pre": pretraining(method) for method in KEEPERS},
    },
    _wsrl(),
    (DOOR, MAZE),
    "quick",
)

_ONLINE = {
    "sac": {"finetune": "sac"},
    "td3": {"finetune": "td3", "pretrain": "td3_bc"},
    "simba": {"finetune": "simba"},
    "cal_ql": {"finetune": "cal_ql", **_freed("finetune", "0.0003")},
}
SWAPS = Study(
    "swaps",
    "WSRL with other learners before the switch and behind it (R3).",
    {
        "by-cal_ql": pretraining("wsrl"),
        "by-cql": pretraining("wsrl", {"pretrain": "cql", **_freed("pretrain.0", "0.0001")}),
        **{f"by-{m}": pretraining("wsrl", {"pretrain": m}) for m in ("iql", "td3_bc", "bc")},
        **{f"for-{name}": pretraining("wsrl", changes) for name, changes in _ONLINE.items()},
    },
    {
        **{
            f"from-{method}": Arm("wsrl", f"by-{method}", WARM)
            for method in ("cal_ql", "cql", "iql", "td3_bc", "bc")
        },
        **{
            f"online-{name}": Arm("wsrl", f"for-{name}", {**WARM, **changes})
            for name, changes in _ONLINE.items()
        },
    },
    (DOOR, MAZE),
    "quick",
)

RLPD = Study(
    "rlpd",
    "RLPD's parts, one at a time (R4).",
    {},
    {
        "base": Arm("rlpd"),
        **{
            f"ratio-{n}": Arm(
                "rlpd",
                changes={
                    "finetune.learner.minibatches": str(n),
                    "finetune.rhythm.updates": str(n),
                },
            )
            for n in (1, 4, 20)
        },
        "no-layer-norm": Arm("rlpd", changes={"finetune.learner.critic.net.layer_norm": "false"}),
        "two-critics": Arm("rlpd", changes={"finetune.learner.critic.members": "2"}),
        "ten-critics": Arm("rlpd", changes={"finetune.learner.critic.members": "10"}),
        "share-0": Arm("rlpd", changes={"replay.source.share": "0"}),
    },
    ("pointmaze-medium", "hopper-medium-replay"),
    "quick",
    20_000,
)

OFFLINE = Study(
    "offline",
    "Over-estimation on fixed data, and the same learners online (R5).",
    {
        "sac-offline": pretraining(
            "cql_sac", {"pretrain.0.learner.conservatism": "NoConservatism"}, steps=20_000
        ),
        "td3-offline": pretraining(
            "td3_bc", {"pretrain.0.learner.constraint": "NoConstraint"}, steps=20_000
        ),
        "cql-offline": pretraining("cql", steps=20_000),
        "cal_ql-offline": pretraining("cal_ql", steps=20_000),
        "td3_bc-offline": pretraining("td3_bc", steps=20_000),
    },
    {"sac-online": Arm("sac"), "td3-online": Arm("td3")},
    ("pointmaze-medium", "hopper-medium"),
    "quick",
    20_000,
)

TABLE = Study(
    "sparse-table",
    "The learners of Cal-QL's table on sparse tasks, one protocol (R13).",
    {f"{method}-pre": pretraining(method) for method in ("iql", "cql", "cal_ql", "o3f")},
    {
        **{m: going_on(m, f"{m}-pre") for m in ("iql", "cql", "cal_ql", "o3f")},
        "sac": Arm("sac"),
        "sac-data": Arm("sac_offline_data"),
    },
    (DOOR, MAZE),
    "quick",
)

FIRST_RUN = Study(
    "first-run",
    "What `make run` shows, over many seeds: WSRL, without its warm-up, and keeping half the data.",
    {"wsrl-pre": pretraining("wsrl")},
    {
        "wsrl": Arm("wsrl", "wsrl-pre"),
        "no-warmup": Arm("wsrl", "wsrl-pre", NO_WARMUP),
        "keeps-half": Arm("wsrl", "wsrl-pre", {**NO_WARMUP, **HALF}),
    },
    ("two-rooms",),
    steps=None,
    holdout=0.05,
)
"""A demonstration that carries no claim: same numbers as the command's own."""
