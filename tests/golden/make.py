"""Write `traces.json`: the losses of ten updates of every method on fixed rows.

Run `python tests/golden/make.py` where a method changed on purpose, and say why in the commit;
with names of methods behind it, only theirs are written anew.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import conftest  # noqa: F401 - the processor, before JAX is imported
import jax
import jax.numpy as jnp
import numpy as np
from tiny import SPEC, logged, rows_of, tiny

from warmstart.methods import METHODS
from warmstart.replay import Layout, Stores, Wanted, Windows, empty_ring
from warmstart.types import Clock

FILE = Path(__file__).parent / "traces.json"
Trace = list[dict[str, float]]


def trace(method: str, phase: str) -> Trace:
    """Metrics of ten updates from a fixed start on fixed rows."""
    recipe = tiny(method)
    learner = recipe.pretrain[0].learner if phase == "pretrain" else recipe.finetune.learner
    rows, layout = rows_of(logged()), Layout.of(SPEC)
    state = learner.init(jax.random.PRNGKey(0), SPEC)
    if phase == "online" and recipe.pretrain:
        old = learner.init(jax.random.PRNGKey(2), SPEC)
        state = state.replace(prior={"actor": old.nets["actor"], "stats": old.stats})
    update, lines = jax.jit(learner.update), []
    for i in range(10):
        shape = (learner.minibatches, learner.batch)
        pick = np.random.default_rng(i).integers(0, len(rows), shape)
        clock = Clock(jnp.int32(i * learner.minibatches), jnp.int32(0), jnp.int32(100))
        key = jax.random.fold_in(jax.random.PRNGKey(1), i)
        drawn = jnp.asarray(rows[pick])
        if learner.windows:
            stores = Stores(jnp.asarray(rows), empty_ring(1, layout.width))
            drawn = Windows(3).draw(key, clock, stores, (), Wanted(shape, True, layout)).rows
        state, metrics = update(key, clock, state, layout.unpack(drawn))
        line = {
            name: float(f"{float(value):.7g}")
            for group in metrics.values()
            for name, value in sorted(group.items())
            if name != "updates"
        }
        lines.append(line)
    return lines


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
        f"{method} {phase}": trace(method, phase)
        if method in (sys.argv[1:] or METHODS)
        else old[f"{method} {phase}"]
        for method, phase in cases()
    }
    FILE.write_text(json.dumps(traces, indent=1) + "\n")
