"""A run that is left and continued equals the unbroken one, to the last bit."""

from __future__ import annotations

import copy
from typing import Any

import jax
import numpy as np
import pytest
from tiny import QUIET, SPEC, Diary, Fixed, finish, learnt, same_bits, tiny, trainer

from warmstart.api.extend import anneals
from warmstart.engine import Trainer
from warmstart.engine.carry import remembers_places
from warmstart.recipe import Recipe
from warmstart.replay import Layout

Left = tuple[Any, dict[str, Any], np.ndarray | None]


def _leave(run: Trainer) -> Left:
    """What a checkpoint and the segments hold; of a full ring the newest rows alone."""
    (tree, meta), n = run.snapshot(), run.collected
    rows = run.rows(max(0, n - run.recipe.replay.capacity), n) if n else None
    return tree, copy.deepcopy(meta), rows


def _examine(recipe: Recipe, world: type[Diary], at: set[tuple[str, int]]) -> None:
    """Leave at the given (phase, counter), continue each, and compare with the unbroken run."""
    left: dict[tuple[str, int], Left] = {}
    run = trainer(recipe, (1, 4), QUIET, world, pause=lambda: True)
    for event in run.run():
        here = (run.position.phase, run.position.counter)
        if event.kind == "safe" and here in at:
            left[here] = _leave(run)
    assert set(left) == at
    unbroken = learnt(run)
    for tree, meta, rows in left.values():
        again = trainer(recipe, (1, 4), QUIET, world, pause=lambda: True)
        assert again.restore(tree, meta, rows) == []
        finish(again)
        same_bits(learnt(again), unbroken)


@pytest.mark.laws
def test_in_the_middle_of_a_chunk() -> None:
    """In both phases; the queue of actions is in the memory, and a warm-up begins no chunk."""
    at = {("pretrain", 2), ("online", 0), ("online", 4), ("online", 5), ("online", 9)}
    _examine(tiny("qc_fql", pretrain_steps=4, steps=12, warmup=2), Fixed, at)


def test_in_the_middle_of_a_chunk_and_of_a_ring_s_second_round() -> None:
    """The dataset's newest rows stand in it first, and online ones take their places."""
    recipe = tiny("qc_fql", pretrain_steps=2, steps=14, warmup=2).with_("replay.capacity", 9)
    _examine(recipe, Diary, {("online", 4), ("online", 11)})


def test_step_rhythm() -> None:
    at = {("pretrain", 1), ("switch", 12), ("online", 0), ("online", 3), ("online", 17)}
    _examine(tiny("wsrl", steps=20), Diary, at)


def test_episode_rhythm_and_open_episodes() -> None:
    at = {("pretrain", 1), ("online", 2), ("online", 12), ("done", 16)}
    _examine(tiny("cal_ql", steps=16), Diary, at)


@pytest.mark.laws
def test_in_the_middle_of_a_context() -> None:
    at = {("pretrain", 1), ("online", 3), ("online", 9)}
    _examine(tiny("odt", pretrain_steps=3, steps=12), Fixed, at)


@pytest.mark.parametrize("end", [None, 0.0])
def test_a_run_declared_longer_is_one_that_was_so_from_the_start(end: float | None) -> None:
    """The ring grows; what is annealed was so over the steps of before, and stays as it ended."""
    first = tiny("rlpd", steps=9).with_("replay.source.end", end)
    assert anneals(first) == (end is not None)
    changes = {"finetune.steps": 17, **({"finetune.anneal_steps": 9} if anneals(first) else {})}
    longer = first
    for path, value in changes.items():
        longer = longer.with_(path, value)
    run, whole = trainer(first, (1, 4)), trainer(longer, (1, 4))
    finish(run)
    finish(whole)
    again = trainer(longer, (1, 4))
    again.restore(*_leave(run))
    finish(again)
    assert again.position.env_steps == 17
    same_bits(learnt(again), learnt(whole))


def test_only_what_has_a_place_for_each_row_holds_the_ring_at_its_size() -> None:
    layout = Layout.of(SPEC)
    assert remembers_places(tiny("off2on"), layout)
    assert not any(remembers_places(tiny(name), layout) for name in ("rlpd", "sac", "td3_bc_pr"))


def test_a_preloaded_dataset_and_statistics() -> None:
    _examine(tiny("td3_bc", pretrain_steps=4, steps=8), Fixed, {("online", 0), ("online", 5)})


def test_rows_whose_next_action_is_not_there_yet() -> None:
    """The newest row of a checkpoint is followed by the first one behind the resume."""
    recipe = tiny("rebrac", pretrain_steps=4, steps=10, mixed=False)
    assert recipe.finetune.learner.reads_next_action  # type: ignore[union-attr]
    _examine(recipe, Fixed, {("pretrain", 2), ("online", 3), ("online", 6), ("online", 7)})


@pytest.mark.laws
def test_in_the_middle_of_a_model_fit_and_between_two_refits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # One update a call, so that 9 and 3 are met: inside the fit, and inside the stage behind it.
    monkeypatch.setattr("warmstart.engine.trainer.CALL_SECONDS", 0.0)
    at = {("pretrain", 9), ("pretrain", 3), ("online", 4), ("online", 6), ("online", 11)}
    _examine(tiny("moore", fit=12, pretrain_steps=6, steps=14), Diary, at)


def test_no_pretraining() -> None:
    _examine(tiny("rlpd", steps=8), Diary, {("online", 2), ("online", 6)})


def test_a_ring_that_is_full() -> None:
    """Only the newest rows are read again, and each must stand where it stood."""
    recipe = tiny("sac", steps=18).with_("replay.capacity", 7)
    run = trainer(recipe, (1,), QUIET, pause=lambda: True)
    kept = None
    for event in run.run():
        if event.kind == "safe" and run.position.counter == 10:
            tree, meta = run.snapshot()
            kept = tree, copy.deepcopy(meta), run.rows(3, 10)
    assert kept is not None
    again = trainer(recipe, (1,), QUIET, pause=lambda: True)
    assert again.restore(*kept) == []
    finish(again)
    same_bits(learnt(again), learnt(run))


class Forgetful(Diary):
    """A simulator that does not repeat itself."""

    made = 0

    def reset(self, seed: int) -> np.ndarray:
        Forgetful.made += 1
        return super().reset(seed + Forgetful.made)


def test_an_episode_that_cannot_be_replayed_is_named_and_begun_anew() -> None:
    recipe = tiny("sac", steps=6)
    run = trainer(recipe, (3,), QUIET, Forgetful, pause=lambda: True)
    for event in run.run():
        if event.kind == "safe" and run.position.counter == 2:
            break
    left = _leave(run)
    number = left[1]["host"]["number"][0]
    again = trainer(recipe, (3,), QUIET, Forgetful)
    assert again.restore(*left) == [3]
    assert again.snapshot()[1]["host"]["number"] == [number + 1]


@pytest.mark.laws
@pytest.mark.parametrize("method", ["wsrl"])
def test_the_model_of_a_snapshot_has_its_shapes(method: str) -> None:
    run = trainer(tiny(method, steps=3), (0, 1), QUIET, pause=lambda: True)
    for event in run.run():
        if event.kind == "safe":
            tree, meta = run.snapshot()
            model = run.model(meta)
            same = jax.tree.map(lambda a, b: a.shape == b.shape and a.dtype == b.dtype, tree, model)
            assert all(jax.tree.leaves(same))
