"""What a robot in another process acts by: the newest policy, and who takes the warm-up."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from warmstart.agent.live import Live
from warmstart.agent.storage import described, described_view
from warmstart.engine.online import frozen, untrained
from warmstart.errors import RecipeError, RunError
from warmstart.link.acting import weights_frame
from warmstart.policy.actor import NoNumpyForm, NumpyPolicy
from warmstart.policy.folder import Stored
from warmstart.recipe import Recipe
from warmstart.types import Evaluated


class Published(NamedTuple):
    """A policy, and the one of the warm-up where it is another."""

    policy: Stored
    warm: Stored | None

    def frame(self, version: int, whole: bool) -> bytes:
        """As a message; `whole`: with the warm-up's, which does not change."""
        return weights_frame(version, self.policy, self.warm if whole else None)


def publish(live: Live) -> Published:
    """What acting reads now, on the host.

    Raises RecipeError for a network that cannot be kept.
    """
    learner, state = live.shown()
    warmup, warm = live.declared.recipe.replay.warmup, None
    if live.trainer.position.env_steps < warmup.steps:
        view = learner.view(state)
        if warmup.by == "policy":
            warm = described_view(live, frozen(view))
        elif warmup.by == "untrained":
            alone = untrained(view)
            alone = dataclasses.replace(alone, state=alone.state.replace(pretrained={}))
            warm = described_view(live, alone)
    return Published(described(live, learner, state), warm)


def require_apart(recipe: Recipe) -> None:
    """Refuse (RunError) a method that cannot learn apart from who acts: one that is told of
    evaluations, which nobody makes of a robot elsewhere, or one that learns from the actions of
    its newest weights alone."""
    if getattr(recipe.finetune.learner, "on_policy", False):
        raise RunError(
            f"{recipe.name} learns from what its newest weights do, and a robot in another process "
            "acts by older ones; take an off-policy method, such as wsrl"
        )
    if Evaluated in recipe.subscribes:
        names = [type(one).__name__ for one in (recipe.acting, recipe.finetune.learner)]
        raise RunError(
            f"{recipe.name} changes with its evaluations ({', '.join(names)}), and nobody evaluates"
            " a robot that acts in another process; take a method that does not, such as wsrl"
        )


def require_numpy(live: Live) -> Published:
    """What a robot would act by, tried out.

    Raises RunError: the method's acting has no form in NumPy.
    """
    recipe = live.declared.recipe
    try:
        found = publish(live)
        for stored in (found.policy, found.warm):
            if stored is not None:
                NumpyPolicy(stored)
    except (RecipeError, NoNumpyForm) as error:
        why = error.why if isinstance(error, NoNumpyForm) else str(error).partition("; ")[0]
        raise RunError(
            f"an actor acts in NumPy, and {recipe.name} cannot: {why}; drive it with ws.Agent in "
            "one process"
        ) from error
    return found
