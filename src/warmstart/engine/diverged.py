"""Learning that left the finite numbers: seen where it begins, and put in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.engine.position import Position
from warmstart.engine.seed_batch import SeedBatch
from warmstart.errors import DivergedError
from warmstart.learners import Metrics
from warmstart.nets.dynamics import MAY_BE_INFINITE
from warmstart.state import State
from warmstart.types import Array

PARTS = {
    "nets": "a weight of the {}",
    "targets": "a weight of the {}'s slow copy",
    "opts": "a moment of the {}'s optimiser",
    "pretrained": "a weight of the frozen {}",
    "stats": "an observation's {}",
}
"""The parts of a state in which every number has to be finite, in words.

Only what a model measures may be infinite, see `MAY_BE_INFINITE`.
"""


def first_bad(known: Array, metrics: Metrics, update: Array) -> Array:
    """int32 []: the first update with a loss that is no finite number, from 1 on; 0: none.

    `known` is the answer of the updates before, `update` the number of this one. A metric is a
    loss where its name says so.
    """
    values = [v for group in metrics.values() for name, v in group.items() if _is_loss(name)]
    if not values:
        return known
    bad = ~jnp.all(jnp.isfinite(jnp.stack(values)))
    return jnp.where((known == 0) & bad, update, known).astype(jnp.int32)


def _is_loss(name: str) -> bool:
    return name.endswith("loss")


def diverged(carry: SeedBatch, names: Sequence[int], at: Position) -> DivergedError | None:
    """What is not finite in what the seeds carry, of the first seed with such; None: nothing.

    It reads every number that is learnt: for logging, looking and saving, not for each step.
    """
    first = carry.get(lambda c: (c.diverged, c.sums)).host()
    for i, seed in enumerate(names):
        update = int(first[0][i])
        if update:
            losses = [
                (name, float(value[i]))
                for group in first[1].values()
                for name, value in group.items()
                if _is_loss(name)
            ]
            name = next((name for name, value in losses if not np.isfinite(value)), "loss")
            return DivergedError(
                f"seed {seed}: {name} is not a finite number from {_update(at, update)} on", name
            )
    state = carry.get(lambda c: c.state)
    for i, seed in enumerate(names):
        part = _unsound(_of_seed(state, i))
        if part is not None:
            when = _after(at, _updates(at, i))
            return DivergedError(f"seed {seed}: {part[1]} is not a finite number {when}", part[0])
    return None


def bad_action(seed: int, where: str, obs: np.ndarray) -> DivergedError:
    """A policy that chose an action that is no finite number on the observation [O]."""
    seen = ""
    if np.abs(obs).max(initial=0.0) > 1e6:
        at = int(np.abs(obs).argmax())
        seen = f", on an observation whose number {at} is {obs[at]:.3g}"
    return DivergedError(
        f"seed {seed}: the policy's action is not a finite number {where}{seen}", "action"
    )


def _unsound(state: State) -> tuple[str, str] | None:
    """(network, in words) of the first part that is not finite."""
    for part, words in PARTS.items():
        for path, leaf in jax.tree_util.tree_leaves_with_path(getattr(state, part)):
            number = np.asarray(leaf)
            if number.dtype.kind != "f":
                continue
            measured = getattr(path[-1], "name", "") in MAY_BE_INFINITE
            if np.isnan(number).any() if measured else not np.isfinite(number).all():
                name = str(getattr(path[0], "key", path[0]))
                return name, words.format(name)
    return None


def _of_seed(state: SeedBatch, i: int) -> Any:
    if not state.batched:
        return state.items[i]
    return jax.tree.map(lambda x: x[i], state.items[0])


def _updates(at: Position, i: int) -> int:
    return at.done[i] if at.phase in ("online", "done") else at.updates


def _after(at: Position, update: int) -> str:
    return f"after {_update(at, update)}" if update else "before the first update"


def _update(at: Position, update: int) -> str:
    if at.phase in ("online", "done"):
        return f"online update {update:,} (environment step {at.env_steps:,})"
    stage = f", stage {at.stage + 1}" if at.stage else ""
    return f"update {update:,} of pre-training{stage}"
