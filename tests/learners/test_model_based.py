"""A model of the world in a run: what it claims, when it is fitted, and what it leaves alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import QUIET, finish, logged, rows_of, same_bits, tiny, trainer

from warmstart.engine.phases import Block, Learning
from warmstart.equations.dynamics import faded_share
from warmstart.errors import RecipeError
from warmstart.learners import DynamicsFit, ModelBased
from warmstart.learners.dynamics_fit import model_measures
from warmstart.methods.compose import compose
from warmstart.nets.dynamics import DynamicsSpec
from warmstart.nets.spec import NetSpec
from warmstart.parts import ModelFit
from warmstart.parts.model_fit import MODEL
from warmstart.recipe import Recipe, Replay
from warmstart.replay import FromDataset, Imagined, Layout, Resampled, Stores, empty_ring
from warmstart.state import Optimiser, State
from warmstart.types import Clock, Spec, Transition

SPEC = Spec(4, 2)
LAYOUT = Layout.of(SPEC)
KEY = jax.random.PRNGKey(0)


def _point_mass(n: int, reach: float, seed: int = 0) -> np.ndarray:
    """Rows [n, W] of the point mass from places and speeds within `reach`."""
    rng = np.random.default_rng(seed)
    position, speed = rng.uniform(-reach, reach, (2, n, 2))
    action = rng.uniform(-1, 1, (n, 2))
    after = speed + 0.1 * (2.0 * action - 0.5 * speed)
    moved = position + 0.1 * after
    obs, next_obs = np.hstack([position, speed]), np.hstack([moved, after])
    one = np.ones(n)
    reward = -np.linalg.norm(moved, axis=-1)
    return np.asarray(
        LAYOUT.pack(Transition(obs, action, reward, one, next_obs, 0 * one, 0 * one, one, 0 * one))
    )


def _fit(learner: DynamicsFit, rows: np.ndarray, *updates: int) -> list[tuple[State, Any]]:
    """The state after each number of updates, and the metric sums."""
    block, stores = Block(learner, Resampled(), LAYOUT), Stores(jnp.asarray(rows), _ring())

    @jax.jit
    def run(key: Any, n: Any) -> Learning:
        state = learner.study(learner.init(key, SPEC), LAYOUT.unpack(stores.dataset))
        memory = block.source.init(key, stores, LAYOUT)
        clock = Clock(jnp.int32(0), jnp.int32(0), n)
        learning = Learning(state, memory, block.zeros(state), jnp.int32(0))
        return block.learn(key, clock, learning, stores, n)

    done = [run(KEY, jnp.int32(n)) for n in updates]
    return [(learning.state, learning.sums) for learning in done]


def _ring() -> Any:
    return empty_ring(1, LAYOUT.width)


SMALL = DynamicsFit(
    DynamicsSpec(NetSpec((32, 32), "swish"), members=3, elites=2),
    ModelFit(batch=64, look_every=200),
    held=200,
)


def _noisy(n: int, low: float, high: float, seed: int) -> np.ndarray:
    """Rows of a world whose noise grows with the distance, at distances low to high."""
    rng = np.random.default_rng(seed)
    obs, action = rng.uniform(-1, 1, (n, 4)), rng.uniform(-1, 1, (n, 2))
    obs[:, 0] = rng.choice([-1, 1], n) * rng.uniform(low, high, n)
    change = 0.1 * action.repeat(2, axis=1)
    change[:, 0] += 0.1 * np.abs(obs[:, 0]) * rng.normal(size=n)
    one = np.ones(n)
    fields = (obs, action, -np.abs(obs[:, 0]), one, obs + change, 0 * one, 0 * one, one, 0 * one)
    return np.asarray(LAYOUT.pack(Transition(*fields)))


@pytest.mark.laws
def test_the_penalty_is_larger_off_the_data_and_the_likelihood_beats_a_constant() -> None:
    learner = dataclasses.replace(
        SMALL,
        model=dataclasses.replace(SMALL.model, members=7, elites=5),
        fit=dataclasses.replace(SMALL.fit, optimiser=Optimiser(3e-3)),
    )
    (state, _), (few, sums) = _fit(learner, _noisy(3_000, 0.0, 1.0, 0), 2_500, 7)
    near, far = (LAYOUT.unpack(jnp.asarray(_noisy(500, low, low + 1.0, 1))) for low in (0.0, 2.0))
    here, there = (learner.measure(KEY, state, batch) for batch in (near, far))
    assert there["model_penalty"] > 2.0 * here["model_penalty"]
    assert there["model_error"] > 5.0 * here["model_error"]
    change = np.asarray(near.next_obs - near.obs)
    spread = np.hstack([np.asarray(near.reward)[:, None], change]).var(0)
    constant = -0.5 * (np.log(2 * np.pi * spread) + 1).sum()
    assert here["model_likelihood"] > constant + 5.0
    # However few the updates are, the last of them is looked at, and what it found is kept.
    assert float(sums["look"]["updates"]) == 1.0
    same_bits(learner.handed(few).nets[MODEL].trunk, few.nets[MODEL].trunk)


def test_a_converged_fit_stands_still() -> None:
    """Nobody improves by 99 %: behind the third look of patience 1 nothing changes any more."""
    fit = dataclasses.replace(SMALL.fit, look_every=10, patience=1, tolerance=0.99, batch=8)
    learner = dataclasses.replace(SMALL, fit=fit, held=20)
    (early, sums), (late, more) = _fit(learner, _point_mass(300, 1.0), 40, 70)
    assert bool(early.signals["converged"])
    same_bits(early, late)
    taken = [float(s["fit"]["updates"]) for s in (sums, more)]
    assert taken[0] == taken[1] and 30 <= taken[0] <= 40
    assert float(more["end"]["converged"]) >= 30.0


def _models(recipe: Recipe) -> dict[tuple[str, int, int], Any]:
    """The model at every safe moment of a run."""
    run, seen = trainer(recipe, (0,), pause=lambda: True), {}
    for event in run.run():
        at = run.position
        if event.kind == "safe":
            net = run.state.get(lambda s: s.nets[MODEL]).host()
            seen[at.phase, at.stage, at.env_steps or at.updates] = net
    return seen


def _equal(a: Any, b: Any) -> bool:
    return all(
        np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


@pytest.mark.laws
def test_the_model_is_fitted_in_its_stage_and_rests_behind_it() -> None:
    seen = _models(tiny("mopo", steps=8))
    first = seen["pretrain", 1, 0]
    fitting = [net for at, net in seen.items() if at[:2] == ("pretrain", 0)]
    assert len(fitting) > 1 and not _equal(fitting[-2], fitting[-1])
    assert np.isfinite(first.error).all() and (first.error > 0.0).all()
    assert np.abs(first.centre).max() > 0.0
    for at, net in seen.items():
        assert at[:2] == ("pretrain", 0) or _equal(net, first), at


@pytest.mark.laws
def test_the_model_is_fitted_again_by_the_clock_alone() -> None:
    seen = {k[2]: net for k, net in _models(tiny("moore", steps=20)).items() if k[0] == "online"}
    for step in range(1, 19):
        assert _equal(seen[step], seen[step + 1]) == ((step + 1) % 6 != 0), step


@pytest.mark.laws
def test_a_refit_makes_the_model_better_where_the_run_is() -> None:
    """Online rows from places that the dataset does not hold."""
    learner = tiny("moore").finetune.learner
    assert isinstance(learner, ModelBased) and learner.refit is not None
    fit = dataclasses.replace(SMALL.fit, batch=64, look_every=50)
    refit = dataclasses.replace(learner.refit, fit=fit, most=300, held=50, every=100)
    learner = dataclasses.replace(learner, model=SMALL.model, refit=refit)
    rows, far = _point_mass(1_000, 1.0), _point_mass(1_000, 4.0, 2)
    model = SMALL.handed(_fit(SMALL, rows, 600)[0][0]).nets[MODEL]
    state = learner.init(KEY, SPEC)
    state = state.replace(nets={**state.nets, MODEL: model})
    ring = empty_ring(1_000, LAYOUT.width)._replace(rows=jnp.asarray(far), added=jnp.int32(1_000))
    stores = Stores(jnp.asarray(rows), ring)
    prepare = jax.jit(lambda state, clock: learner.prepare(KEY, clock, state, stores, LAYOUT))
    still = prepare(state, Clock(jnp.int32(0), jnp.int32(99), jnp.int32(1)))
    same_bits(still, state)
    after = prepare(state, Clock(jnp.int32(0), jnp.int32(1_000), jnp.int32(1)))
    test = LAYOUT.unpack(jnp.asarray(_point_mass(300, 4.0, 3)))
    before, now = (model_measures(s.nets[MODEL], test)["model_error"] for s in (state, after))
    assert now < 0.3 * before
    same_bits(
        {k: v for k, v in after.nets.items() if k != MODEL},
        {k: v for k, v in state.nets.items() if k != MODEL},
    )
    assert int(after.signals["refits"]) == 10 and jax.tree.structure(after) == jax.tree.structure(
        state
    )


@pytest.mark.laws
def test_moores_offline_share_falls_as_its_formula_says() -> None:
    recipe = tiny("moore", batch=64, starts=2_000, rollout_length=1, keep=1, steps=30)
    run = trainer(recipe, (0,), dataclasses.replace(QUIET, log_every=6))
    shares = {
        event.env_steps: 1 - event.values["online_share"]
        for event in finish(run)
        if event.kind == "train" and event.phase == "online"
    }
    n = len(rows_of(logged()))

    def share(round_: int) -> float:
        online = jnp.float32(max(6 * round_, 1))
        return float(faded_share(jnp.float32(n), online, 1.0, jnp.int32(round_ + 1)))

    for k in range(5):
        want = (5 * share(k) + share(k + 1)) / 6  # the block's last update begins a round
        assert shares[6 * (k + 1)] == pytest.approx(want, abs=0.06), k
    assert shares[6] > 0.85 and shares[30] < 0.35


def test_what_lacks_a_model_is_refused() -> None:
    mopo, sac = tiny("mopo"), tiny("sac")
    with pytest.raises(RecipeError, match="Imagined needs a model of the world"):
        dataclasses.replace(sac, replay=Replay(Imagined()))
    fit, dream = mopo.pretrain
    with pytest.raises(RecipeError, match="set the stage's source to Resampled"):
        dataclasses.replace(mopo, pretrain=(dataclasses.replace(fit, source=FromDataset()), dream))
    with pytest.raises(RecipeError, match="behind DynamicsFit comes a stage"):
        dataclasses.replace(mopo, pretrain=(fit,))
    with pytest.raises(RecipeError, match="a model that a stage before has fitted"):
        compose(tiny("moore"), {"pretrain": "sac"}, "quick")
    with pytest.raises(RecipeError, match="imagined rows have no returns-to-go"):
        tiny("moore").with_("finetune.learner.learner.finished_only", "true")
