"""Learning that leaves the finite numbers stops, and no environment is shown an action of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import QUIET, Diary, finish, host_loop, tiny, trainer

from warmstart.engine import Problem, Trainer
from warmstart.engine.diverged import first_bad
from warmstart.engine.episodes import require_finite
from warmstart.envs.jax_host import JaxHostEnv
from warmstart.errors import DivergedError, TaskError
from warmstart.recipe import Recipe
from warmstart.tasks.point_mass import PointMass
from warmstart.tasks.reward import RewardTransform
from warmstart.types import EnvStep


class Spy(Diary):
    """Writes down every action that it receives."""

    actions: ClassVar[list[np.ndarray]] = []

    def step(self, action: np.ndarray) -> EnvStep:
        Spy.actions.append(np.array(action))
        return super().step(action)


class Far(Spy):
    """Its numbers are finite, and more than a network can take, from the third step on."""

    def _obs(self) -> np.ndarray:
        return np.full(3, 9e17, np.float32) if self.t > 2 else super()._obs()


@pytest.fixture(autouse=True)
def watched() -> Iterator[None]:
    yield
    assert all(np.isfinite(action).all() for action in Spy.actions)


def _trainer(recipe: Recipe, seeds: tuple[int, ...] = (0, 4), world: type[Diary] = Spy) -> Trainer:
    run = trainer(recipe, seeds, world=world)
    Spy.actions = []  # those of the dataset were made with it too
    return run


def _poisoned(
    carry: Any, where: str, seed: int, change: Callable[[Any], Any] = lambda leaf: leaf * jnp.nan
) -> Any:
    """The carry with an actor that is no number, or else changed, for the seed at a position."""

    def spoil(carry: Any) -> Any:
        nets = getattr(carry.state, where)
        nets = {**nets, "actor": jax.tree.map(change, nets["actor"])}
        return carry._replace(state=carry.state.replace(**{where: nets}))

    items = [spoil(item) if i == seed else item for i, item in enumerate(carry.items)]
    return type(carry).of(items, False)


def test_a_loss_stops_pre_training_before_any_step() -> None:
    recipe = tiny("iql", pretrain_steps=20, steps=8)
    run = _trainer(recipe.with_("learner.critic_optimiser.lr", 1e30))
    with pytest.raises(DivergedError, match=r"seed 0: \w+_loss .* update 1 of pre-training on"):
        finish(run)
    assert Spy.actions == []
    with pytest.raises(DivergedError):  # nor may what it has learnt be saved
        run.snapshot()


FIRST = "online update 2 (environment step 6)"
"""Four random steps, and an update after each step from the fifth on: the second sees the first."""


def test_a_loss_stops_the_online_phase_before_the_next_step() -> None:
    run = _trainer(tiny("sac", steps=30).with_("learner.actor_optimiser.lr", 1e30), (0,))
    with pytest.raises(DivergedError, match=r"seed 0: actor_loss ") as told:
        finish(run)
    assert told.value.number == "actor_loss"
    at = run.position
    assert FIRST in str(told.value) and (at.done, at.env_steps) == ([2], 6)
    assert len(Spy.actions) == at.env_steps  # and the row of the last of them is there
    assert run.rows(0, at.env_steps).shape[1] == at.env_steps


def test_a_frozen_policy_that_is_no_number_does_not_warm_up() -> None:
    run = _trainer(tiny("wsrl", pretrain_steps=2, steps=12))
    for event in run.run():
        if event.phase == "online" and event.kind == "phase":
            run.carry = _poisoned(run.carry, "pretrained", 1)
            break
    with pytest.raises(DivergedError, match=r"seed 4: a weight of the frozen actor is not a"):
        finish(run)
    assert Spy.actions == []


def test_an_evaluation_shows_no_environment_what_is_no_number() -> None:
    run = _trainer(tiny("sac", steps=12))
    run.carry = _poisoned(run.carry, "nets", 1)
    learner = run.recipe.finetune.learner
    with pytest.raises(DivergedError, match=r"seed 4: .*action .* at step 0 of evaluation episode"):
        run.evaluator.play(run.position, learner, run.state, 3, 0)
    assert Spy.actions == []
    with pytest.raises(DivergedError, match="seed 4: a weight of the actor"):
        finish(run)


def test_an_action_on_numbers_that_are_too_great_is_the_policys() -> None:
    """The environment's numbers were finite: it is not blamed, and hears of nothing."""
    recipe = tiny("sac", steps=12, random=12).with_("replay.warmup.by", "online")
    run = _trainer(recipe, (0,), Far)
    run.carry = _poisoned(run.carry, "nets", 0, lambda leaf: leaf * 1e12)
    with pytest.raises(DivergedError, match=r"number \d is \S+e\+17") as told:
        finish(run)
    assert told.value.number == "action"
    assert len(Spy.actions) == 3


def test_what_a_model_measures_may_be_infinite_and_is_always_a_number() -> None:
    """No step of these data reaches a goal, and no look was taken yet: neither is a fault."""
    run = _trainer(tiny("mopo"), (0,))
    carry = run.carry.items[0]
    model = carry.state.nets["model"]
    assert np.isinf(model.goal) and np.isinf(carry.state.targets["model"].error).all()
    run.snapshot()
    for field, value in (("goal", jnp.nan), ("error", jnp.nan), ("high", jnp.inf)):
        wrong = eqx.tree_at(
            lambda net, name=field: getattr(net, name), model, replace_fn=lambda x, v=value: x * v
        )
        state = carry.state.replace(nets={**carry.state.nets, "model": wrong})
        run.carry = type(run.carry).of([carry._replace(state=state)], False)
        with pytest.raises(DivergedError, match="seed 0: a weight of the model is not a finite"):
            run.snapshot()


