"""A simulator inside the program, the same one on the host, and the seed axis as a batch."""

from __future__ import annotations

import copy
from typing import Any

import jax
import numpy as np
import pytest
from tiny import QUIET, Diary, finish, learnt, same_bits, tiny, trainer

from warmstart.engine import Problem, Trainer, stepper
from warmstart.envs.jax_host import JaxHostEnv
from warmstart.learners import ByDisagreement, Pace, Ramp
from warmstart.recipe import Recipe, Rhythm
from warmstart.replay import Layout
from warmstart.tasks.point_mass import PointMass
from warmstart.tasks.reward import RewardTransform


def _trainer(recipe: Recipe, inside: bool, seeds: tuple[int, ...] = (1, 2), **more: Any) -> Trainer:
    env = PointMass(horizon=5)
    rows = np.random.default_rng(0).normal(size=(9, Layout.of(env.spec).width))
    problem = Problem(
        env.spec, lambda: JaxHostEnv(env), RewardTransform(), "finite", -1.0,
        rows=rows.astype(np.float32) if recipe.needs_dataset else None,
        jax_env=env if inside else None,
    )  # fmt: skip
    run = Trainer(recipe, problem, seeds, QUIET, **more)
    run.evaluator.look = lambda *args, **kwargs: []
    return run


def _near(a: Any, b: Any) -> None:
    """Arrays differ by less than 0.2 % of their length, as vectors.

    Two programs of one formula may add in another order on another processor, and Adam's step
    does not shrink with its gradient: a single number whose gradient is 0 but for rounding may go
    either way by a whole learning rate, at every update. Of the whole array that is little; an
    update too many or too few moves the moments by a tenth.
    """
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        x, y = np.asarray(x, np.float64).ravel(), np.asarray(y, np.float64).ravel()
        known = np.isfinite(y)
        np.testing.assert_array_equal(x[~known], y[~known])
        apart = np.linalg.norm(x[known] - y[known])
        assert apart <= 2e-3 * np.linalg.norm(y[known]) + 1e-4 * np.sqrt(y.size)


@pytest.mark.parametrize("method", ["cal_ql", pytest.param("sac", marks=pytest.mark.laws)])
def test_inside_and_on_the_host_are_one_program(method: str) -> None:
    recipe = tiny(method).with_("finetune.steps", 13)
    runs = [_trainer(recipe, inside) for inside in (True, False)]
    episodes = []
    for run in runs:
        events = finish(run)
        episodes.append(
            [(e.env_steps, e.seed, e.values["length"]) for e in events if e.kind == "episode"]
        )
    _near(*(learnt(run) for run in runs))
    assert episodes[0] == episodes[1] and len(episodes[0]) == 4


PACES = [(0, Ramp(0.0, 0.9)), (3, Ramp(0.0, 0.9)), (0, ByDisagreement(0.05, 0.3))]


@pytest.mark.parametrize(
    ("every", "pace"),
    [(3, ByDisagreement(0.05, 0.3)), *(pytest.param(*p, marks=pytest.mark.laws) for p in PACES)],
)
def test_a_pace_leaves_the_same_updates_away_in_both_places(
    every: int, pace: Pace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In blocks of steps and of whole episodes; each seed takes what its own critics bear, drawn
    once a block also where a block is more than one call may be long."""
    monkeypatch.setattr(stepper, "LARGEST_CALL", 3)
    recipe = tiny("sac", random=2, steps=13).with_("finetune.rhythm", Rhythm(every, 4, pace=pace))
    runs = [_trainer(recipe, inside) for inside in (True, False)]
    for run in runs:
        finish(run)
    inside, host = (run.position.done for run in runs)
    due = 4 * (4 if every else 10)
    assert inside == host and all(0 < done < due for done in host)
    _near(*(learnt(run) for run in runs))


def test_chunks_and_other_seeds_change_nothing_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny("cal_ql", steps=13, pretrain_steps=2)
    together = _trainer(recipe, True)
    finish(together)
    monkeypatch.setattr("warmstart.engine.jax_runner.LARGEST_CHUNK", 3)
    alone = _trainer(recipe, True, (2,), pause=lambda: True)
    finish(alone)
    same_bits(jax.tree.map(lambda x: x[1:], learnt(together)), learnt(alone))


@pytest.mark.laws
@pytest.mark.parametrize("method", ["cal_ql"])
def test_the_seed_axis_as_a_batch_is_the_same_to_rounding(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny(method, steps=9, pretrain_steps=2)
    apart = trainer(recipe, (1, 2))
    finish(apart)
    monkeypatch.setattr("warmstart.engine.seeds.jax.default_backend", lambda: "tpu")
    batched = trainer(recipe, (1, 2))
    assert batched.seeds.batched
    finish(batched)
    _near(learnt(apart), learnt(batched))


class Long(Diary):
    """Episodes whose lengths differ much from seed to seed."""

    def reset(self, seed: int) -> np.ndarray:
        super().reset(seed)
        self.length = 3 + 3 * (seed % 3)
        return self._obs()


def test_a_seed_that_waits_for_its_first_episode_keeps_no_other_waiting() -> None:
    """Finished episodes only, in a rhythm of steps: each seed begins when it can."""
    recipe = tiny("sac", steps=14, random=1).with_("finetune.learner.finished_only", True)
    together, alone = trainer(recipe, (0, 1, 2), world=Long), trainer(recipe, (1,), world=Long)
    finish(together), finish(alone)
    same_bits(jax.tree.map(lambda x: x[1:2], learnt(together)), learnt(alone))


@pytest.mark.parametrize("at", [pytest.param(("online", 0), marks=pytest.mark.laws), ("online", 8)])
def test_a_run_inside_the_program_resumes(at: tuple[str, int]) -> None:
    recipe = tiny("wsrl", pretrain_steps=2).with_("finetune.steps", 12)
    run, left = _trainer(recipe, True, pause=lambda: True), None
    monkey = pytest.MonkeyPatch()
    monkey.setattr("warmstart.engine.jax_runner.LARGEST_CHUNK", 4)
    for event in run.run():
        here = (run.position.phase, run.position.counter)
        if event.kind == "safe" and here == at and left is None:
            left = (*copy.deepcopy(run.snapshot()), run.rows(0, run.collected))
    assert left is not None
    again = _trainer(recipe, True)
    model = again.model(left[1])
    same = jax.tree.map(lambda a, b: a.shape == b.shape and a.dtype == b.dtype, left[0], model)
    assert all(jax.tree.leaves(same))
    again.restore(*left)
    finish(again)
    monkey.undo()
    same_bits(learnt(again), learnt(run))
