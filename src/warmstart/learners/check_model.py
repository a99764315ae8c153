"""Floor 3: what does not fit together where a model of the world is fitted or imagined by."""

from __future__ import annotations

from collections.abc import Sequence

from warmstart.errors import RecipeError
from warmstart.learners.dynamics_fit import DynamicsFit
from warmstart.learners.learner import Learner
from warmstart.learners.model_based import ModelBased
from warmstart.replay import Imagined, Resampled, Source


def check_model(phases: Sequence[tuple[Learner, Source]]) -> None:
    """Raise RecipeError where a phase lacks a model, or one that was fitted before it.

    `phases` are the stages in their order and, last, the fine-tuning.
    """
    before: Learner | None = None
    for learner, source in phases:
        if isinstance(source, Imagined) and not isinstance(learner, ModelBased):
            raise RecipeError(
                f"source Imagined needs a model of the world, and {type(learner).__name__} has "
                "none; take replay and finetune from the same method, such as moore"
            )
        if isinstance(source, Imagined) and not isinstance(before, DynamicsFit | ModelBased):
            raise RecipeError(
                "source Imagined needs a model that a stage before has fitted; take pretrain from "
                "a method that has one, such as pretrain=mopo"
            )
        if isinstance(learner, DynamicsFit) and not isinstance(source, Resampled):
            raise RecipeError(
                "DynamicsFit measures on rows that it never learns from, and "
                f"{type(source).__name__} holds none out; set the stage's source to Resampled"
            )
        before = learner
    if any(learner.policy_kind == "none" for learner, _ in phases[-2:]):
        raise RecipeError(
            "a model of the world cannot act: behind DynamicsFit comes a stage whose learner is "
            "ModelBased; take pretrain from a method that has one, such as pretrain=mopo"
        )
