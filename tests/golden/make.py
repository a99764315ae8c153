"""Write `traces.json`: the numbers of ten updates of every method on fixed rows, in float64.

Run `python tests/golden/make.py` where a method changed on purpose, and say why in the commit;
with names of methods behind it, only theirs are written again.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import conftest  # noqa: F401 - the processor, before JAX is imported
import jax
import jax.numpy as jnp
import numpy as np
from tiny import SPEC, float64, logged, rows_of, tiny

from warmstart.engine.phases import Block
from warmstart.methods import METHODS
from warmstart.replay import FromDataset, Layout, Stores, Wanted, Windows, empty_ring, taken
from warmstart.types import Clock, Transition

FILE = Path(__file__).parent / "traces.json"
Trace = list[dict[str, float]]
UPDATES = 10


def learner_of(method: str, phase: str) -> Any:
    """The method's learner in "pretrain" or "online"."""
    recipe = tiny(method)
    return recipe.pretrain[0].learner if phase == "pretrain" else recipe.finetune.learner


def unchanged(batch: Transition) -> Transition:
    """The batch as it is."""
    return batch


def trace(
    learner: Any,
    updates: int = UPDATES,
    changed: Callable[[Transition], Transition] = unchanged,
    update: Callable[..., Any] | None = None,
) -> Trace:
    """Metrics of some updates from a fixed start on fixed rows, each batch as `changed` gives it.

    In float64 the order of additions moves them by far less than any term of any equation.
    `update` stands for the learner's own, compiled once.
    """
    layout, rows = Block(learner, FromDataset(), Layout.of(SPEC)).drawn, rows_of(logged())
    rows[:, layout.return_to_go] += 3.0  # some above what critics say: else no bound has a say
    with float64():
        rows = jnp.asarray(rows, jnp.float64)
        update, state, lines = update or _update(learner), _start(learner), []
        for i in range(updates):
            shape = (learner.minibatches, learner.batch)
            pick = np.random.default_rng(i).integers(0, len(rows), shape)
            clock = Clock(jnp.int32(i * learner.minibatches), jnp.int32(0), jnp.int32(100))
            key = jax.random.fold_in(jax.random.PRNGKey(1), i)
            drawn = taken(rows, pick, layout)
            if learner.windows:
                stores = Stores(rows, empty_ring(1, layout.width))
                drawn = Windows(3).draw(key, clock, stores, (), Wanted(shape, True, layout)).rows
            state, metrics = update(key, clock, state, changed(layout.unpack(drawn)))
            line = {
                name: float(f"{float(value):.12g}")
                for group in metrics.values()
                for name, value in sorted(group.items())
                if name != "updates"
            }
            lines.append(line)
    return lines


@functools.cache
def golden(method: str, phase: str) -> Trace:
    """The trace of a case; a learner of several methods has one."""
    return _golden(learner_of(method, phase))


_golden = functools.cache(trace)


@functools.cache
def _update(learner: Any) -> Callable[..., Any]:
    # `make test-isa` compiles by the emitters that users' programs have, `make test` by others.
    return jax.jit(learner.update)


@functools.cache
def _start(learner: Any) -> Any:
    """A fresh state with a frozen policy, for whoever reads one."""
    init = jax.jit(lambda key: learner.init(key, SPEC))
    state, old = init(jax.random.PRNGKey(0)), init(jax.random.PRNGKey(2))
    if "actor" not in old.nets:
        return state
    return state.replace(pretrained={"actor": old.nets["actor"], "stats": old.stats})


def cases() -> list[tuple[str, str]]:
    """Every method's phases."""
    return [
        (method, phase)
        for method in METHODS
        for phase in (("pretrain", "online") if tiny(method).pretrain else ("online",))
    ]


if __name__ == "__main__":
    old = json.loads(FILE.read_text()) if sys.argv[1:] else {}
    traces = {
        f"{method} {phase}": golden(method, phase)
        if method in (sys.argv[1:] or METHODS)
        else old[f"{method} {phase}"]
        for method, phase in cases()
    }
    FILE.write_text(json.dumps(traces, indent=1) + "\n")
