"""AWAC: advantage-weighted actor-critic (Nair et al. 2020).

    y    = r + gamma m min_i Q'_i(s', a'),  a' ~ pi(.|s')                               (eq. 4)
    A    = min_i Q_i(s, a) - min_i Q_i(s, a_pi)
    L_pi = -w log pi(a|s),  w = exp(A / lambda)                                         (eq. 9)

pretrain   the same losses on the dataset
handover   everything is kept
replay     the dataset stands in the buffer, online rows are appended (preset `no_retention`:
           online rows only, after 1,000 steps)
acting     a draw from the policy, clipped to the box
finetune   the same losses

**Differences.** On Adroit the authors' code clamps Q at 0, cuts A at 0.5 and zeroes terminals; here
Q and A are free and a terminal is what the environment says. They pre-train with batches of 128
there, here the batch is one number. Weight decay is decoupled (AdamW). The authors do not publish
runs without the dataset: `no_retention` is theirs with an empty buffer.
"""

from __future__ import annotations

from typing import Any, Literal

from warmstart.learners import ActorCritic
from warmstart.nets.spec import CriticSpec, NetSpec, PolicySpec
from warmstart.parts import PolicyAdvantage, SampledBackup
from warmstart.recipe import Finetune, Preload, Recipe, Replay, Rhythm, Stage, WarmUp
from warmstart.state import Optimiser

PRESETS: dict[str, dict[str, Any]] = {
    # Authors' code: 500 epochs of 1,000 steps, then 1,000 updates.
    "adroit": {"temperature": 0.5, "baseline": "mode", "pretrain": 25_000, "weight_decay": 1e-4},
    "locomotion": {"hidden": (256,) * 4, "critic_hidden": (256, 256), "weight_decay": 1e-4},
    # CORL: one update a step, exp(A / lambda) at most 100, scaled observations, a free mean.
    "antmaze": {
        "hidden": (256,) * 3, "temperature": 0.1, "form": "exp", "batch": 256, "every": 1,
        "pretrain": 1_000_000, "steps": 1_000_000, "normalise": "dataset", "bounded_mean": False,
        "std": "uniform", "log_std": (-20.0, 2.0)},
    "quick": {"hidden": (128, 128), "batch": 128, "temperature": 0.3, "form": "exp", "every": 1,
        "pretrain": 6_000, "steps": 20_000},
}  # fmt: skip
PRESETS["paper"] = PRESETS["locomotion"]
PRESETS["no_retention"] = {**PRESETS["locomotion"], "retain": False}
CITE = (
    "Nair et al. 2020, Accelerating Online Reinforcement Learning with Offline Datasets, "
    "arXiv:2006.09359",
)


def learner(
    hidden: tuple[int, ...] = (256, 256), critic_hidden: tuple[int, ...] | None = None,
    temperature: float = 2.0, form: Literal["exp", "softmax"] = "softmax",
    baseline: Literal["sample", "mode"] = "sample", bounded_mean: bool = True,
    std: str = "uniform_sigmoid", log_std: tuple[float, float] = (-6.0, 0.0),
    lr: float = 3e-4, weight_decay: float = 0.0, batch: int = 1024, **more: Any,
) -> ActorCritic:  # fmt: skip
    """Critics by the policy's own actions, actor by weighted regression."""
    deviation = {"std": std, "log_std_range": log_std}
    return ActorCritic(
        policy=PolicySpec(NetSpec(hidden), squash=False, bounded_mean=bounded_mean, **deviation),
        critic=CriticSpec(NetSpec(critic_hidden or hidden), 2), backup=SampledBackup(entropy=False),
        improvement=PolicyAdvantage(temperature, form, baseline=baseline),
        actor_optimiser=Optimiser(lr, weight_decay), critic_optimiser=Optimiser(lr), batch=batch,
        **more,
    )  # fmt: skip


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """AWAC, offline and online."""
    numbers = {"pretrain": 50_000, "steps": 500_000, "every": 1_000, "retain": True}
    numbers = {**numbers, **PRESETS[preset], **changes}
    pretrain, steps, every = (numbers.pop(k) for k in ("pretrain", "steps", "every"))
    retain, update = numbers.pop("retain"), learner(**numbers)
    kept, warmup = Preload("all" if retain else "none"), 0 if retain else max(0, 1_000 - every)
    return Recipe(
        name="awac",
        pretrain=(Stage(update, pretrain),),
        replay=Replay(preload=kept, warmup=WarmUp(warmup)),
        finetune=Finetune(update, Rhythm(every, every), steps),
    )
