"""Runs with images: whether they fit, and whether everything looks at them, before they begin."""

from __future__ import annotations

from warmstart.engine import Problem
from warmstart.engine.carry import require_images_read
from warmstart.errors import RunError
from warmstart.files.machine import free_memory
from warmstart.nets.pixels import EncoderSpec
from warmstart.recipe import Recipe
from warmstart.replay import Layout, frames_for
from warmstart.types import Spec


def ring_bytes(recipe: Recipe, spec: Spec) -> int:
    """Bytes of one seed's ring of its own rows, with their images."""
    rows = max(1, min(recipe.replay.capacity, recipe.finetune.steps))
    images = frames_for(rows) * spec.pixels if spec.cameras else 0
    return rows * Layout.of(spec).width * 4 + images


def require_memory(recipe: Recipe, spec: Spec, seeds: int) -> None:
    """Refuse (RunError) images of which the rings would not fit into memory."""
    need, free = ring_bytes(recipe, spec) * seeds, free_memory()
    if spec.cameras and need > free:
        raise RunError(
            f"{recipe.finetune.steps:,} online steps with {spec.pixels:,} bytes of images each "
            f"would take {need / 1e9:,.1f} GB of memory for {seeds} seed(s), {free / 1e9:,.1f} GB "
            "are free; give fewer --steps or --seeds, --set replay.capacity to keep the newest "
            "rows alone, or smaller images"
        )


def require_sight(recipe: Recipe, problem: Problem) -> None:
    """Refuse (RecipeError) what does not look at images, or images too small for the encoder."""
    require_images_read(recipe, problem)
    for learner in (*(stage.learner for stage in recipe.pretrain), recipe.finetune.learner):
        if isinstance(encoder := getattr(learner, "encoder", None), EncoderSpec):
            encoder.check(problem.spec.cameras)
