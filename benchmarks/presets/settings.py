"""What is tried for each method: changes to its preset `quick`, the same number for everyone.

A setting is what `METHODS[name].recipe("quick", **changes)` takes; the first one is `quick` as it
stands. Where a method has nothing left that its source calls a number to tune, it tries the rates.
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
_RATES: Settings = {
    "quick": {},
    "lr 1e-3": {"lr": 1e-3},
    "lr 1e-4": {"lr": 1e-4},
    "batch 256": {"batch": 256},
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
    "pex": _REGRESSION,
    "jsrl": _REGRESSION,
}
"""In the order in which the search takes them; the first three are what the others are held to."""
REFERENCES = ("bc", "iql", "td3_bc")