def test_the_first_bad_update_is_remembered() -> None:
    losses = {"critic": {"critic_loss": jnp.float32(1.0), "q_mean": jnp.float32(jnp.nan)}}
    assert first_bad(jnp.int32(0), losses, jnp.int32(3)) == 0
    losses["critic"]["critic_loss"] = jnp.float32(jnp.inf)
    assert first_bad(jnp.int32(0), losses, jnp.int32(4)) == 4
    assert first_bad(jnp.int32(4), losses, jnp.int32(5)) == 4


class Torn(PointMass):
    """Its third step is no number, or one whose square is none in float32."""

    bad: float = jnp.nan

    def step(self, state: Any, action: Any) -> Any:
        state, obs, reward, *rest = super().step(state, action)
        return (state, obs, jnp.where(state.t == 3, self.bad, reward), *rest)


class TooLarge(Torn):
    bad = -1e20


class BadStart(PointMass):
    """Its reset shows what is too large."""

    def reset(self, key: Any) -> Any:
        state, obs = super().reset(key)
        return state, obs.at[1].set(1e20)


class FarAway(PointMass):
    """What its third step shows is too large."""

    def step(self, state: Any, action: Any) -> Any:
        state, obs, *rest = super().step(state, action)
        return (state, obs.at[1].set(jnp.where(state.t == 3, 1e30, obs[1])), *rest)


def _inside(env: PointMass, lr: float = 3e-4) -> Trainer:
    recipe = tiny("sac", steps=30).with_("learner.actor_optimiser.lr", lr)
    there = Problem(
        env.spec, lambda: JaxHostEnv(env), RewardTransform(), "finite", -1.0, jax_env=env,
        env_name="environment Torn",
    )  # fmt: skip
    run = Trainer(recipe, there, (0, 1), QUIET)
    run.evaluator.look = lambda *args, **kwargs: []
    return run


def test_a_simulator_inside_the_program_stops_at_the_same_step() -> None:
    run = _inside(PointMass(horizon=5), 1e30)
    with pytest.raises(DivergedError, match="seed 0: actor_loss") as told:
        finish(run)
    assert FIRST in str(told.value) and run.position.env_steps == 6
    run.carry = _poisoned(run.carry, "nets", 1)
    with pytest.raises(DivergedError, match=r"seed 0: the policy's action .* evaluation episode 0"):
        run.evaluator.play(run.position, run.recipe.finetune.learner, run.state, 2, 0)


@pytest.mark.parametrize("kind", [Torn, TooLarge, FarAway])
def test_a_simulator_inside_the_program_that_answers_no_number_is_named(
    kind: type[PointMass],
) -> None:
    run = _inside(kind(horizon=5))
    with pytest.raises(TaskError, match=r"environment Torn of seed 0 .* at step 2 of evaluation"):
        run.evaluator.play(run.position, run.recipe.finetune.learner, run.state, 2, 0)
    with pytest.raises(TaskError, match=r"environment Torn of seed 0 .*environment step 2"):
        finish(run)


class Mute(Spy):
    """Its observation is no number."""

    bad = np.nan

    def _obs(self) -> np.ndarray:
        return super()._obs() + np.float32(self.bad if self.t > 1 else 0.0)


class Loud(Mute):
    """A policy without LayerNorm would act on it as if nothing were wrong."""

    bad = 1e30


def test_a_simulator_inside_the_program_that_begins_so_is_named_and_no_policy() -> None:
    run = _inside(BadStart(horizon=5))
    at = r"environment Torn of seed 0 .*at the reset of evaluation episode 0 .*number 1 is 1e.20"
    with pytest.raises(TaskError, match=at):
        run.evaluator.play(run.position, run.recipe.finetune.learner, run.state, 2, 0)
    with pytest.raises(TaskError, match="at the reset before environment step 0") as told:
        finish(run)
    assert "action" not in str(told.value)


def test_the_size_of_a_reward_is_that_of_what_is_learnt() -> None:
    """A scale brings a great one down, and a small one up."""
    name, at, obs = "environment X", ("episode", 0), np.zeros(3)
    require_finite(name, 3, at, obs, 1e20, 1, 1.0)
    with pytest.raises(TaskError, match=r"paid 1 at step 1 .* 1e.20 as it is learnt.*reward-scale"):
        require_finite(name, 3, at, obs, 1.0, 1, 1e20)


@pytest.mark.parametrize(("kind", "said"), [(Mute, "nan"), (Loud, "1e.30")])
def test_an_environment_on_the_host_that_answers_no_number_is_named(
    kind: type[Spy], said: str
) -> None:
    loop = host_loop(kind, (3,))
    loop.step(np.zeros((1, 2), np.float32))
    says = f"environment X of seed 3 .* at step 1 of episode 0 .observation number 0 is {said}"
    with pytest.raises(TaskError, match=says):
        loop.step(np.zeros((1, 2), np.float32))
