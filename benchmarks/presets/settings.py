"""What is tried for each method: changes to its preset `quick`, the same number for everyone.

A setting is what `METHODS[name].recipe("quick", **changes)` takes; the first one is `quick` as it
stands. Where a method has nothing left that its source calls a number to tune, it tries the rates.
Two clone alone, and have less: `bc` and `bc_sac`.
"""

from __future__ import annotations

from typing import Any

Settings = dict[str, dict[str, Any]]

_PESSIMISM: Settings = {
    "quick": {},
    "bc_weight 0": {"bc_weight": 0.0},
    "bc_weight 0.4": {"bc_weight": 0.4},
    "bc_weight 2.5": {"bc_weight": 2.5},
    "weight 10": {"weight": 10.0},
    "bc_weight 0, cloning first": {"bc_weight": 0.0, "cloning": 2_000},
}
_PLAIN: dict[str, Any] = {
    "members": 4, "layer_norm": "none", "init_temperature": 1.0, "proposals": 4, "actor_lr": 1e-4,
    "critic_lr": 3e-4, "tau": 0.005, "online_actor_lr": None, "online_critic_lr": None,
    "online_tau": None,
}  # fmt: skip
_WARM: Settings = {
    "quick": {},
    "bc_weight 0": {"bc_weight": 0.0},
    "bc_weight 0.4": {"bc_weight": 0.4},
    "bc_weight 2.5": {"bc_weight": 2.5},
    "weight 5, 2 critics, no LayerNorm, temperature 1": {
        **_PLAIN, "weight": 5.0, "members": 2, "cloning": 0, "bc_weight": 0.0,
    },
    "weight 5, 4 critics, no LayerNorm, temperature 1, cloning first": {
        **_PLAIN, "weight": 5.0, "cloning": 2_000, "bc_weight": 0.0,
    },
}  # fmt: skip
_REGRESSION: Settings = {
    "quick": {},
    "beta 10": {"beta": 10.0},
    "expectile 0.7": {"expectile": 0.7},
    "beta 10, expectile 0.7": {"beta": 10.0, "expectile": 0.7},
    "beta 10, lr 1e-3": {"beta": 10.0, "lr": 1e-3},
    "beta 10, tau 0.02": {"beta": 10.0, "tau": 0.02},
}
_CLONING: Settings = {
    "quick": {},
    "weight 1": {"weight": 1.0},
    "weight 2": {"weight": 2.0},
    "lr 1e-3": {"lr": 1e-3},
    "tau 0.02": {"tau": 0.02},
    "weight 1, tau 0.02": {"weight": 1.0, "tau": 0.02},
}


def _with(settings: Settings, old: str, new: str) -> Settings:
    """The settings where a number has another name."""
    return {
        name.replace(old, new): {new if key == old else key: value for key, value in each.items()}
        for name, each in settings.items()
    }


_RATES: Settings = {
    "quick": {},
    "lr 1e-3": {"lr": 1e-3},
    "lr 1e-4": {"lr": 1e-4},
    "batch 256": {"batch": 256},
    "tau 0.02": {"tau": 0.02},
    "lr 1e-3, tau 0.02": {"lr": 1e-3, "tau": 0.02},
}
_FIVE_FAST: Settings = {
    "quick": {},
    "lr 3e-4": {"lr": 3e-4},
    "batch 256": {"batch": 256},
    "tau 0.005": {"tau": 0.005},
    "lr 3e-4, batch 256": {"lr": 3e-4, "batch": 256},
}
_FAST: Settings = {**_FIVE_FAST, "lr 3e-4, tau 0.005": {"lr": 3e-4, "tau": 0.005}}
_TWO_RATES: Settings = {
    "quick": {},
    "both rates 1e-3": {"actor_lr": 1e-3, "critic_lr": 1e-3},
    "actor_lr 1e-4": {"actor_lr": 1e-4},
    "batch 256": {"batch": 256},
    "tau 0.02": {"tau": 0.02},
    "init_temperature 0.01": {"init_temperature": 0.01},
}
_DISTILLED: Settings = {
    "quick": {},
    "weight 0.1": {"weight": 0.1},
    "weight 1": {"weight": 1.0},
    "weight 10": {"weight": 10.0},
    "lr 3e-4": {"lr": 3e-4},
    "weight 1, lr 3e-4": {"weight": 1.0, "lr": 3e-4},
}
_SEQUENCES: Settings = {
    "quick": {},
    "lr 3e-4": {"lr": 3e-4},
    "batch 128": {"batch": 128},
    "context 20": {"context": 20},
    "dropout 0": {"dropout": 0.0},
    "lr 3e-4, batch 128": {"lr": 3e-4, "batch": 128},
}

