"""BC: behaviour cloning, the baseline of every table.

    L_pi = (pi(s) - a)^2   deterministic          L_pi = -log pi(a|s)   Gaussian

pretrain   the cloning loss on the dataset, or on its best episodes (`top`: BC-10 % is 0.1)
handover   everything is kept
replay     online rows only; nobody reads them
acting     the mode in evaluation; the Gaussian policy explores by a draw
finetune   nothing learns: online, its curve is the noise floor of the others

**Differences.** Episodes of the top share are ranked by the undiscounted sum of transformed
rewards. No learning-rate schedule. For a cloned policy that goes on to learn see `bc_sac`.
"""

from __future__ import annotations

from typing import Any, Literal

from warmstart.learners import ActorCritic
from warmstart.nets.flows import FlowPolicySpec
from warmstart.nets.spec import NetSpec, PolicySpec
from warmstart.parts import BehaviourCloning, NoImprovement
from warmstart.recipe import Finetune, Recipe, Rhythm, Stage
from warmstart.replay import FromDataset
from warmstart.state import Optimiser

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {"normalise": "dataset"},  # CORL: 256x2, MSE, 1M updates, scaled observations
    "gaussian": {"kind": "gaussian"},  # released WSRL code: -log pi, not squashed
    "top10": {"normalise": "dataset", "top": 0.1},  # CORL's BC-10 %
    "quick": {"hidden": (128, 128), "batch": 128, "pretrain": 5_000, "steps": 20_000},
}
CITE = ("Pomerleau 1989, ALVINN: An Autonomous Land Vehicle in a Neural Network, NeurIPS",)


def learner(
    hidden: tuple[int, ...] = (256, 256),
    kind: Literal["deterministic", "gaussian"] = "deterministic",
    lr: float = 3e-4,
    batch: int = 256,
    policy: PolicySpec | FlowPolicySpec | None = None,
    **more: Any,
) -> ActorCritic:
    """An actor that follows the data alone; `more` sets further fields."""
    net = NetSpec(hidden)
    policy = policy or PolicySpec(net, kind=kind, squash=False)
    return ActorCritic(
        policy=policy,
        critic=None,
        improvement=NoImprovement(),
        constraint=BehaviourCloning(kind="nll" if policy.has_density else "mse"),
        actor_optimiser=Optimiser(lr),
        batch=batch,
        **more,
    )


def recipe(preset: str = "paper", **changes: Any) -> Recipe:
    """Behaviour cloning, and the cloned policy online."""
    numbers = {"pretrain": 1_000_000, "steps": 250_000, "top": 1.0, **PRESETS[preset], **changes}
    pretrain, steps, top = (numbers.pop(k) for k in ("pretrain", "steps", "top"))
    update = learner(**numbers)
    return Recipe(
        name="bc",
        pretrain=(Stage(update, pretrain, FromDataset(top)),),
        finetune=Finetune(update, Rhythm(updates=0), steps),
    )
