"""When a run is evaluated and how often, if nobody says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from warmstart.api.given import by_name
from warmstart.engine import Schedule
from warmstart.errors import RunError
from warmstart.recipe import Recipe
from warmstart.tasks import Task


def usual_episodes(task: Task) -> int:
    """Episodes of an evaluation at a phase boundary if nobody says; a robot's time is dear."""
    return 10 if task.physical else 100


def schedule_for(recipe: Recipe, task: Task, given: Mapping[str, Any] | None) -> Schedule:
    """Evaluation times that fit the recipe's length and the task, overridden by `given`.

    Raises RunError for a number that cannot be.
    """
    wanted = by_name("schedule", given, '{"episodes": 20}', RunError)
    updates = sum(stage.updates for stage in recipe.pretrain)
    defaults = {
        "offline_every": max(1, min(50_000, round(updates / 4, -2) or updates // 4))
        if updates
        else 0,
        "online_every": 5_000,
        "log_every": 1_000 if max(updates, recipe.finetune.steps) >= 10_000 else 100,
        "fixed_episodes": usual_episodes(task),
    }
    looks = Schedule.of({**{k: int(v) for k, v in defaults.items()}, **wanted})
    if looks.fixed_episodes == 0 and not task.physical:
        raise RunError(
            "fixed_episodes=0 is for a robot alone (--physical, custom_task(physical=True)); "
            "give 1 or more"
        )
    longest = max((stage.updates for stage in recipe.pretrain), default=0)
    for name, end, unit in (
        ("online_every", recipe.finetune.steps, "online steps"),
        ("offline_every", longest, "updates of pre-training"),
    ):
        if name in wanted and end and getattr(looks, name) > end:
            raise RunError(
                f"{name}={getattr(looks, name)} lies beyond the end, after {end:,} {unit}: nothing "
                f"would be evaluated in between; give {end} or less, or 0 for never"
            )
    late, end = max(looks.early, default=0), recipe.finetune.steps
    if "early" in wanted and 0 < end < late:
        raise RunError(
            f"early={late} lies beyond the end, after {end:,} online steps: nothing would be "
            f"evaluated there; give numbers up to {end}, or more --steps"
        )
    return looks
