"""ODT, Online Decision Transformer (Zheng et al. 2022).

    L(theta) = -mean log pi(a_t | context_t) - alpha H(pi)                                (eq. 4)
    alpha <- descent on alpha (H(pi) - H_min),   H_min = -dim(A)                          (eq. 5)

A decision transformer with a squashed Gaussian policy, held to an entropy. Online it asks for more
than it has seen, and learns from what it got: each trajectory carries its achieved return.

pretrain   windows of K = 20 steps of the dataset, 5,000 updates
handover   everything is kept: network, moments, warm-up of the rate, temperature
replay     the best 1,000 trajectories of the dataset, then whole online ones, the worst first to go
acting     a draw, given twice the desired return and the last 5 steps; in evaluation the mode,
           given that return itself
finetune   the same loss, 300 updates after every episode, windows in proportion to length

**Differences.** LAMB as in the code: a norm clip of 0.25, trust ratios where weight decay is not 0;
the optimiser's own second clip at 1 can then never act, and is left out. The entropy is averaged
over the steps that are there; the code counts padding too, which biases it. A full buffer loses
rows, not whole trajectories, and the buffer is counted in rows. The worst trajectory of the dataset
is not dropped. Without a preset of the environment, desired returns are shares of the data's range
(1 and 2). Observations are scaled with std + 1e-3. The authors' ant table is not public.
"""

from __future__ import annotations

from typing import Any

from warmstart.acting import Desired
from warmstart.learners import SequenceCloning
from warmstart.nets.sequence_spec import SequenceSpec
from warmstart.parts import temperature
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Windows
from warmstart.state import Warming

_HOPPER = {"unit": "reward", "scale": 1000.0, "target": 3600.0, "explore": 7200.0}
_WALKER = {"unit": "reward", "scale": 1000.0, "target": 5000.0, "explore": 10000.0}
_CHEETAH = {"unit": "reward", "scale": 1000.0, "target": 6000.0, "explore": 12000.0}
PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},  # 4 layers, 4 heads, width 512, K = 20
    "hopper": _HOPPER,  # medium; the code's defaults
    "hopper_replay": {**_HOPPER, "lr": 2e-3, "weight_decay": 1e-4},
    "walker2d": {**_WALKER, "lr": 1e-3, "weight_decay": 1e-3, "pretrain": 10_000},
    "halfcheetah": _CHEETAH,
    "antmaze": {
        "unit": "reward", "scale": 1.0, "target": 1.0, "explore": 2.0, "width": 1024,
        "positions": True, "count": 1500, "lr": 1e-3, "weight_decay": 0.0,
    },
    "quick": {
        "layers": 2, "heads": 1, "width": 64, "context": 10, "batch": 64, "warmup": 500,
        "lr": 1e-3, "count": 100, "updates": 100, "pretrain": 5_000, "steps": 20_000,
    },
}  # fmt: skip
CITE = ("Zheng et al. 2022, Online Decision Transformer, ICML",)


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """Entropy-held, return-conditioned cloning, offline and online alike."""
    n: dict[str, Any] = {
        "layers": 4, "heads": 4, "width": 512, "context": 20, "acting": 5, "batch": 256,
        "lr": 1e-4, "weight_decay": 5e-4, "warmup": 10_000, "trust": True, "dropout": 0.1,
        "positions": False, "scale": None, "target": 1.0, "explore": 2.0, "unit": "data",
        "entropy": -1.0, "count": 1000, "updates": 300, "pretrain": 5_000, "steps": 200_000,
        **PRESETS[preset], **changes,
    }  # fmt: skip
    network = {k: n[k] for k in ("layers", "heads", "width", "dropout", "positions")}
    learner = SequenceCloning(
        SequenceSpec("gaussian", **network),
        temperature(n["entropy"], init=0.1, lr=1e-4),
        Warming(n["lr"], n["weight_decay"], warmup=n["warmup"], trust=n["trust"]),
        n["batch"], n["scale"],
    )  # fmt: skip
    online = Windows(n["context"], share=0.0)
    return Recipe(
        name="odt",
        pretrain=(Stage(learner, n["pretrain"], Windows(n["context"])),),
        replay=Replay(online, preload=Preload("top", n["count"])),
        acting=Desired(n["target"], n["explore"], n["unit"], n["acting"]),
        finetune=Finetune(learner, Rhythm(0, n["updates"], per="episode"), n["steps"]),
    )
