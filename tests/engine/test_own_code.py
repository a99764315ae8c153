"""Parts of the user's own that cannot work: said before anything is learnt, with the place."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax.numpy as jnp
import pytest
from tiny import tiny, trainer

from warmstart.acting import Sampled
from warmstart.errors import RecipeError
from warmstart.parts import MaximiseQ, ReturnControlled, Weight
from warmstart.recipe import Recipe
from warmstart.types import Listener
from warmstart.values import register


@register
@dataclasses.dataclass(frozen=True)
class OnlyAt(Weight):
    """The least that a weight of one's own writes."""

    def at(self, state: Any, name: str, clock: Any) -> Any:
        return jnp.float32(0.4)


@register
@dataclasses.dataclass(frozen=True)
class NoStep(Listener):
    """It knows nothing of `Weight`."""

    def at(self, state: Any, name: str, clock: Any) -> Any:
        return jnp.float32(0.4)


@register
@dataclasses.dataclass(frozen=True)
class Misreads(OnlyAt):
    """It waits for a metric that nobody logs."""

    def signals(self) -> dict[str, Any]:
        return {"error": jnp.zeros(())}

    def read(self, signals: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
        return {"error": metrics["td_error"]} if "td_error" in metrics else signals


@register
@dataclasses.dataclass(frozen=True)
class Whole(Misreads):
    """It remembers another type than it began with."""

    def read(self, signals: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
        return {"error": jnp.int32(1)}


@register
@dataclasses.dataclass(frozen=True)
class Twice(OnlyAt):
    """It remembers under the name of a weight of the package."""

    def signals(self) -> dict[str, Any]:
        return {"return_controlled": jnp.zeros(())}


@register
@dataclasses.dataclass(frozen=True)
class Broken(MaximiseQ):
    """Its loss has a mistake."""

    def __call__(self, key: Any, view: Any, net: Any, batch: Any, alpha: Any) -> Any:
        return jnp.mean(batch.action @ batch.obs), {}


@register
@dataclasses.dataclass(frozen=True)
class ActsWrong(Sampled):
    """An acting rule with a mistake, which only evaluation would meet."""

    def __call__(
        self, key: Any, clock: Any, view: Any, memory: Any, step: Any, mode: Any
    ) -> tuple[Any, Any]:
        if mode == "evaluate":
            raise ValueError("no such thing")
        return super().__call__(key, clock, view, memory, step, mode)


def weighted(weight: Any) -> Recipe:
    return tiny("td3_bc").with_("finetune.learner.constraint.weight", weight)


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        (
            lambda: weighted(NoStep()),
            r"^an update of finetune cannot be compiled \(AttributeError: 'NoStep' object has no "
            r"attribute 'step' in actor_step.py, line \d+\)",
        ),
        (
            lambda: weighted(Misreads()),
            r"^Misreads.read\(\) changes nothing at any step, .* actor_loss, .* td_loss$",
        ),
        (
            lambda: weighted(Whole()),
            r"an update of finetune changes .* state.signals\['error'\] was .*float32.*int32",
        ),
        (
            lambda: weighted(Twice()).with_("finetune.learner.temperature", ReturnControlled()),
            "two parts of this learner remember something as 'return_controlled', one of them ",
        ),
        (
            lambda: tiny("td3_bc").with_("finetune.learner.improvement", Broken("first")),
            r"^an update of finetune cannot be compiled \(TypeError: .*test_own_code.py, line ",
        ),
        (
            lambda: tiny("td3_bc").with_("acting", ActsWrong()),
            r"^acting cannot be compiled \(ValueError: no such thing in test_own_code.py, line ",
        ),
    ],
)
def test_a_mistake_in_the_online_phase_is_said_before_the_pre_training(
    recipe: Any, says: str
) -> None:
    made = recipe()
    with pytest.raises(RecipeError, match=says):
        trainer(made)


def test_a_weight_of_ones_own_writes_at_alone() -> None:
    trainer(weighted(OnlyAt())).close()
    with pytest.raises(TypeError, match="abstract"):

        class NoAt(Weight):
            pass

        NoAt()  # pyright: ignore
