"""The share of logged rows in a batch is what the user said, whatever the method preloads."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import tiny

from warmstart.api import declare
from warmstart.api.changes import changed
from warmstart.engine.carry import preloaded
from warmstart.errors import RecipeError
from warmstart.methods import METHODS
from warmstart.recipe import Recipe
from warmstart.replay import FromRing, Gated, Layout, Ring, Stores, Wanted
from warmstart.types import Clock

LAYOUT, N, ONLINE = Layout(1, 1), 300, 100
"""300 logged rows, in episodes of ten, and 100 rows of the run's own."""
BALANCED = {
    "replay.source": "Balanced",
    "replay.source.first_block": "100",
    "replay.source.net.hidden": "4",
}
PRELOADING = [
    name for name in METHODS if tiny(name).replay.preload.kind != "none" and name != "odt"
]


def _rows(count: int, online: float) -> np.ndarray:
    rows = np.zeros((count, LAYOUT.width), np.float32)
    rows[:, LAYOUT.scalars + 5] = online
    rows[9::10, LAYOUT.last] = 1.0
    rows[:, LAYOUT.t] = np.arange(count) % 10
    return rows


def _logged_share(recipe: Recipe, draws: int = 60) -> float:
    """The share of logged rows in batches drawn after 100 online steps."""
    replay, batch = recipe.replay, recipe.finetune.learner.batch
    dataset = _rows(N, 0.0)
    rows = np.concatenate([preloaded(recipe, LAYOUT, dataset), _rows(ONLINE, 1.0)])
    count = jnp.int32(len(rows))
    ring = Ring(jnp.asarray(rows), count, count)
    stores = Stores(jnp.asarray(dataset), ring)
    clock = Clock(jnp.int32(0), jnp.int32(ONLINE), jnp.int32(1000))
    want = Wanted((draws, batch), False, LAYOUT)
    memory = replay.source.init(jax.random.key(0), stores, LAYOUT)
    drawn = replay.source.draw(jax.random.key(1), clock, stores, memory, want).rows
    drawn = np.asarray(drawn)
    there = drawn[..., LAYOUT.t] >= 0  # a window's empty places are no rows
    return float(1.0 - drawn[there][..., LAYOUT.scalars + 5].mean())


@pytest.mark.parametrize("method", PRELOADING)
def test_a_share_that_is_named_is_the_share_of_a_batch(method: str) -> None:
    said = {"replay.source": "Mixed", "replay.source.share": "0.05"}
    recipe = declare(method, "jax-pointmass", preset="quick", changes=said).recipe
    batch = recipe.finetune.learner.batch
    assert _logged_share(recipe) == pytest.approx(int(0.05 * batch) / batch)
    assert recipe.replay.preload.kind == "none"


@pytest.mark.parametrize(
    ("method", "said", "share"),
    [
        ("odt", {"replay.source.share": "0.25", "learner.batch": "40"}, 0.25),
        ("iql", {"replay.source": "Mixed", "replay.source.end": "0"}, 0.45),
        ("iql", {"replay.source": "Mixed", "replay.source.share": "0"}, 1.0),
        ("iql", {"replay.source": "Gated", "replay.source.after": "0"}, 0.5 * N / (N + ONLINE)),
        ("iql", {"replay.source": "Gated"}, N / (N + ONLINE)),
        ("iql", {"replay.source": "Faded"}, N / (N + ONLINE)),
        ("iql", BALANCED, 0.5),
        ("iql", {"replay.source": "FromDataset"}, 1.0),
        ("iql", {}, N / (N + ONLINE)),
        ("iql", {"replay.preload.kind": "none"}, 0.0),
        ("iql", {"replay.preload.kind": "last", "replay.preload.count": "50"}, 1 / 3),
        ("iql", {"replay.preload.kind": "random", "replay.preload.count": "100"}, 0.5),
        ("iql", {"replay.preload.kind": "top", "replay.preload.count": "10"}, 0.5),
        ("iql", {"replay.source": "FromRing"}, N / (N + ONLINE)),
        ("wsrl", {"replay.source": "Mixed", "replay.source.share": "0.25"}, 0.25),
    ],
)
def test_each_source_draws_the_share_that_its_definition_says(
    method: str, said: dict[str, Any], share: float
) -> None:
    recipe = declare(method, "jax-pointmass", preset="quick", changes=said).recipe
    if said.get("replay.source.share") == "0":  # nothing of the dataset: the preload stays
        assert recipe.replay.preload.kind == "all"
        share = N / (N + ONLINE)
    draws = 800 if isinstance(recipe.replay.source, Gated) else 60  # whole minibatches by chance
    assert _logged_share(recipe, draws) == pytest.approx(share, abs=0.04)


def test_logged_rows_from_both_sides_are_refused_with_two_ways_out() -> None:
    both = {"replay.source": "Mixed", "replay.preload.kind": "all"}
    with pytest.raises(RecipeError, match=r"set replay\.preload\.kind=none or replay\.source=From"):
        declare("iql", "jax-pointmass", changes=both)
    for way in ({"replay.preload.kind": "none"}, {"replay.source": "FromRing"}):
        declare("iql", "jax-pointmass", changes={**both, **way})
    kept = {"replay.source": "FromRing", "replay.preload.kind": "all"}
    assert changed(tiny("wsrl"), kept).replay.source == FromRing()


def test_a_share_of_less_than_one_row_is_refused_with_one_that_is() -> None:
    said = {"replay.source": "Mixed", "replay.source.share": "0.05", "learner.batch": "16"}
    with pytest.raises(RecipeError, match=r"set replay\.source\.share=0\.0625 or more"):
        declare("iql", "jax-pointmass", changes=said)
    declare("iql", "jax-pointmass", changes={**said, "replay.source.share": "0.0625"})