SETTINGS: dict[str, Settings] = {
    "bc": {"quick": {}},
    "iql": _REGRESSION,
    "td3_bc": _CLONING,
    "wsrl": _WARM,
    "cal_ql": _PESSIMISM,
    "cql": _PESSIMISM,
    "awac": {
        "quick": {},
        "lambda 0.1": {"temperature": 0.1},
        "lambda 1": {"temperature": 1.0},
        "lambda 1, softmax": {"temperature": 1.0, "form": "softmax"},
        "lr 1e-3": {"lr": 1e-3},
        "lambda 1, lr 1e-3": {"temperature": 1.0, "lr": 1e-3},
    },
    "rebrac": {
        "quick": {},
        "actor_penalty 0.1": {"actor_penalty": 0.1},
        "critic_penalty 0": {"critic_penalty": 0.0},
        "critic_penalty 0.1": {"critic_penalty": 0.1},
        "lr 1e-3": {"lr": 1e-3, "critic_lr": 1e-3},
        "tau 0.005": {"tau": 0.005},
    },
    "fql": _DISTILLED,
    "ifql": {**_FIVE_FAST, "expectile 0.7": {"expectile": 0.7}},
    "qc": _FAST,
    "qc_fql": _DISTILLED,
    "dsrl": {
        "quick": {},
        "lr 3e-4": {"lr": 3e-4},
        "batch 256": {"batch": 256},
        "lr 3e-4, batch 256": {"lr": 3e-4, "batch": 256},
        "limit 1": {"limit": 1.0},
        "flow_steps 10": {"flow_steps": 10},
    },
    "adaptive_bc": _with(_CLONING, "weight", "offline"),
    "td3_bc_ft": _CLONING,
    "td3_bc_pr": _CLONING,
    "o3f": _CLONING,
    "td3_c": _RATES,
    "ppo": {
        "quick": {},
        "beta 3": {"beta": 3.0},
        "expectile 0.7": {"expectile": 0.7},
        "beta 3, expectile 0.7": {"beta": 3.0, "expectile": 0.7},
        "offline_batch 256": {"offline_batch": 256},
        "start bc": {"start": "bc"},
    },
    "off2on": _PESSIMISM,
    "gcql": {
        "quick": {},
        "weight 5": {"weight": 5.0},
        "weight 10": {"weight": 10.0},
        "both rates 1e-3": {"actor_lr": 1e-3, "critic_lr": 1e-3},
        "weight 5, both rates 1e-3": {"weight": 5.0, "actor_lr": 1e-3, "critic_lr": 1e-3},
        "weight 5, init_temperature 0.01": {"weight": 5.0, "init_temperature": 0.01},
    },
    "bc_sac": {"quick": {}, "batch 256": {"batch": 256}},
    "aca": {
        **{name: change for name, change in _TWO_RATES.items() if name != "init_temperature 0.01"},
        "offline_temperature 1": {"offline_temperature": 1.0},
    },
    "redq_offline": _TWO_RATES,
    "dt": _SEQUENCES,
    "odt": _SEQUENCES,
    "mopo": {
        **{name: _TWO_RATES[name] for name in ("quick", "both rates 1e-3", "actor_lr 1e-4")},
        "penalty 0.1": {"penalty": 0.1},
        "penalty 5": {"penalty": 5.0},
        "tau 0.02": {"tau": 0.02},
    },
}
"""In the order in which the search takes them; the first three are what the others are held to."""
REFERENCES = ("bc", "iql", "td3_bc")
SAME = {
    "pex": "iql",
    "jsrl": "iql",
    "cql_sac": "cql",
    "gctd3bc": "td3_bc_ft",
    "td3_bc_pr_ft": "td3_bc_pr",
    "upq": "off2on",
    "moore": "mopo",
}
"""Methods whose `quick` pre-trains as another one's does, to the last number: one search."""
