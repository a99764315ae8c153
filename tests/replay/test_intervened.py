"""A share of each minibatch for rows in which a human acted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import SPEC, tiny

from warmstart.errors import RecipeError
from warmstart.replay import FromRing, Intervened, Layout, Mixed, Stores, Wanted, empty_ring, push
from warmstart.replay.rows import INTERVENED
from warmstart.types import Clock

LAYOUT = Layout.of(SPEC)
CLOCK = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(100))
WANT = Wanted((2, 8), False, LAYOUT)
SOURCE = Intervened(0.5, FromRing(), most=4)


def row(number: int, human: bool) -> jax.Array:
    held = jnp.zeros(LAYOUT.width).at[0].set(number)
    return held.at[LAYOUT.online].set(INTERVENED if human else 1.0)


def drawn(marks: list[int], count: int, capacity: int = 10, source: Any = SOURCE) -> Any:
    """Numbers [U, B] drawn after each of `count` rows, of which those in `marks` are a human's."""
    ring = empty_ring(capacity, LAYOUT.width)
    stores = Stores(jnp.zeros((1, LAYOUT.width)), ring)
    memory, found = source.init(jax.random.PRNGKey(0), stores, LAYOUT), []
    draw = jax.jit(lambda key, ring, memory: source.draw(
        key, CLOCK, stores._replace(ring=ring), memory, WANT
    ))  # fmt: skip
    for number in range(count):
        ring = push(ring, row(number, number in marks), jnp.int32(1))
        out = draw(jax.random.PRNGKey(number), ring, memory)
        memory = out.memory
        found.append(np.asarray(out.rows[..., 0], int))
    return found


def test_half_of_each_minibatch_is_a_humans_as_long_as_there_are_such_rows() -> None:
    marks = [3, 5, 6, 7, 8, 9]
    found = drawn(marks, 24)
    for number, rows in enumerate(found):
        held = range(max(0, number - 9), number + 1)
        known = [n for n in marks if n <= number][-4:]
        known = [n for n in known if n in held]
        assert set(rows.ravel()) <= set(held)
        if known:
            assert set(rows[:, ::2].ravel()) <= set(known), (number, rows)
    assert set(found[9][:, ::2].ravel()) == {6, 7, 8, 9}  # the newest four
    assert len(set(found[23].ravel())) > 4  # no row of a human's is left: the ring's


def test_of_a_mixed_batch_every_part_gives_up_its_share() -> None:
    """Rows of the dataset are 0 here, those of the ring their numbers."""
    for rows in drawn([9], 10, source=Intervened(0.5, Mixed(0.5)))[9:]:
        assert np.all(rows[:, ::2] == 9)
        assert [int(n) for n in (rows[:, 1::2] == 0).sum(axis=1)] in (
            [2, 2],
            [2, 3],
            [3, 2],
            [3, 3],
        )


def test_a_share_is_drawn_of_any_other_source_and_stands_in_json() -> None:
    recipe = tiny("rlpd")
    source = Intervened(0.5, recipe.replay.source)
    made = replace(recipe, replay=replace(recipe.replay, source=source))
    assert type(recipe).from_json(made.to_json()) == made
    assert isinstance(recipe.replay.source, Mixed) and source.logged and source.reads_dataset
    assert not SOURCE.logged and not SOURCE.reads_dataset


@pytest.mark.parametrize("method", ["odt", "ppo", "mopo"])
def test_batches_that_cannot_be_shared_so_are_refused(method: str) -> None:
    """Windows, a rollout in its order, and rows of its own for each network."""
    recipe = tiny(method)
    learner, source = recipe.finetune.learner, recipe.replay.source
    if method == "mopo":
        learner, source = recipe.pretrain[0].learner, recipe.pretrain[0].source
    source.check(learner, None)
    with pytest.raises(RecipeError, match="leave --intervened-share"):
        Intervened(0.25, source).check(learner, None)
