"""DT, Decision Transformer: actions cloned from sequences, asked for a return (Chen et al. 2021).

    L = mean (a_t - pi(R_{t-K+1}, s_{t-K+1}, a_{t-K+1}, ..., R_t, s_t))^2      R_t = sum of r from t

A causal transformer reads the last K steps, three tokens each; the action is read off the
observation's. When acting, R_0 is the return that is wished for, and R_{t+1} = R_t - r_t.

pretrain   windows of K = 20 steps of the dataset, 100,000 updates
handover   everything is kept
replay     online rows only; nobody reads them
acting     the policy's mode, given the desired return and the last K steps
finetune   nothing learns: online, its curve is the noise floor of `odt`

**Differences.** Without a preset of the environment the desired return is the best of the data and
the scale its largest. Returns are sums of transformed rewards. Observations are scaled with
std + 1e-3, not 1e-6. The table of steps is as long as the task's horizon. Steps that are not there
are zeros in the action too (the code has -10); nobody attends to them in either. Behind the last
block only the observations' tokens are computed: the others are read by nobody.
"""

from __future__ import annotations

from typing import Any

from warmstart.acting import Desired
from warmstart.learners import SequenceCloning
from warmstart.nets.sequence_spec import SequenceSpec
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Windows
from warmstart.state import Warming

_RETURN = {"unit": "reward", "scale": 1000.0}
PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},  # 3 layers, 1 head, width 128, K = 20: tables of appendix A
    "hopper": {**_RETURN, "target": 3600.0},
    "halfcheetah": {**_RETURN, "target": 12000.0},
    "walker2d": {**_RETURN, "target": 5000.0},
    "antmaze": {"unit": "reward", "scale": 1.0, "target": 1.0},  # CORL
    "quick": {
        "layers": 2, "width": 64, "context": 10, "batch": 64, "warmup": 500, "lr": 1e-3,
        "pretrain": 5_000, "steps": 20_000,
    },
}  # fmt: skip
CITE = (
    "Chen et al. 2021, Decision Transformer: Reinforcement Learning via Sequence Modeling, NeurIPS",
)


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """Return-conditioned cloning, and the cloned policy online."""
    numbers: dict[str, Any] = {
        "layers": 3, "heads": 1, "width": 128, "context": 20, "batch": 64, "lr": 1e-4,
        "weight_decay": 1e-4, "warmup": 10_000, "dropout": 0.1, "positions": True, "scale": None,
        "target": 1.0, "unit": "data", "pretrain": 100_000, "steps": 250_000,
        **PRESETS[preset], **changes,
    }  # fmt: skip
    n = numbers
    network = {k: n[k] for k in ("layers", "heads", "width", "dropout", "positions")}
    optimiser = Warming(n["lr"], n["weight_decay"], warmup=n["warmup"])
    learner = SequenceCloning(
        SequenceSpec(**network), optimiser=optimiser, batch=n["batch"], scale=n["scale"]
    )
    windows = Windows(n["context"])
    return Recipe(
        name="dt",
        pretrain=(Stage(learner, n["pretrain"], windows),),
        replay=Replay(Windows(n["context"], share=0.0)),
        acting=Desired(n["target"], unit=n["unit"], length=n["context"]),
        finetune=Finetune(learner, Rhythm(updates=0), n["steps"]),
    )
