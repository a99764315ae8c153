"""A learner that is no actor-critic lives in the same house."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from tiny import QUIET, finish, tiny, trainer

from warmstart.errors import RecipeError
from warmstart.learners import BaseLearner, Learner
from warmstart.methods.compose import compose
from warmstart.nets.policies import DeterministicPolicy
from warmstart.nets.spec import PolicySpec
from warmstart.recipe import Finetune, Recipe, Rhythm, Stage
from warmstart.state import Normalise, Optimiser, State, descend, key_for
from warmstart.values import register


@register
@dataclass(frozen=True)
class Imitator(BaseLearner):
    """Clones actions: one network, no critic, no weight."""

    batch: int = 4
    policy: PolicySpec = PolicySpec(kind="deterministic")
    normalise: Normalise = "dataset"
    discount: float = 0.9

    def init(self, key: Any, spec: Any) -> State:
        actor: Any = self.policy.build(key_for(key, "actor"), spec.obs_dim, spec.action_dim)
        opts = {"actor": Optimiser().build().init(actor)}
        mean, ones = jnp.zeros(spec.obs_dim), jnp.ones(spec.obs_dim)
        stats = {"mean": mean, "var": ones, "count": jnp.zeros(())}
        return State({"actor": actor}, {}, opts, {}, stats, {})

    def update(self, key: Any, clock: Any, state: State, batch: Any) -> Any:
        view = self.view(state)

        def loss(net: Any) -> Any:
            error = jnp.mean((view.policy(batch.obs, net).mode() - batch.action) ** 2)
            return error, {"error": error}

        state, info = descend("actor", state, loss, Optimiser())
        return state, {"policy": {**info, "updates": jnp.ones(())}}

    def measure(self, key: Any, state: State, batch: Any) -> dict[str, Any]:
        return {"error": jnp.mean((self.view(state).policy(batch.obs).mode() - batch.action) ** 2)}


def _recipe() -> Recipe:
    learner: Learner = Imitator()
    return Recipe("own", (Stage(learner, 6),), finetune=Finetune(learner, Rhythm(), 12))


def test_it_runs_from_end_to_end_and_is_measured_by_what_it_can_say() -> None:
    run = trainer(_recipe(), (0,), dataclasses.replace(QUIET, log_every=6))
    events = finish(run)
    trained = [event for event in events if event.kind == "train"]
    assert {event.phase for event in trained} == {"pretrain", "online"}
    assert all(np.isfinite(event.values["error"]) for event in trained)
    measured = [event.values for event in events if event.kind == "diagnose"]
    said = {"error_offline", "error_online", "reward_min", "reward_max"}  # the rewards are seen
    assert measured and all(set(m) == said for m in measured)
    stats = run.state.get(lambda s: s.stats).host()
    assert stats["count"][0] > 6  # it has studied the dataset
    assert isinstance(run.state.items[0].nets["actor"], DeterministicPolicy)


def test_it_is_a_value() -> None:
    assert Recipe.from_json(_recipe().to_json()) == _recipe()


def test_its_networks_do_not_cross_to_an_actor_critic() -> None:
    with pytest.raises(RecipeError, match="networks cannot cross from ActorCritic to Imitator"):
        compose(_recipe(), {"pretrain": "iql"})
    assert compose(_recipe(), {"handover": "iql"}).handover == tiny("iql").handover
